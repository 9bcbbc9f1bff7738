"""Clear speech that is in no line: no recognizer may make it vanish, so it is told, and its sound stays.

A stretch of it is what a detector calls speech and no word covers. Where two people talk at once and only one of them
was written down, the other one's part is covered by words of somebody else: it is told and heard, too, under the dub of
those words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dubline.domain.attribution import BOUNDARY_MS
from dubline.domain.phrasing import slots
from dubline.domain.time import Span, difference, intersection
from dubline.domain.transcript import NOBODY, Segment, Transcript, Turn

UNHEARD_MS = 400
"""A shorter stretch is no loss: edges of words are mostly right within 200 to 400 ms (the collars of Bain et al.,
WhisperX, Interspeech 2023), and few words last less."""


def by_speaker(clear: Sequence[Span], turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """Clear speech as turns, in order: of each speaker who has one there, of NOBODY where there is none."""
    names = dict.fromkeys(turn.speaker for turn in turns)
    parts = {name: intersection(clear, (turn.span for turn in turns if turn.speaker == name)) for name in names}
    parts[NOBODY] = difference(clear, (turn.span for turn in turns))
    return tuple(sorted((Turn(s, name) for name, own in parts.items() for s in own), key=lambda t: (t.span, t.speaker)))


def unheard(transcript: Transcript, least_ms: int = UNHEARD_MS) -> tuple[Span, ...]:
    """Stretches of clear speech, `least_ms` long or longer, in which no word stands; a line's pauses are its own."""
    clear = (turn.span for turn in transcript.speech)
    return _long(difference(clear, _said(transcript.segments)), least_ms)


def talked_over(transcript: Transcript, least_ms: int = UNHEARD_MS) -> tuple[Turn, ...]:
    """Clear speech, `least_ms` long or longer, of which only what others say at the same time is in a line.

    What lies within BOUNDARY_MS of its speaker's own words is taken for the blurred edge of his turn.
    """
    result = []
    for name in dict.fromkeys(turn.speaker for turn in transcript.speech if turn.speaker != NOBODY):
        heard = (turn.span for turn in transcript.speech if turn.speaker == name)
        own = _said(segment for segment in transcript.segments if segment.speaker == name)
        others = _said(segment for segment in transcript.segments if segment.speaker != name)
        near = (Span(max(0, span.start_ms - BOUNDARY_MS), span.end_ms + BOUNDARY_MS) for span in own)
        covered = intersection(difference(heard, near), others)
        result += [Turn(span, name) for span in _long(covered, least_ms)]
    return tuple(sorted(result, key=lambda turn: (turn.span, turn.speaker)))


def _said(segments: Iterable[Segment]) -> list[Span]:
    return [slot for segment in segments for slot in slots(segment)]


def _long(spans: Sequence[Span], least_ms: int) -> tuple[Span, ...]:
    return tuple(span for span in spans if span.len_ms >= least_ms)
