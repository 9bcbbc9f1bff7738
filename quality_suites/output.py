"""The gate before publishing: is the finished video whole, and are its subtitles readable?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TypedDict

from dubline.domain.time import Span
from quality_suites.derive import overlaps_ms, per_second
from quality_suites.rules import CUES, WHOLE, Cell, Frames, Row, Suite, all_rows, bounded, holds, one_whole


class OutputFacts(TypedDict):
    """What probing the finished video and the source told. None: does not apply or cannot be measured (never NaN)."""

    duration_ms: int
    source_duration_ms: int
    frame_rate: float | None
    """Of the source's picture."""
    has_picture: bool
    audio_languages: list[str | None]
    """ISO 639-2 language tag of each audio stream, in the order of the streams."""
    default_audio: int | None
    """Place in `audio_languages` of the stream marked as default."""
    dub_language: str | None
    """ISO 639-2 tag the dubbed track must have; None where there is no dub (no sound, nobody speaks)."""
    source_audio_tracks: int
    """Audio streams of the source, all of which the output keeps."""
    changed_tracks: int
    """How many of these have another codec in the output, and other samples once decoded."""
    subtitle_languages: list[str | None]
    """Tag of each subtitle stream."""
    wanted_subtitles: list[str]
    """Tags that must be among them: of the source's and of the target's language."""
    loudness_lufs: float | None
    """Integrated loudness of the dubbed track (EBU R128), -70 for silence; None where there is no dub."""
    wanted_loudness_lufs: float | None
    """What was asked for, or else the source's own; None where that is silent."""
    true_peak_dbtp: float | None
    """None for silence."""
    cues: int
    """How many cues were laid out, all languages together."""


class CueFacts(TypedDict):
    """A cue as it stands in a written subtitle file."""

    language: str
    start_ms: int
    end_ms: int
    text: str


def rows(facts: OutputFacts, cues: Sequence[CueFacts]) -> Frames:
    """`cues` of one language stand together, in the order of their file."""
    return {WHOLE: [_streams(facts) | _sound(facts)], CUES: _cues(cues, facts["duration_ms"])}


def _streams(facts: OutputFacts) -> Row:
    dub, audio = facts["dub_language"], facts["audio_languages"]
    expected = facts["source_audio_tracks"] + (dub is not None)
    missing = [tag for tag in facts["wanted_subtitles"] if tag not in facts["subtitle_languages"]]
    return {
        "cues": facts["cues"],
        "has_picture": facts["has_picture"],
        "audio_tracks": len(audio),
        "dub_tag": (audio[0] if audio else None) or "und",
        "dub_language": None if dub is None else audio[:1] == [dub],
        "dub_default": None if dub is None else facts["default_audio"] == 0,
        "lost_tracks": expected - len(audio),
        "changed_tracks": facts["changed_tracks"],
        "missing_subtitles": len(missing),
        "missing_tags": ", ".join(missing),
        "duration_ms": facts["duration_ms"],
        "source_duration_ms": facts["source_duration_ms"],
        "frames_off": _frames_off(facts),
    }


def _frames_off(facts: OutputFacts) -> float:
    """Difference in length, in frames; containers round to a millisecond, which is forgiven."""
    difference = abs(facts["duration_ms"] - facts["source_duration_ms"])
    return round(max(0, difference - 1) * (facts["frame_rate"] or 25.0) / 1000, 3)


def _sound(facts: OutputFacts) -> dict[str, Cell]:
    own, wanted = facts["loudness_lufs"], facts["wanted_loudness_lufs"]
    return {
        "louder_lu": None if own is None or wanted is None else own - wanted,
        "true_peak_dbtp": facts["true_peak_dbtp"],
    }


def _cues(cues: Sequence[CueFacts], duration_ms: int) -> list[Row]:
    return [
        row
        for _, group in groupby(cues, key=lambda cue: cue["language"])
        for row in _one_language([*group], duration_ms)
    ]


def _one_language(cues: Sequence[CueFacts], duration_ms: int) -> list[Row]:
    # A cue that ends before it starts is told by its length; as a span it counts as empty.
    spans = [Span(cue["start_ms"], max(cue["start_ms"], cue["end_ms"])) for cue in cues]
    befores = [None, *(span.start_ms for span in spans)]
    return [
        _cue(number, cue, overlap, before, duration_ms)
        for number, (cue, overlap, before) in enumerate(zip(cues, _overlaps(spans), befores, strict=False), start=1)
    ]


