"""Who said what, when: words, speaker turns, segments, and lines in the target language."""

from __future__ import annotations

from dataclasses import dataclass

from dubline.domain.glossary import NO_GLOSSARY, Glossary
from dubline.domain.time import Span


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word as the recognizer wrote it, punctuation included, without white space around it."""

    text: str
    span: Span
    confidence: float
    """Probability in 0..1."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch of speech by one speaker. Turns of different speakers may overlap."""

    span: Span
    speaker: str


NOBODY = ""
"""The speaker of speech that no turn was found for."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """A voice that diarization told apart."""

    id: str
    median_f0_hz: float | None = None
    """Median fundamental frequency of the voiced frames; None where too little is voiced."""
    speech_ms: int = 0
    embedding: tuple[float, ...] | None = None
    """Of the voice, of length 1; None where the engine has none."""
    embedding_space: str | None = None
    """The model that made it: embeddings compare only within one space."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A sentence (or a part of one) by one speaker: the unit that is translated, spoken and edited."""

    id: str
    span: Span
    text: str
    speaker: str
    words: tuple[Word, ...] = ()
    confidence: float = 1.0
    """Mean of the words' confidences, 0..1."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """Segments in order of their start, in one language."""

    language: str
    segments: tuple[Segment, ...]
    speakers: tuple[Speaker, ...] = ()
    speech: tuple[Turn, ...] = ()
    """Clear speech, in a segment or in none, by who was heard to speak; by NOBODY where no turn was told."""

    def speaker(self, speaker_id: str) -> Speaker:
        return next(s for s in self.speakers if s.id == speaker_id)


@dataclass(frozen=True, slots=True)
class Line:
    """A segment's translation. `segment` is the id of the segment it renders."""

    segment: str
    text: str
    unknown: tuple[str, ...] = ()
    """Words that the engine could not translate and left as they were: the source's, or the pivot language's."""
    alternatives: tuple[str, ...] = ()
    """Other wordings of the same text, best first, without the chosen one."""


@dataclass(frozen=True, slots=True)
class Translation:
    """One line for each segment of a transcript, in its order."""

    source: str
    target: str
    lines: tuple[Line, ...]
    route: tuple[str, ...] = ()
    """Languages the text went through; longer than two where the engine needed a pivot."""
    glossary: Glossary = NO_GLOSSARY
    """The terms that were to be honoured: those of the glossary that occur in the source."""
