"""The gate behind synthesis: was every phrase spoken, and does its clip sound like its text?"""

from __future__ import annotations

from collections.abc import Mapping

from dubline.domain.timeline import PlannedPhrase, SpeechPlan
from dubline.media.clip_levels import Levels
from quality_suites.derive import per_second, spoken_length
from quality_suites.rules import LINES, WHOLE, Frames, Row, Suite, all_rows, bounded, holds, never, one_whole

SHORT_TEXT = 8
"""A shorter text counts as this long where slowness is judged: a single "No." may be drawn out."""


def rows(plan: SpeechPlan, clips: Mapping[str, Levels]) -> Frames:
    """`clips` has the measured levels of every clip by phrase; a phrase without one was not spoken."""
    planned = {phrase.id for phrase in plan.phrases}
    unplanned = [phrase for phrase in clips if phrase not in planned]
    lines = [_row(phrase, clips.get(phrase.id)) for phrase in plan.phrases]
    lines += [{**_blank(phrase), "unplanned": True} for phrase in unplanned]
    return {WHOLE: [{"lines": len(plan.phrases) + len(unplanned)}], LINES: lines}


def _blank(subject: str) -> Row:
    names = ("unplanned", "spoken", "duration_ms", "fast_rate", "slow_rate", "rms_dbfs", "clipped_percent")
    return {"subject": subject} | dict.fromkeys(names)


def _row(phrase: PlannedPhrase, levels: Levels | None) -> Row:
    row = _blank(phrase.id) | {"unplanned": False, "spoken": levels is not None}
    if levels is None:
        return row
    length = spoken_length(phrase.text)
    return row | {
        "duration_ms": levels.duration_ms,
        "fast_rate": per_second(length, levels.duration_ms),
        "slow_rate": per_second(max(length, SHORT_TEXT), levels.duration_ms),
        "rms_dbfs": levels.rms_dbfs if levels.duration_ms else None,
        "clipped_percent": levels.clipped_share * 100,
    }


SUITE = Suite(
    name="speech",
    version=2,
    rows=rows,
    remedy="Run again with --refresh synthesize, or with another profile.",
    rules=(
        one_whole(),
        all_rows(LINES),
        never(
            "clip-planned",
            LINES,
            "unplanned",
            "critical",
            "phrase {subject} has a clip that nobody planned",
            "a clip without a line has no text and no place",
        ),
        bounded(
            "clip-duration",
            LINES,
            "duration_ms",
            "critical",
            "phrase {subject} has a clip of {duration_ms} ms",
            "a clip that exists holds sound; without any the line would vanish",
            above=0,
        ),
        holds(
            "clip-missing",
            LINES,
            "spoken",
            "review",
            "phrase {subject} was not spoken: its line keeps the original's sound",
            "one line that cannot be spoken must not end the run",
        ),
        bounded(
            "too-fast",
            LINES,
            "fast_rate",
            "review",
            "phrase {subject} is spoken at {fast_rate:.1f} characters a second",
            "20 is fast speech; beyond 30 words were swallowed",
            most=30,
        ),
        bounded(
            "too-slow",
            LINES,
            "slow_rate",
            "review",
            "phrase {subject} is spoken at {slow_rate:.1f} characters a second",
            "10 is slow speech; below 6 the engine went on without text",
            least=6,
        ),
        bounded(
            "silent",
            LINES,
            "rms_dbfs",
            "review",
            "phrase {subject} has a clip of only {rms_dbfs:.0f} dBFS",
            "speech is recorded near -20 dBFS; -50 is the noise of a quiet room",
            least=-50,
        ),
        bounded(
            "clipped",
            LINES,
            "clipped_percent",
            "review",
            "phrase {subject} has {clipped_percent:.2f}% of its samples clipped",
            "a few clipped samples are inaudible; one in a thousand crackles",
            most=0.1,
        ),
    ),
)
