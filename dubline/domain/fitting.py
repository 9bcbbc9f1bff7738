"""Fit synthesized speech to the source's timeline.

`plan` chooses, before synthesis, how fast each line is to be spoken, from a predicted duration. `place` puts the
measured clips on the axis. Hard rules: nothing is cut, lines of one speaker never overlap, lines of two speakers
overlap no more than their source did, finished speech is stretched by at most MAX_STRETCH, and the total rate stays at
most MAX_RATE.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from dubline.domain.time import Span
from dubline.domain.transcript import Segment, Transcript, Translation

MIN_RATE, MAX_RATE = 0.85, 1.25
"""Total rate against the voice's own; listeners rate 1.10 at MOS 4.37 and 1.25 at 3.45 (QoMEX 2019)."""
MAX_STRETCH = 1.15
"""Time-scaling of finished speech is audible sooner than an engine's own speaking rate."""
PAUSE_TAKEN_MS = 500
"""How far a line may be planned into the silence behind the last segment."""
LATE_MS = 120
"""A dubbed onset later than this against the source's is flagged (ITU-R BT.1359: 125 ms of sound lag is detectable)."""


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """What is to be spoken, how."""

    segment: str
    text: str
    voice: str
    speed: float
    """Engine speed against the voice's natural rate."""


@dataclass(frozen=True, slots=True)
class SpeechPlan:
    language: str
    lines: tuple[PlannedLine, ...]


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """Where a line stands in the dub. A line that could not be spoken keeps the original's place and sound."""

    segment: str
    span: Span
    """On the video's axis; after the stretch."""
    stretch: float = 1.0
    """Tempo applied to the finished clip: 1.1 plays it in 1/1.1 of its time."""
    flags: tuple[str, ...] = ()
    """Of: kept-original, late, early, past-end, over-rate."""

    @property
    def kept_original(self) -> bool:
        return "kept-original" in self.flags


@dataclass(frozen=True, slots=True)
class FittedTimeline:
    language: str
    duration_ms: int
    lines: tuple[PlacedLine, ...]


def plan(
    transcript: Transcript,
    translation: Translation,
    voices: Mapping[str, str],
    predict_ms: Callable[[str], float],
    rates: tuple[float, float],
) -> SpeechPlan:
    """Choose each line's speed so that its predicted duration meets the room it has: up to the next onset, where a
    pause follows the segment, so that no line is hurried while there is silence behind it.

    `voices` maps a speaker to a voice, `predict_ms` gives the duration of a text at speed 1, `rates` is what the engine
    can do; the speed stays inside both it and MIN_RATE..MAX_RATE, in steps of 0.05 so that cached clips are found
    again.
    """
    slowest, fastest = max(MIN_RATE, rates[0]), min(MAX_RATE, rates[1])

    def speed(index: int, text: str) -> float:
        span, expected = transcript.segments[index].span, predict_ms(text)
        room = max(_next_onset(transcript.segments, index, span.end_ms + PAUSE_TAKEN_MS) - span.start_ms, span.len_ms)
        wanted = max(expected / max(room, 1), min(expected / max(span.len_ms, 1), 1.0))
        return min(max(round(wanted * 20) / 20, slowest), fastest)

    return SpeechPlan(
        translation.target,
        tuple(
            PlannedLine(segment.id, line.text, voices[segment.speaker], speed(index, line.text))
            for index, (segment, line) in enumerate(zip(transcript.segments, translation.lines, strict=True))
        ),
    )


def place(
    transcript: Transcript, speech_plan: SpeechPlan, clip_ms: Mapping[str, int], duration_ms: int
) -> FittedTimeline:
    """Put each clip at its source's onset, or as soon after as the rules allow; pull back what would pass the end.

    `clip_ms` has the measured duration of every line that could be spoken; the others keep the original's sound.
    """
    placed: list[PlacedLine] = []
    for index, (segment, line) in enumerate(zip(transcript.segments, speech_plan.lines, strict=True)):
        if segment.id not in clip_ms:
            placed.append(PlacedLine(segment.id, segment.span, flags=("kept-original",)))
            continue
        before = zip(transcript.segments, placed, strict=False)
        free_from = max((p.span.end_ms for s, p in before if not _may_overlap(s, segment)), default=0)
        start = max(segment.span.start_ms, free_from)
        available = _next_onset(transcript.segments, index, duration_ms) - start
        stretch = _stretch(clip_ms[segment.id], available, line.speed)
        end = start + math.ceil(clip_ms[segment.id] / stretch)
        placed.append(PlacedLine(segment.id, Span(start, end), stretch))
    settled = _settle(transcript, placed, duration_ms)
    flagged = (
        replace(p, flags=p.flags + _flags(p, s, line, duration_ms))
        for p, s, line in zip(settled, transcript.segments, speech_plan.lines, strict=True)
    )
    return FittedTimeline(speech_plan.language, duration_ms, tuple(flagged))