def _overlaps(spans: Sequence[Span]) -> list[int]:
    return overlaps_ms([("", span) for span in spans])


def _cue(number: int, cue: CueFacts, overlap_ms: int, before_ms: int | None, duration_ms: int) -> Row:
    length_ms = cue["end_ms"] - cue["start_ms"]
    return {
        "subject": f"{cue['language']}-{number}",
        "step_ms": None if before_ms is None else cue["start_ms"] - before_ms,
        "overlap_ms": overlap_ms,
        "outside_ms": max(-cue["start_ms"], cue["end_ms"] - duration_ms, 0),
        "length_ms": length_ms,
        "characters_a_second": per_second(len(cue["text"].replace("\n", " ").strip()), length_ms),
    }


SUITE = Suite(
    name="output",
    version=4,
    rows=rows,
    remedy="Run again with --refresh mux, and report the input if that does not help.",
    rules=(
        one_whole(),
        all_rows(CUES),
        holds("picture", WHOLE, "has_picture", "critical", "the output has no picture", "the picture is copied"),
        holds(
            "dub-language",
            WHOLE,
            "dub_language",
            "critical",
            "the first audio track is tagged '{dub_tag}', not with the dub's language",
            "players choose tracks by order and by language tag",
        ),
        holds(
            "dub-default",
            WHOLE,
            "dub_default",
            "critical",
            "the first audio track is not the default one",
            "players start with the default track",
        ),
        bounded(
            "original-kept",
            WHOLE,
            "lost_tracks",
            "critical",
            "of the original's audio tracks {lost_tracks} are not in the output, which has {audio_tracks} in all",
            "a viewer can always go back to the original",
            most=0,
        ),
        bounded(
            "original-samples",
            WHOLE,
            "changed_tracks",
            "critical",
            "of the original's audio tracks {changed_tracks} were written anew and sound otherwise than in the source",
            "where a container cannot hold a track as it is, it is carried on without loss",
            most=0,
        ),
        bounded(
            "subtitles",
            WHOLE,
            "missing_subtitles",
            "critical",
            "the output has no subtitles in {missing_tags}",
            "subtitles of both languages are promised",
            most=0,
        ),
        bounded(
            "duration",
            WHOLE,
            "frames_off",
            "critical",
            "the output lasts {duration_ms} ms, the source {source_duration_ms} ms",
            "one frame is the least that containers tell apart; more is a lost tail",
            most=1,
        ),
        bounded(
            "loudness",
            WHOLE,
            "louder_lu",
            "review",
            "the dubbed track is {louder_lu:+.1f} LU against the loudness that was wanted",
            "EBU R128 (2014): a deviation of 0.5 LU is permitted",
            least=-0.5,
            most=0.5,
        ),
        bounded(
            "true-peak",
            WHOLE,
            "true_peak_dbtp",
            "review",
            "the dubbed track peaks at {true_peak_dbtp:.1f} dBTP",
            "EBU R128 section k: at most -1 dBTP",
            most=-1,
        ),
        bounded(
            "cue-order",
            CUES,
            "step_ms",
            "critical",
            "cue {subject} starts at a step of {step_ms} ms from the one before it",
            "players show cues in the order of the file",
            least=0,
        ),
        bounded(
            "cue-overlap",
            CUES,
            "overlap_ms",
            "critical",
            "cue {subject} overlaps an earlier one by {overlap_ms} ms",
            "players draw overlapping cues over each other",
            most=0,
        ),
        bounded(
            "cue-inside-video",
            CUES,
            "outside_ms",
            "critical",
            "cue {subject} lies {outside_ms} ms outside the video",
            "such a cue cannot be read",
            most=0,
        ),
        bounded(
            "cue-duration",
            CUES,
            "length_ms",
            "critical",
            "cue {subject} lasts {length_ms} ms",
            "a cue is shown for some time",
            above=0,
        ),
        bounded(
            "cue-reading-speed",
            CUES,
            "characters_a_second",
            "review",
            "cue {subject} has {characters_a_second:.1f} characters a second",
            "Netflix timed-text style guides: at most 20 for adult programmes",
            most=20,
        ),
    ),
)
