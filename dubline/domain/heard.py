"""Which language is heard, told by a recognizer in several windows of speech, beside the one that was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from dubline.domain.time import Span

WINDOW_MS, WINDOWS = 30_000, 4
"""What Whisper hears at once, and in how many places it is asked."""
_SURE, _UNHEARD = 0.6, 0.1
"""Another language is heard when it has at least so much of the probability, and the one asked for at most so much.
Whisper takes French with an American accent for French with 0.11 (Kokoro's voices), native speech with 0.9 and more."""
_ALIKE = (
    {"es", "ca", "gl", "oc", "pt"},
    {"no", "nn", "nb", "da", "sv"},
    {"hr", "sr", "bs", "sl", "mk"},
    {"cs", "sk"},
    {"ru", "uk", "be"},
    {"hi", "ur", "pa"},
    {"id", "ms", "jv", "su"},
    {"zh", "yue", "wuu"},
    {"nl", "af"},
    {"az", "tr", "tk"},
    {"de", "lb"},
    {"fa", "tg", "ps"},
)
"""Languages that a recognizer mixes up, so that one heard for another proves nothing."""


def windows(spoken: Sequence[Span]) -> tuple[Span, ...]:
    """Where to listen for the language: up to WINDOWS places, evenly spread over what is spoken (in order, ms)."""
    if not spoken:
        return ()
    places = {spoken[len(spoken) * (2 * n + 1) // (2 * WINDOWS)].start_ms for n in range(WINDOWS)}
    end, found = spoken[-1].end_ms, list[Span]()
    for place in sorted(places):
        start = max(spoken[0].start_ms, min(place - WINDOW_MS // 2, end - WINDOW_MS))
        if not found or start >= found[-1].end_ms:
            found.append(Span(start, min(start + WINDOW_MS, end)))
    return tuple(found)


def told(heard: Sequence[Mapping[str, float]], asked: str) -> tuple[str, float, float]:
    """The language that is heard over all windows (at least one), its probability, and that of the one asked for."""
    mean = {code: fmean(one.get(code, 0.0) for one in heard) for code in {code for one in heard for code in one}}
    best = max(mean, key=lambda code: mean[code])
    return best, mean[best], mean.get(asked, 0.0)


def is_other(heard: str, probability: float, asked_for: str, asked: float) -> bool:
    """Whether it is clearly another language than the one asked for."""
    alike = any({heard, asked_for} <= group for group in _ALIKE)
    return heard != asked_for and not alike and probability >= _SURE and asked <= _UNHEARD
