"""Where the original's sound goes out in a dub, and where it stays.

It goes out only where something takes its place: where dubbed phrases sound, and what is said in the lines that they
render. Nothing else that was clearly said may go out with them, however close it stands or whatever is said over it.
"""

from __future__ import annotations

from collections.abc import Iterator

from dubline.domain.phrasing import slots
from dubline.domain.time import Span
from dubline.domain.timeline import FittedTimeline
from dubline.domain.transcript import Transcript
from dubline.domain.unheard import talked_over, unheard

MARGIN_MS = 150
"""How long around speech the original is out: words begin and end softly."""


def with_margin(span: Span) -> Span:
    return Span(max(0, span.start_ms - MARGIN_MS), span.end_ms + MARGIN_MS)


def replaced(transcript: Transcript, fitted: FittedTimeline) -> tuple[Span, ...]:
    """What the source says in dubbed lines, with margins: it is not to be heard beside its translation."""
    return tuple(with_margin(slot) for slot in _said(transcript, fitted, dubbed=True))


def stays(transcript: Transcript, fitted: FittedTimeline) -> tuple[Span, ...]:
    """Lines that keep the original's sound, and clear speech that is in no line: nothing takes their place.

    That includes what is said while somebody else talks whose words are in lines: then both are heard, since a word
    too many does less harm than a sentence that nobody hears.
    """
    talked = (turn.span for turn in talked_over(transcript))
    return (*_said(transcript, fitted, dubbed=False), *unheard(transcript), *talked)


def _said(transcript: Transcript, fitted: FittedTimeline, *, dubbed: bool) -> Iterator[Span]:
    """When the source says the phrases of lines that are dubbed, or of those that are not."""
    for segment, line in zip(transcript.segments, fitted.lines, strict=True):
        if line.kept_original != dubbed:
            yield from slots(segment)
