"""The gate behind placing: is every phrase on the time line once, uncut, in nobody else's way, at a bearable rate?

A line that keeps the original's sound cannot be moved, so a dubbed phrase that reaches into one is for review; two
dubbed phrases of a speaker over each other are critical.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dubline.domain.time import Span, intersection, total_ms
from dubline.domain.timeline import (
    EARLY_MS,
    LATE_MS,
    MAX_RATE,
    MAX_STRETCH,
    MIN_RATE,
    FittedTimeline,
    PlannedPhrase,
    SpeechPlan,
)
from dubline.domain.transcript import Transcript
from dubline.domain.unheard import unheard
from quality_suites.derive import overlaps_ms
from quality_suites.rules import LINES, WHOLE, Frames, Row, Suite, all_rows, bounded, holds, never, one_whole

_TOLERANCE = 1e-6
_NOTICED_MS = 125
"""Shorter differences in time are not detected (ITU-R BT.1359)."""


@dataclass(frozen=True, slots=True)
class _Placement:
    """A phrase, or a whole line that keeps the original's sound."""

    subject: str
    segment: str
    span: Span
    stretch: float | None
    """None where the original's sound is kept."""

    @property
    def dubbed(self) -> bool:
        return self.stretch is not None


def rows(transcript: Transcript, plan: SpeechPlan, timeline: FittedTimeline) -> Frames:
    """A row for each placed phrase and each line kept, then one for each planned phrase that has no place."""
    speakers = {segment.id: segment.speaker for segment in transcript.segments}
    planned = {phrase.id: phrase for phrase in plan.phrases}
    placements = list(_placements(timeline))
    unrecognized = unheard(transcript)
    lines: list[Row] = []
    seen: set[str] = set()
    overlaps = zip(_overlaps(speakers, placements), _new_overlaps(speakers, planned, placements), strict=True)
    for placement, (within, across) in zip(placements, overlaps, strict=True):
        row = _row(placement, speakers, planned.get(placement.subject), timeline.duration_ms)
        under = total_ms(intersection([placement.span], unrecognized)) if placement.dubbed else None
        lines.append(row | within | across | {"unheard_overlap_ms": under, "again": placement.subject in seen})
        seen.add(placement.subject)
    missing = [p.id for line in plan.lines if line.segment not in seen for p in line.phrases if p.id not in seen]
    lines += [_blank(phrase) | {"missing": True} for phrase in missing]
    return {WHOLE: [{"lines": len(placements) + len(missing), "optimal": timeline.optimal}], LINES: lines}


def _placements(timeline: FittedTimeline) -> Iterator[_Placement]:
    for line in timeline.lines:
        if line.kept_original:
            yield _Placement(line.segment, line.segment, line.span, None)
        for phrase in line.phrases:
            yield _Placement(phrase.id, line.segment, phrase.span, phrase.stretch)


def _blank(subject: str) -> Row:
    judged = ("missing", "unknown", "again", "overlap_ms", "original_overlap_ms", "new_overlap_ms", "more_overlap_ms")
    measured = ("unheard_overlap_ms", "past_end_ms", "stretch", "rate", "lag_ms")
    return {"subject": subject} | dict.fromkeys(judged + measured)


def _overlaps(speakers: Mapping[str, str], placements: list[_Placement]) -> list[Row]:
    """Overlap within a speaker, told apart by whether the original's sound is involved."""
    owners = [speakers.get(placement.segment, "") for placement in placements]
    every = overlaps_ms([(owner, placement.span) for owner, placement in zip(owners, placements, strict=True)])
    # A kept line gets an owner of its own, so that only dubbed phrases are compared with each other.
    parted = [
        (index if placement.stretch is None else owner, placement.span)
        for index, (owner, placement) in enumerate(zip(owners, placements, strict=True))
    ]
    dubbed = overlaps_ms(parted)
    return [
        {"overlap_ms": among_dubbed, "original_overlap_ms": overall if overall > among_dubbed else 0}
        for overall, among_dubbed in zip(every, dubbed, strict=True)
    ]


def _new_overlaps(
    speakers: Mapping[str, str], planned: Mapping[str, PlannedPhrase], placements: list[_Placement]
) -> list[dict[str, int]]:
    """For each placement, the longest time for which it is said over an earlier one of another speaker, beyond what
    their sources were: apart for those that were not said at once at all, and for those that were."""
    result = [{"new_overlap_ms": 0, "more_overlap_ms": 0} for _ in placements]
    heard: list[int] = []
    for index in sorted(range(len(placements)), key=lambda i: placements[i].span):
        one = placements[index]
        if not one.dubbed or one.subject not in planned:
            continue
        heard = [other for other in heard if placements[other].span.end_ms > one.span.start_ms]
        for other in map(placements.__getitem__, heard):
            if speakers.get(other.segment) == speakers.get(one.segment):
                continue
            source_ms = planned[one.subject].slot.overlap_ms(planned[other.subject].slot)
            column = "more_overlap_ms" if source_ms else "new_overlap_ms"
            excess_ms = one.span.overlap_ms(other.span) - source_ms
            result[index][column] = max(result[index][column], excess_ms)
        heard.append(index)
    return result


