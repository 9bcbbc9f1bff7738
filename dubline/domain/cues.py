"""Subtitle cues and the rules they are held to.

The numbers are those of Netflix' Timed Text Style Guides: "General Requirements" (5/6 s to 7 s for a cue, two lines,
two frames between cues, in-time within three frames of the audio) and the guide of each language (characters in a line,
characters a second in programmes for adults). An out-time may lie well past the end of the speech where reading needs
it ("Subtitle Timing Guidelines").
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dubline.domain.time import Span

_USUAL = (42, 17.0, False)
_TABLE: dict[str, tuple[int, float, bool]] = {
    "ar": (42, 20.0, False),  # Arabic guide
    "en": (42, 20.0, False),  # English (USA) guide
    "hi": (42, 22.0, False),  # Hindi guide
    "ja": (16, 7.0, True),  # Japanese guide, section II
    "ko": (16, 12.0, True),  # Korean guide: Latin letters, spaces and punctuation count as half a character
    "ru": (39, 17.0, False),  # Russian guide
    "th": (35, 17.0, False),  # Thai guide
    "yue": (16, 9.0, True),  # as Chinese
    "zh": (16, 9.0, True),  # Chinese guides, simplified and traditional
}
"""Characters in a line, characters a second, counted in full-width characters. Every other language as _USUAL.

Japanese has two sets. Section I (13 characters, 4 a second) is for subtitles that leave out half of what is said;
section II (16 and 7, SDH) is for the words as they are spoken, which is what stands here: nothing may be left out.
"""

_FASTEST_MS, _SLOWEST_MS = 1000 / 60, 1001 / 24
"""A frame at 60 and at 23.976 frames a second."""


@dataclass(frozen=True, slots=True)
class CueLimits:
    """What a cue may be in one language, for one frame rate."""

    language: str = ""
    """Its code; decides at which words a line may break."""
    line_width: int = 42
    chars_per_second: float = 17.0
    full_width: bool = False
    """Characters are counted in full-width units: a Latin letter is half of one."""
    frame_ms: float = 40.0
    max_lines: int = 2
    min_ms: int = 834
    max_ms: int = 7000

    @classmethod
    def of(cls, language: str, frame_ms: float = 40.0) -> CueLimits:
        """The limits of a language (its code, with or without a script) for pictures that stand `frame_ms` each.

        Frame rates outside those that the guides are written for (slide shows, screen recordings) count as the nearest.
        """
        base = language.split("-")[0]
        width, speed, full_width = _TABLE.get(base, _USUAL)
        return cls(base, width, speed, full_width, min(max(frame_ms, _FASTEST_MS), _SLOWEST_MS))

    @property
    def gap_ms(self) -> int:
        """Two frames, rounded up to a millisecond."""
        return math.ceil(2 * self.frame_ms - 1e-6)

    @property
    def in_time_ms(self) -> int:
        """How far an in-time may lie from its sound: three frames."""
        return math.floor(3 * self.frame_ms + 1e-6)

    def width(self, text: str) -> float:
        """Characters of a line as the guides count them: marks that combine take no place."""
        return sum(self._char_width(char) for char in text)

    def _char_width(self, char: str) -> float:
        if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
            return 0.0
        if not self.full_width:
            return 1.0
        return 1.0 if unicodedata.east_asian_width(char) in {"W", "F", "A"} else 0.5

    def reading_ms(self, lines: Sequence[str]) -> int:
        """How long the lines must stand to be read; the break between lines does not count as a character."""
        return self.time_for(sum(map(self.width, lines)))

    def time_for(self, characters: float) -> int:
        """How long that many characters must stand to be read, in ms."""
        return math.ceil(characters / self.chars_per_second * 1000)


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle: what stands on the screen while its span lasts."""

    span: Span
    lines: tuple[str, ...]
    speaker: str | None = None
    """None where the speaker is not known, or where two people share the cue, a dash before each."""
    flags: tuple[str, ...] = ()
    """Rules that could not be kept without losing text: those of `violations`, and in-time."""

    @property
    def text(self) -> str:
        return " ".join(self.lines)


@dataclass(frozen=True, slots=True)
class Violation:
    """A cue that breaks a rule."""

    cue: int
    """Number of the cue, from 1."""
    rule: str
    """Of: lines, line-width, min-duration, max-duration, reading-speed, gap, overlap, past-end."""
    detail: str


def violations(cues: Sequence[Cue], limits: CueLimits, duration_ms: int | None = None) -> tuple[Violation, ...]:
    """Every breach of the rules, in the order of the cues; `duration_ms` is the video's, where it is known."""
    found: list[Violation] = []
    for number, cue in enumerate(cues, 1):
        found += [Violation(number, rule, detail) for rule, detail in _of_cue(cue, limits)]
        if duration_ms is not None and cue.span.end_ms > duration_ms:
            found.append(Violation(number, "past-end", f"ends {cue.span.end_ms - duration_ms} ms after the video"))
        if number < len(cues):
            found += [Violation(number, rule, detail) for rule, detail in _of_pair(cue, cues[number], limits)]
    return tuple(found)


def _of_cue(cue: Cue, limits: CueLimits) -> Iterator[tuple[str, str]]:
    shown, widest = cue.span.len_ms, max(map(limits.width, cue.lines), default=0)
    if not 1 <= len(cue.lines) <= limits.max_lines:
        yield "lines", f"{len(cue.lines)} lines"
    if widest > limits.line_width:
        yield "line-width", f"{widest:g} characters in a line, {limits.line_width} are allowed"
    if shown < limits.min_ms:
        yield "min-duration", f"stands {shown} ms, {limits.min_ms} at least"
    if shown > limits.max_ms:
        yield "max-duration", f"stands {shown} ms, {limits.max_ms} at most"
    if shown < limits.reading_ms(cue.lines):
        speed = sum(map(limits.width, cue.lines)) / max(shown, 1) * 1000
        yield "reading-speed", f"{speed:.1f} characters a second, {limits.chars_per_second:g} are allowed"


def _of_pair(cue: Cue, following: Cue, limits: CueLimits) -> Iterator[tuple[str, str]]:
    gap = following.span.start_ms - cue.span.end_ms
    if gap < 0:
        yield "overlap", f"stands {-gap} ms into the next cue"
    elif gap < limits.gap_ms:
        yield "gap", f"{gap} ms before the next cue, {limits.gap_ms} at least"
