"""The timeline chart's geometry: for each speaker a lane of the source's speech above one of the dub's.
A bar is a phrase: what is said between two pauses.

Across, positions are shares of the video (percent) so that the chart fits any width; down, they are pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dubline.domain.time import Span
from dubline.reporting.model import LineReport

_AXIS_PX, _ROW_PX, _SOURCE_PX, _DUB_PX = 26, 58, 16, 20
_PX_PER_SECOND = 12
"""Below this a word could not be hit with a pointer: longer videos make the chart scroll instead."""
_TYPICAL_PX, _TICK_PX = 1000, 90
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600)


@dataclass(frozen=True, slots=True)
class Bar:
    number: int
    """Of the line, from 1."""
    lane: str
    """source, dub, flagged (dub that somebody should look at) or kept (original sound kept)."""
    left: float
    width: float
    top: int
    height: int
    seek_ms: int


@dataclass(frozen=True, slots=True)
class Tick:
    left: float
    at_ms: int


@dataclass(frozen=True, slots=True)
class Row:
    speaker: str
    top: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    height: int
    least_width: int
    ticks: tuple[Tick, ...]
    rows: tuple[Row, ...]


def chart(lines: Sequence[LineReport], duration_ms: int) -> Chart:
    """Lay the lines out; the axis is as long as the video, or longer where a line passes its end."""
    length = max([duration_ms, 1, *(line.placed_end_ms for line in lines)])
    speakers = list(dict.fromkeys(line.speaker for line in lines))
    rows = tuple(
        Row(speaker, top, _bars(lines, speaker, top, length))
        for speaker, top in zip(speakers, range(_AXIS_PX, 10**9, _ROW_PX), strict=False)
    )
    least_width = length * _PX_PER_SECOND // 1000
    return Chart(_AXIS_PX + _ROW_PX * len(rows) + 4, least_width, _ticks(length, least_width), rows)


def _bars(lines: Sequence[LineReport], speaker: str, top: int, length: int) -> tuple[Bar, ...]:
    bars: list[Bar] = []
    for number, line in enumerate(lines, 1):
        if line.speaker == speaker:
            said = [phrase.span for phrase in line.phrases] or [line.span]
            dubbed = [phrase.placed for phrase in line.phrases] or [line.placed]
            bars += [_bar(number, "source", span, top + 8, _SOURCE_PX, length) for span in said]
            bars += [_bar(number, _lane(line), span, top + 8 + _SOURCE_PX + 4, _DUB_PX, length) for span in dubbed]
    return tuple(bars)


def _lane(line: LineReport) -> str:
    if "kept-original" in line.flags:
        return "kept"
    return "flagged" if line.flags else "dub"


def _bar(number: int, lane: str, span: Span, top: int, height: int, length: int) -> Bar:
    left, width = 100 * span.start_ms / length, 100 * span.len_ms / length
    return Bar(number, lane, round(left, 4), round(width, 4), top, height, span.start_ms)


def _ticks(length: int, least_width: int) -> tuple[Tick, ...]:
    px_per_second = max(least_width, _TYPICAL_PX) * 1000 / length
    step = next((s for s in _STEPS_S if s * px_per_second >= _TICK_PX), _STEPS_S[-1]) * 1000
    return tuple(Tick(round(100 * at / length, 4), at) for at in range(0, length, step))
