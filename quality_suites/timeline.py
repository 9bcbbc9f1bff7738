"""The gate behind placing: is every line on the time line once, uncut, in nobody else's way, at a bearable rate?

A line that keeps the original's sound cannot be moved, so a dubbed line that reaches into one is for review; two dubbed
lines of a speaker over each other are critical.
"""

from __future__ import annotations

from collections.abc import Mapping

from dubline.domain.fitting import LATE_MS, MAX_RATE, MAX_STRETCH, MIN_RATE, FittedTimeline, PlacedLine, SpeechPlan
from dubline.domain.transcript import Segment, Transcript
from quality_suites.derive import overlaps_ms
from quality_suites.rules import LINES, WHOLE, Frames, Row, Suite, all_rows, bounded, never, one_whole

EARLY_MS = 40
"""An onset earlier than this shows: sound is detected as leading from 45 ms (ITU-R BT.1359)."""
_TOLERANCE = 1e-6


def rows(transcript: Transcript, plan: SpeechPlan, timeline: FittedTimeline) -> Frames:
    """A row for each placed line, then one for each segment that has no place."""
    segments = {segment.id: segment for segment in transcript.segments}
    speeds = {line.segment: line.speed for line in plan.lines}
    overlaps = _overlaps(segments, timeline.lines)
    lines: list[Row] = []
    seen: set[str] = set()
    for line, overlap in zip(timeline.lines, overlaps, strict=True):
        row = _row(line, segments.get(line.segment), speeds.get(line.segment), timeline.duration_ms)
        lines.append(row | overlap | {"again": line.segment in seen})
        seen.add(line.segment)
    missing = [segment_id for segment_id in segments if segment_id not in seen]
    lines += [_blank(segment_id) | {"missing": True} for segment_id in missing]
    return {WHOLE: [{"lines": len(timeline.lines) + len(missing)}], LINES: lines}


def _blank(subject: str) -> Row:
    judged = ("missing", "unknown", "again", "overlap_ms", "original_overlap_ms")
    measured = ("past_end_ms", "stretch", "rate", "lag_ms")
    return {"subject": subject} | dict.fromkeys(judged + measured)


def _overlaps(segments: Mapping[str, Segment], lines: tuple[PlacedLine, ...]) -> list[Row]:
    """Overlap within a speaker, told apart by whether the original's sound is involved."""
    owners = [segments[line.segment].speaker if line.segment in segments else "" for line in lines]
    every = overlaps_ms([(owner, line.span) for owner, line in zip(owners, lines, strict=True)])
    # A kept line gets an owner of its own, so that only dubbed lines are compared with each other.
    parted = [
        (index if line.kept_original else owner, line.span)
        for index, (owner, line) in enumerate(zip(owners, lines, strict=True))
    ]
    dubbed = overlaps_ms(parted)
    return [
        {"overlap_ms": among_dubbed, "original_overlap_ms": overall if overall > among_dubbed else 0}
        for overall, among_dubbed in zip(every, dubbed, strict=True)
    ]


def _row(line: PlacedLine, segment: Segment | None, speed: float | None, duration_ms: int) -> Row:
    row = _blank(line.segment) | {"missing": False, "unknown": segment is None}
    if segment is None or line.kept_original:
        return row
    return row | {
        "past_end_ms": line.span.end_ms - duration_ms,
        "stretch": line.stretch,
        "rate": line.stretch * speed if speed is not None else None,
        "lag_ms": line.span.start_ms - segment.span.start_ms,
    }


SUITE = Suite(
    name="timeline",
    version=1,
    rows=rows,
    remedy="Run again with --refresh place.",
    rules=(
        one_whole(),
        all_rows(LINES),
        never(
            "line-placed",
            LINES,
            "missing",
            "critical",
            "segment {subject} has no place in the dub",
            "every line is placed once",
        ),
        never(
            "line-placed-once",
            LINES,
            "again",
            "critical",
            "segment {subject} is placed more than once",
            "every line is placed once",
        ),
        never(
            "line-known",
            LINES,
            "unknown",
            "critical",
            "segment {subject} is placed but not in the transcript",
            "only what was said is dubbed",
        ),
        bounded(
            "no-overlap",
            LINES,
            "overlap_ms",
            "critical",
            "segment {subject} overlaps an earlier line of the same speaker by {overlap_ms} ms",
            "one person says one thing at a time",
            most=0,
        ),
        bounded(
            "original-overlap",
            LINES,
            "original_overlap_ms",
            "review",
            "segment {subject} overlaps {original_overlap_ms} ms of a line that keeps the original's sound",
            "such a line cannot be moved",
            most=0,
        ),
        bounded(
            "inside-video",
            LINES,
            "past_end_ms",
            "review",
            "segment {subject} ends {past_end_ms} ms after the video",
            "where the video is too short for all lines, order wins over the end",
            most=0,
        ),
        bounded(
            "stretch",
            LINES,
            "stretch",
            "critical",
            "segment {subject} is stretched by {stretch:.3f}",
            "dubline.domain.fitting.MAX_STRETCH",
            most=MAX_STRETCH + _TOLERANCE,
        ),
        bounded(
            "rate",
            LINES,
            "rate",
            "review",
            "segment {subject} is spoken at {rate:.2f} times the voice's natural rate",
            "dubline.domain.fitting.MIN_RATE and MAX_RATE: MOS 3.45 at 1.25 (QoMEX 2019)",
            least=MIN_RATE - _TOLERANCE,
            most=MAX_RATE + _TOLERANCE,
        ),
        bounded(
            "onset",
            LINES,
            "lag_ms",
            "review",
            "segment {subject} starts {lag_ms} ms from its source's onset",
            "ITU-R BT.1359: lead is detectable from 45 ms, lag from 125 ms",
            least=-EARLY_MS,
            most=LATE_MS,
        ),
    ),
)
