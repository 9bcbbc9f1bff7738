"""The gate behind attribution: do the segments form a possible time line of speech?"""

from __future__ import annotations

from itertools import pairwise

from dubline.domain.time import Span
from dubline.domain.transcript import Segment, Transcript
from quality_suites.derive import overlaps_ms
from quality_suites.rules import LINES, UNIQUE, WHOLE, Frames, Row, Rule, Suite, all_rows, bounded, one_whole


def rows(transcript: Transcript, duration_ms: int) -> Frames:
    """`duration_ms` is the media's: the longer one of picture and sound."""
    segments = transcript.segments
    steps = [None, *(b.span.start_ms - a.span.start_ms for a, b in pairwise(segments))]
    overlaps = overlaps_ms([(segment.speaker, segment.span) for segment in segments])
    lines = [
        _row(segment, duration_ms, step, overlap)
        for segment, step, overlap in zip(segments, steps, overlaps, strict=False)
    ]
    return {WHOLE: [{"lines": len(segments)}], LINES: lines}


def _row(segment: Segment, duration_ms: int, step_ms: int | None, overlap_ms: int) -> Row:
    span = segment.span
    return {
        "subject": segment.id,
        "id": segment.id,
        "speaker": segment.speaker,
        "outside_ms": _outside_ms(span, duration_ms),
        "step_ms": step_ms,
        "overlap_ms": overlap_ms,
        "duration_ms": span.len_ms,
        "length_ms": span.len_ms or None,
    }


def _outside_ms(span: Span, duration_ms: int) -> int:
    return max(-span.start_ms, span.end_ms - duration_ms, 0)


SUITE = Suite(
    name="segments",
    version=1,
    rows=rows,
    remedy="Run again with --refresh transcribe, or with another profile.",
    rules=(
        one_whole(),
        all_rows(LINES),
        bounded(
            "inside-media",
            LINES,
            "outside_ms",
            "critical",
            "segment {subject} lies {outside_ms} ms outside the media",
            "nobody speaks before the start or after the end",
            most=0,
        ),
        bounded(
            "ordered",
            LINES,
            "step_ms",
            "critical",
            "segment {subject} starts at a step of {step_ms} ms from the one before it",
            "later stages rely on segments in order of their start",
            least=0,
        ),
        bounded(
            "no-overlap",
            LINES,
            "overlap_ms",
            "critical",
            "segment {subject} overlaps an earlier one of {speaker} by {overlap_ms} ms",
            "one person says one thing at a time",
            most=0,
        ),
        bounded(
            "duration-positive",
            LINES,
            "duration_ms",
            "critical",
            "segment {subject} lasts {duration_ms} ms",
            "speech takes time",
            above=0,
        ),
        bounded(
            "duration-typical",
            LINES,
            "length_ms",
            "review",
            "segment {subject} lasts {length_ms} ms",
            "50 ms is a short vowel; 30 s is the window of Whisper, and more than any sentence",
            least=50,
            most=30_000,
        ),
        Rule(
            "ids-unique",
            LINES,
            "id",
            UNIQUE,
            {},
            "critical",
            "segment id {subject} is used more than once",
            "lines, clips and places refer to segments by id",
        ),
    ),
)
