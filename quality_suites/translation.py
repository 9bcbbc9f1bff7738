"""The gate behind translation: one line for each segment, and each looks like a translation of it.

An empty line is for review, not critical: a line that cannot be spoken keeps the original's sound and is flagged, and
one such line must not end the run. Lines lost, added or moved would put words into the wrong mouth: those are critical.
"""

from __future__ import annotations

import re

from dubline.domain.glossary import Glossary
from dubline.domain.transcript import Line, Segment, Transcript, Translation
from quality_suites.derive import plain_words, spoken_length
from quality_suites.rules import LINES, WHOLE, Frames, Row, Suite, all_rows, bounded, never, one_whole

COPY_WORDS = 4
"""Shorter lines may well be equal in both languages: names, "OK", "No, no, no"."""
RATIO_LENGTH = 10
"""Below this length one word more or less decides the ratio."""

_MARKED = re.compile(r"(?<!\w)[*@#]\w[\w'-]*")
"""Apertium's marks of a word that is unknown (*), could not be transferred (@) or not be inflected (#)."""


def rows(transcript: Transcript, translation: Translation) -> Frames:
    """A row for each segment, in order, then one for each line that no segment asked for."""
    first: dict[str, Line] = {}
    known = {segment.id for segment in transcript.segments}
    added: list[Line] = []
    for line in translation.lines:
        if line.segment in known and line.segment not in first:
            first[line.segment] = line
        else:
            added.append(line)
    wanted = [segment.id for segment in transcript.segments if segment.id in first]
    moved = {want for want, got in zip(wanted, first, strict=False) if want != got}
    same = translation.source == translation.target
    lines = [
        _row(segment, first.get(segment.id), segment.id in moved, same, translation.glossary)
        for segment in transcript.segments
    ]
    lines += [{**_blank(line.segment), "added": True} for line in added]
    return {WHOLE: [{"lines": len(transcript.segments) + len(added)}], LINES: lines}


def _blank(subject: str) -> Row:
    faults = ("lost", "added", "moved", "empty", "copied", "ratio")
    words = ("unknown", "unknown_words", "glossary", "missed_terms")
    return {"subject": subject} | dict.fromkeys(faults + words)


def _row(segment: Segment, line: Line | None, moved: bool, same_language: bool, glossary: Glossary) -> Row:
    row = _blank(segment.id) | {"lost": line is None}
    if line is None:
        return row
    words, translated, unknown = plain_words(segment.text), plain_words(line.text), _unknown(segment, line)
    length = spoken_length(segment.text)
    missed = glossary.missed(segment.text, line.text)
    return row | {
        "moved": moved,
        "empty": bool(words) and not translated,
        "copied": not same_language and len(words) >= COPY_WORDS and words == translated,
        "ratio": spoken_length(line.text) / length if length >= RATIO_LENGTH and translated else None,
        "unknown": len(unknown),
        "unknown_words": ", ".join(unknown),
        "glossary": len(missed),
        "missed_terms": ", ".join(missed),
    }


def _unknown(segment: Segment, line: Line) -> tuple[str, ...]:
    """Words the engine named, and marks left in the text that the source does not have itself."""
    marked = [mark for mark in _MARKED.findall(line.text) if mark not in segment.text]
    return tuple(dict.fromkeys([*line.unknown, *(mark[1:] for mark in marked)]))


SUITE = Suite(
    name="translation",
    version=2,
    rows=rows,
    remedy="Run again with --refresh translate, or with another profile.",
    rules=(
        one_whole(),
        all_rows(LINES),
        never(
            "line-lost",
            LINES,
            "lost",
            "critical",
            "segment {subject} has no translation",
            "one line for each segment",
        ),
        never(
            "line-added",
            LINES,
            "added",
            "critical",
            "segment {subject} has a line that it did not ask for",
            "one line for each segment",
        ),
        never(
            "line-order",
            LINES,
            "moved",
            "critical",
            "segment {subject} has its line in another segment's place",
            "lines stand in the order of their segments",
        ),
        never(
            "empty",
            LINES,
            "empty",
            "review",
            "segment {subject} was translated into nothing",
            "words that are spoken must not vanish",
        ),
        never(
            "copy-of-source",
            LINES,
            "copied",
            "review",
            "segment {subject} was not translated but copied",
            "four words or more are not equal in two languages by chance",
        ),
        bounded(
            "length-ratio",
            LINES,
            "ratio",
            "review",
            "segment {subject} became {ratio:.2f} times as long",
            "between the languages that Dubline speaks, translations stay within half and double",
            least=0.5,
            most=2.0,
        ),
        bounded(
            "unknown-words",
            LINES,
            "unknown",
            "review",
            "segment {subject} has words that were not translated: {unknown_words}",
            "the engine's own marks",
            most=0,
        ),
        bounded(
            "glossary",
            LINES,
            "glossary",
            "review",
            "segment {subject} has not the glossary's wording: {missed_terms}",
            "the glossary of the request",
            most=0,
        ),
    ),
)
