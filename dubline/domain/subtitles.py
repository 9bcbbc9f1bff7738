"""Lay spoken text out as subtitle cues.

The utterances become one stream of text, each word with its time; `cue_cuts` cuts it into cues so that the fewest rules
are broken: at the ends of sentences, clauses and phrases and at pauses, joined with a neighbour where a cue would flash
by (two speakers share a cue with a dash before each). All text is shown: where speech is too hurried for the rules,
text wins and the cue carries the names of the rules it breaks.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, chain, groupby, pairwise

from dubline.domain.cue_cuts import DASH, Spoken, best_cuts
from dubline.domain.cues import Cue, CueLimits, Violation, violations
from dubline.domain.linebreaks import Token, cleaned, poured, tokens, wrapped
from dubline.domain.subtitle_files import parse_srt, to_ass, to_srt, to_vtt
from dubline.domain.time import Span
from dubline.domain.transcript import Word

__all__ = [
    "Cue",
    "CueLimits",
    "Utterance",
    "Violation",
    "layout",
    "parse_srt",
    "to_ass",
    "to_srt",
    "to_vtt",
    "violations",
]

CHAIN_MS = 500
"""A pause shorter than half a second between two cues is closed to the least gap (Netflix, "Frame gap")."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something said without a break by one person."""

    span: Span
    text: str
    speaker: str | None = None
    words: tuple[Word, ...] = ()
    """Words or phrases with their times inside the span: cues are cut at the pauses between them, if they can be.
    Without them time is shared out by characters."""


def layout(utterances: Sequence[Utterance], *, limits: CueLimits, duration_ms: int) -> tuple[Cue, ...]:
    """Cues in order, without overlap, none past `duration_ms`; an utterance without text gives none."""
    stream = _stream(utterances, limits, duration_ms)
    shown: list[tuple[int, list[Spoken]]] = []
    for cut in best_cuts(stream, limits, duration_ms):
        text = list(stream[cut.start : cut.stop])
        if shown and cut.in_ms + math.ceil(limits.frame_ms) > duration_ms:
            shown[-1][1].extend(text)  # no time is left to shift to: the last cue takes the rest, whatever its size
        else:
            shown.append((cut.in_ms, text))
    starts = [start for start, _ in shown]
    cues = [
        _cue(start, text, following, limits, duration_ms)
        for (start, text), following in zip(shown, [*starts[1:], None], strict=False)
    ]
    broken = violations(cues, limits, duration_ms)
    rules = [tuple(dict.fromkeys(v.rule for v in broken if v.cue == number)) for number in range(1, len(cues) + 1)]
    return tuple(replace(cue, flags=cue.flags + rule) for cue, rule in zip(cues, rules, strict=True))


def _stream(utterances: Sequence[Utterance], limits: CueLimits, duration_ms: int) -> tuple[Spoken, ...]:
    """All text in the order in which it is shown: what people say at the same time is cut up and takes turns."""
    ordered = sorted(utterances, key=lambda u: u.span.start_ms)
    crossed = _crossed(ordered)
    pieces: list[tuple[Spoken, ...]] = []
    for number, utterance in enumerate(ordered):
        spoken = tuple(_spoken(utterance, number, limits))
        if number in crossed:
            pieces.extend(spoken[cut.start : cut.stop] for cut in best_cuts(spoken, limits, duration_ms))
        elif spoken:
            pieces.append(spoken)
    pieces.sort(key=lambda piece: piece[0].start_ms)
    return tuple(chain.from_iterable(pieces))


def _crossed(ordered: Sequence[Utterance]) -> set[int]:
    """Utterances during which somebody else talks, too."""
    result: set[int] = set()
    for number, one in enumerate(ordered):
        for place in range(number + 1, len(ordered)):
            if ordered[place].span.start_ms >= one.span.end_ms:
                break
            if ordered[place].speaker != one.speaker:
                result |= {number, place}
    return result


def _spoken(utterance: Utterance, number: int, limits: CueLimits) -> list[Spoken]:
    text = tokens(utterance.text, limits)
    start_of, end_of = _clock(utterance)
    ends = [0, *accumulate(_letters(token.text) for token in text)]
    return [
        Spoken(token, utterance.speaker, number, start_of(start), max(start_of(start), end_of(end)))
        for token, (start, end) in zip(text, pairwise(ends), strict=True)
    ]


def _letters(text: str) -> int:
    return sum(not char.isspace() for char in text)


def _clock(utterance: Utterance) -> tuple[Callable[[int], int], Callable[[int], int]]:
    """When a stretch of the text that begins, and one that ends, at a place counted in letters is spoken (ms).

    Never decreasing, inside the span. The words need not be those of the text: places are matched by their share of
    all letters. At a pause between two words the text before it ends with the one, that after it starts with the other.
    """
    span = utterance.span
    words = [(word.span, _letters(word.text)) for word in utterance.words if _letters(word.text)]
    words = words or [(span, 1)]
    ends = list(accumulate(count for _, count in words))
    letters = max(_letters(cleaned(utterance.text)), 1)

    def at(place: int, find: Callable[[Sequence[int], float], int]) -> int:
        if place <= 0 or place >= letters:
            return span.start_ms if place <= 0 else span.end_ms
        spoken = place * ends[-1] / letters
        index = min(find(ends, spoken), len(words) - 1)
        word, count = words[index]
        share = (spoken - (ends[index] - count)) / count
        return min(max(round(word.start_ms + share * word.len_ms), span.start_ms), span.end_ms)

    starts = list(accumulate((at(place, bisect_right) for place in range(letters + 1)), max))
    stops = list(accumulate((at(place, bisect_left) for place in range(letters + 1)), max))
    return (lambda place: starts[min(place, letters)]), (lambda place: stops[min(place, letters)])


def _cue(start: int, text: Sequence[Spoken], following: int | None, limits: CueLimits, duration_ms: int) -> Cue:
    """A cue that stands as long as its speech, longer where reading takes longer; small pauses are closed."""
    parts = [(who, tuple(s.token for s in said)) for who, said in groupby(text, key=lambda s: s.speaker)]
    lines = _lines(parts, limits)
    until = duration_ms if following is None else following - limits.gap_ms
    wanted = max(max(s.end_ms for s in text), start + limits.min_ms, start + limits.reading_ms(lines))
    if following is not None and until - wanted < CHAIN_MS:
        wanted = until
    end = max(min(wanted, until, start + limits.max_ms), start)
    late = abs(start - min(s.start_ms for s in text)) > limits.in_time_ms
    return Cue(Span(start, end), lines, parts[0][0] if len(parts) == 1 else None, ("in-time",) if late else ())


def _lines(parts: Sequence[tuple[str | None, tuple[Token, ...]]], limits: CueLimits) -> tuple[str, ...]:
    if len(parts) == 1:
        return wrapped(parts[0][1], limits) or poured(parts[0][1], limits)
    dashed = [
        (replace(said[0], text=DASH + said[0].text, width=said[0].width + limits.width(DASH)), *said[1:])
        for _, said in parts
    ]
    return tuple(chain.from_iterable(poured(said, limits) for said in dashed))
