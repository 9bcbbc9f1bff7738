"""A person's edits of single lines, applied to what the machines made of them; every other line stays as it is.

Nothing here depends on what was edited before: the mended value is made of the first one and of all edits that hold.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Protocol

from dubline.domain.errors import InvalidRequest
from dubline.domain.phrasing import phrased, slots
from dubline.domain.planning import plan
from dubline.domain.time import Span
from dubline.domain.timeline import PlannedLine, SpeechPlan
from dubline.domain.transcript import Line, Segment, Transcript, Translation, Word


@dataclass(frozen=True, slots=True)
class Mend:
    """All that was edited in one line, in the source or in one target language; None where nothing was."""

    segment: str
    source_text: str | None = None
    span: Span | None = None
    """When the line is spoken in the source."""
    text: str | None = None
    """The translation as it is to be spoken."""
    voice: str | None = None
    keep_original: bool = False
    """The original's sound stays in the line's place."""


@dataclass(frozen=True, slots=True)
class Mends:
    """A line stands in it once."""

    lines: tuple[Mend, ...] = ()

    def of(self, segment: str) -> Mend:
        return next((mend for mend in self.lines if mend.segment == segment), Mend(segment))


def mended_source(transcript: Transcript, mends: Mends, duration_ms: int) -> Transcript:
    """The transcript with edited texts and times; `duration_ms` is the video's.

    Words move with their segment; those of another text are spread over the phrases that were spoken. Raises
    InvalidRequest for a line that there is not, and for a time outside the video, out of the lines' order, or in which
    the same speaker says another line.
    """
    _require_known(transcript, mends)
    segments = tuple(_mended_segment(segment, mends, transcript.language) for segment in transcript.segments)
    require_times(segments, {mend.segment for mend in mends.lines if mend.span is not None}, duration_ms)
    return replace(transcript, segments=segments)


class Timed(Protocol):
    """A line with its time in the source."""

    @property
    def id(self) -> str: ...
    @property
    def speaker(self) -> str: ...
    @property
    def span(self) -> Span: ...


def require_times(lines: Sequence[Timed], moved: Collection[str], duration_ms: int) -> None:
    """Raises InvalidRequest for a line of those `moved` that stands outside the video, out of the lines' order, or
    where the same speaker says another line."""
    _require_in_order(lines, moved)
    for line in lines:
        if line.id in moved:
            _require_room(line, lines, duration_ms)


def rewritten(first: Transcript, mended: Transcript, mends: Mends) -> tuple[Segment, ...]:
    """The segments of `mended` whose text is not that of `first`, where no translation was given in the `mends`."""
    return tuple(
        after
        for before, after in zip(first.segments, mended.segments, strict=True)
        if after.text != before.text and mends.of(after.id).text is None
    )


def mended_translation(first: Translation, again: Translation | None, mends: Mends) -> Translation:
    """The translation with the lines that were translated `again`, and with those that a person worded."""
    anew = {line.segment: line for line in again.lines} if again else {}
    given = {mend.segment: Line(mend.segment, mend.text) for mend in mends.lines if mend.text is not None}
    known = first.glossary.terms
    more = tuple(term for term in again.glossary.terms if term not in known) if again else ()
    return replace(
        first,
        lines=tuple(given.get(line.segment) or anew.get(line.segment) or line for line in first.lines),
        glossary=replace(first.glossary, terms=known + more),
    )


@dataclass(frozen=True, slots=True)
class Told:
    """A transcript and its translation."""

    script: Transcript
    translation: Translation


def mended_plan(
    first_plan: SpeechPlan,
    first: Told,
    mended: Told,
    mends: Mends,
    predict_ms: Callable[[str, str], float],
    rates: tuple[float, float],
    duration_ms: int,
) -> SpeechPlan:
    """The plan with edited lines planned anew, each by itself in its own place; all others as they are.

    `predict_ms` and `rates` are those of `planning.plan`. A line whose wording was not edited keeps it.
    """
    lines = []
    for number, planned in enumerate(first_plan.lines):
        before, after = first.script.segments[number], mended.script.segments[number]
        told, worded = first.translation.lines[number], mended.translation.lines[number]
        mend = mends.of(planned.segment)
        wording = replace(worded, text=planned.text, alternatives=()) if worded == told else worded
        voice = mend.voice or planned.voice
        if mend.keep_original:
            planned = PlannedLine(planned.segment, wording.text, voice, ())
        elif (before, told, planned.voice) != (after, worded, voice):
            alone = replace(mended.script, segments=(after,)), replace(mended.translation, lines=(wording,))
            (planned,) = plan(*alone, {after.speaker: voice}, predict_ms, rates, duration_ms).lines
        lines.append(planned)
    return replace(first_plan, lines=tuple(lines))


def _require_known(transcript: Transcript, mends: Mends) -> None:
    known = [segment.id for segment in transcript.segments]
    for mend in mends.lines:
        if mend.segment not in known:
            raise InvalidRequest(
                f"There is no line '{mend.segment}' to edit; the lines of the video are {known[0]} to {known[-1]}, as "
                "its manifest.json names them."
            )


def _require_in_order(segments: Sequence[Timed], moved: Collection[str]) -> None:
    for before, after in pairwise(segments):
        if after.span.start_ms < before.span.start_ms and (before.id in moved or after.id in moved):
            one, other, side = (after, before, "before") if after.id in moved else (before, after, "after")
            raise InvalidRequest(
                f"The line '{one.id}' cannot start at {one.span.start_ms} ms, {side} the line '{other.id}' with its "
                f"start at {other.span.start_ms} ms; lines keep their order."
            )


def _require_room(segment: Timed, segments: Iterable[Timed], duration_ms: int) -> None:
    span = segment.span
    if span.end_ms > duration_ms:
        raise InvalidRequest(
            f"The line '{segment.id}' cannot end at {span.end_ms} ms; the video ends at {duration_ms} ms."
        )
    for other in segments:
        if other.speaker == segment.speaker and other.id != segment.id and span & other.span:
            raise InvalidRequest(
                f"The line '{segment.id}' cannot stand at {span.start_ms} to {span.end_ms} ms: '{segment.speaker}' "
                f"says the line '{other.id}' there, at {other.span.start_ms} to {other.span.end_ms} ms."
            )


def _mended_segment(segment: Segment, mends: Mends, language: str) -> Segment:
    mend = mends.of(segment.id)
    if mend.span is not None:
        words = tuple(replace(w, span=_rescaled(w.span, segment.span, mend.span)) for w in segment.words)
        segment = replace(segment, span=mend.span, words=words)
    if mend.source_text is not None and mend.source_text != segment.text:
        words = _spread(mend.source_text, slots(segment), language)
        segment = replace(segment, text=mend.source_text, words=words, confidence=1.0)
    return segment


def _rescaled(span: Span, old: Span, new: Span) -> Span:
    """Where a part of `old` stands in `new`."""

    def at(instant_ms: int) -> int:
        return new.start_ms + round((instant_ms - old.start_ms) * new.len_ms / max(old.len_ms, 1))

    return Span(at(span.start_ms), at(span.end_ms))


def _spread(text: str, spans: Sequence[Span], language: str) -> tuple[Word, ...]:
    """The words of a text over the phrases that the source still has: what is heard in a video stays heard there.

    A phrase that gets no word becomes a part of the word before it, or of the first one.
    """
    pieces = phrased(text, spans, language, sum(span.len_ms for span in spans))
    words: list[Word] = []
    silent: Span | None = None
    for piece, span in zip(pieces, spans, strict=True):
        if piece:
            words += _timed(piece, span if silent is None else silent | span)
            silent = None
        elif words:
            words[-1] = replace(words[-1], span=words[-1].span | span)
        else:
            silent = span if silent is None else silent | span
    return tuple(words)


def _timed(piece: str, span: Span) -> list[Word]:
    """Time is shared out by characters. Where words are not parted by spaces, the piece counts as one."""
    texts = piece.split()
    ends = [0, *accumulate(map(len, texts))]
    return [
        Word(text, _rescaled(Span(start, end), Span(0, ends[-1]), span), 1.0)
        for text, (start, end) in zip(texts, pairwise(ends), strict=True)
    ]