def _row(placement: _Placement, speakers: Mapping[str, str], planned: PlannedPhrase | None, duration_ms: int) -> Row:
    unknown = placement.segment not in speakers or (planned is None and placement.stretch is not None)
    row = _blank(placement.subject) | {"missing": False, "unknown": unknown}
    if planned is None or placement.stretch is None:
        return row
    return row | {
        "past_end_ms": placement.span.end_ms - duration_ms,
        "stretch": placement.stretch,
        "rate": placement.stretch * planned.speed,
        "lag_ms": placement.span.start_ms - planned.slot.start_ms,
    }


SUITE = Suite(
    name="timeline",
    version=4,
    rows=rows,
    remedy="Run again with --refresh place.",
    rules=(
        one_whole(),
        all_rows(LINES),
        holds(
            "solved",
            WHOLE,
            "optimal",
            "review",
            "the time line was not optimized: the solver ran out of time",
            "lines then stand one behind the other; run again on a quieter machine",
        ),
        never(
            "line-placed",
            LINES,
            "missing",
            "critical",
            "phrase {subject} has no place in the dub",
            "every phrase is placed once",
        ),
        never(
            "line-placed-once",
            LINES,
            "again",
            "critical",
            "phrase {subject} is placed more than once",
            "every phrase is placed once",
        ),
        never(
            "line-known",
            LINES,
            "unknown",
            "critical",
            "phrase {subject} is placed but was not planned",
            "only what was said is dubbed",
        ),
        bounded(
            "no-overlap",
            LINES,
            "overlap_ms",
            "critical",
            "phrase {subject} overlaps an earlier line of the same speaker by {overlap_ms} ms",
            "one person says one thing at a time",
            most=0,
        ),
        bounded(
            "no-new-overlap",
            LINES,
            "new_overlap_ms",
            "critical",
            "phrase {subject} is said over another speaker's for {new_overlap_ms} ms, which the source was not",
            "two people speak at once only where they did so in the source",
            most=0,
        ),
        bounded(
            "no-longer-overlap",
            LINES,
            "more_overlap_ms",
            "review",
            "phrase {subject} is said over another speaker's for {more_overlap_ms} ms more than the source was",
            "listen whether both can be followed",
            most=_NOTICED_MS,
        ),
        bounded(
            "original-overlap",
            LINES,
            "original_overlap_ms",
            "review",
            "phrase {subject} overlaps {original_overlap_ms} ms of a line that keeps the original's sound",
            "such a line cannot be moved",
            most=0,
        ),
        bounded(
            "unrecognized-overlap",
            LINES,
            "unheard_overlap_ms",
            "review",
            "phrase {subject} is said over {unheard_overlap_ms} ms of speech that was not recognized and is heard",
            "ITU-R BT.1359, as above; listen whether both can be followed, or give the words to a line",
            most=_NOTICED_MS,
        ),
        bounded(
            "inside-video",
            LINES,
            "past_end_ms",
            "critical",
            "phrase {subject} ends {past_end_ms} ms after the video",
            "what does not fit keeps the original's sound",
            most=0,
        ),
        bounded(
            "stretch",
            LINES,
            "stretch",
            "critical",
            "phrase {subject} is stretched by {stretch:.3f}",
            "dubline.domain.timeline.MAX_STRETCH",
            most=MAX_STRETCH + _TOLERANCE,
        ),
        bounded(
            "rate",
            LINES,
            "rate",
            "review",
            "phrase {subject} is spoken at {rate:.2f} times the voice's natural rate",
            "dubline.domain.timeline.MIN_RATE and MAX_RATE: MOS 3.45 at 1.25 (QoMEX 2019)",
            least=MIN_RATE - _TOLERANCE,
            most=MAX_RATE + _TOLERANCE,
        ),
        bounded(
            "onset",
            LINES,
            "lag_ms",
            "review",
            "phrase {subject} starts {lag_ms} ms from its source's onset",
            "ITU-R BT.1359: lead is detectable from 45 ms, lag from 125 ms",
            least=-EARLY_MS,
            most=LATE_MS,
        ),
    ),
)