def _may_overlap(one: Segment, other: Segment) -> bool:
    """Two people may speak at once in the dub only where they did so in the source."""
    return one.speaker != other.speaker and bool(one.span & other.span)


def _next_onset(segments: tuple[Segment, ...], index: int, duration_ms: int) -> int:
    later = (s.span.start_ms for s in segments[index + 1 :] if not _may_overlap(s, segments[index]))
    return next(later, duration_ms)


def _stretch(clip: int, available: int, speed: float) -> float:
    """The least tempo that makes the clip fit, capped; 1.0 where it fits as it is."""
    cap = max(1.0, min(MAX_STRETCH, MAX_RATE / speed))
    return min(max(clip / available, 1.0), cap) if available > 0 else cap


def _settle(transcript: Transcript, placed: list[PlacedLine], duration_ms: int) -> list[PlacedLine]:
    """The better of two ways out where lines pass the end or run into an original that stays: pulled back, or late.

    Pulling back is worth it where it brings every line inside the video; a line that is too long for that in any case
    does not move all others away from their mouths.
    """

    def cost(lines: list[PlacedLine]) -> tuple[bool, int]:
        lags = (abs(p.span.start_ms - s.span.start_ms) for p, s in zip(lines, transcript.segments, strict=True))
        return any(p.span.end_ms > duration_ms for p in lines if not p.kept_original), sum(lags)

    pulled = _pull_back(transcript, placed, duration_ms)
    return min((_push_apart(transcript, lines) for lines in (pulled, placed)), key=cost)


def _pull_back(transcript: Transcript, placed: list[PlacedLine], duration_ms: int) -> list[PlacedLine]:
    """Move lines that would pass the end to the left, last first, pushing their predecessors on as needed."""
    result = list(placed)
    for index in range(len(result) - 1, -1, -1):
        if result[index].kept_original:
            continue
        after = zip(transcript.segments[index + 1 :], result[index + 1 :], strict=True)
        mine = transcript.segments[index]
        limit = min((p.span.start_ms for s, p in after if not _may_overlap(s, mine)), default=duration_ms)
        excess = min(result[index].span.end_ms - limit, result[index].span.start_ms)
        if excess > 0:
            result[index] = replace(result[index], span=result[index].span.shifted(-excess))
    return result


def _push_apart(transcript: Transcript, placed: list[PlacedLine]) -> list[PlacedLine]:
    """Move lines to the right until nothing overlaps: behind those before them, and behind originals, which stay."""
    result: list[PlacedLine] = []
    for segment, line in zip(transcript.segments, placed, strict=True):
        if line.kept_original:
            result.append(line)
            continue
        before = zip(transcript.segments, result, strict=False)
        start = max((p.span.end_ms for s, p in before if not _may_overlap(s, segment)), default=0)
        span = line.span.shifted(max(0, start - line.span.start_ms))
        for other, original in zip(transcript.segments, placed, strict=True):
            if original.kept_original and span & original.span and not _may_overlap(other, segment):
                span = span.shifted(original.span.end_ms - span.start_ms)
        result.append(replace(line, span=span))
    return result


def _flags(line: PlacedLine, segment: Segment, planned: PlannedLine, duration_ms: int) -> tuple[str, ...]:
    if line.kept_original:
        return ()
    lag = line.span.start_ms - segment.span.start_ms
    checks = {
        "late": lag > LATE_MS,
        "early": lag < 0,
        "past-end": line.span.end_ms > duration_ms,
        "over-rate": planned.speed * line.stretch > MAX_RATE + 1e-9,
    }
    return tuple(name for name, holds in checks.items() if holds)
