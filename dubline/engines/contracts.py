"""What an engine of each capability takes and gives. Flows, tasks and remote hosts know engines only by these.

Requests name audio by path (a file that `media` wrote: never a user's file) and results are small immutable values, so
that an engine can be moved to another process or machine without a change on either side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from dubline.domain.glossary import NO_GLOSSARY, Glossary
from dubline.domain.time import Span
from dubline.domain.transcript import Line, Speaker, Turn, Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dubline.engines.registry import EngineSpec

Capability = Literal["asr", "diarization", "separation", "translation", "speech"]

Progress = Callable[[float], None]
"""Called with the finished share of the work, 0..1, never decreasing."""


def no_progress(_: float) -> None:
    """The observer of somebody who does not watch."""


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    audio: Path
    """Mono, 16 kHz."""
    language: str | None = None
    """Spoken language (ISO 639-1); None lets the engine find it."""


@dataclass(frozen=True, slots=True)
class TranscriptionResult:
    language: str
    language_confidence: float
    """0..1; 1.0 where the request named the language."""
    words: tuple[Word, ...]
    """In order of time; empty where nobody speaks."""


class Transcriber(Protocol):
    @staticmethod
    def recognizes(language: str) -> bool:
        """Whether the spoken language can be recognized, told without loading weights."""
        ...

    def transcribe(self, request: TranscriptionRequest, progress: Progress = no_progress) -> TranscriptionResult:
        """Recognize speech, with a time for each word. Raises EngineFailed; never returns empty text for a failure."""
        ...

    def languages(self, audio: Path, windows: Sequence[Span]) -> tuple[Mapping[str, float], ...]:
        """Probability (0..1) of each language (ISO 639-1) in each window of speech, of which at most 30 s are heard.

        `audio` is mono, 16 kHz. Raises EngineFailed.
        """
        ...


@dataclass(frozen=True, slots=True)
class DiarizationRequest:
    audio: Path
    """Mono, 16 kHz."""
    speakers: int | None = None
    """How many people speak; None lets the engine find it."""


@dataclass(frozen=True, slots=True)
class DiarizationResult:
    turns: tuple[Turn, ...]
    """In order of their start; turns of different speakers may overlap."""
    speakers: tuple[Speaker, ...]
    """In order of their first turn."""


class Diarizer(Protocol):
    def diarize(self, request: DiarizationRequest, progress: Progress = no_progress) -> DiarizationResult:
        """Tell who speaks when. Raises EngineFailed."""
        ...


@dataclass(frozen=True, slots=True)
class SeparationRequest:
    audio: Path
    """FLAC, 48 kHz, any number of channels, in FLAC's order."""
    folder: Path
    """Where the result is written."""


@dataclass(frozen=True, slots=True)
class SeparationResult:
    background: Path
    """FLAC, 48 kHz, 16 bit, with the channels and the length of the request's audio: what sounds beside the voices. The
    voices are the rest: audio minus background."""


class Separator(Protocol):
    def separate(self, request: SeparationRequest, progress: Progress = no_progress) -> SeparationResult:
        """Take the voices out. Channels without speech are copied. Raises EngineFailed, OutputUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class TranslationRequest:
    texts: tuple[tuple[str, str], ...]
    """(segment id, text), one for each segment, in order; a text may hold several sentences."""
    source: str
    target: str
    alternatives: int = 0
    """How many other wordings of each text are wanted, from engines that offer some."""
    glossary: Glossary = NO_GLOSSARY
    """Honoured around every engine, by `translation.honour`; to the engine itself it is a hint at most."""


@dataclass(frozen=True, slots=True)
class TranslationResult:
    lines: tuple[Line, ...]
    """One for each text of the request, in its order."""
    route: tuple[str, ...]
    """Languages passed through, source and target included."""


class Translator(Protocol):
    offers_alternatives: ClassVar[bool]
    """Whether the engine can word a text in more than one way."""

    @staticmethod
    def supports(spec: EngineSpec, source: str, target: str) -> bool:
        """Whether the engine that the spec describes can translate the pair, told without loading weights."""
        ...

    @staticmethod
    def unsupported(spec: EngineSpec, source: str, target: str) -> str:
        """One sentence for a pair that is not supported: what is missing and what to do."""
        ...

    def translate(self, request: TranslationRequest, progress: Progress = no_progress) -> TranslationResult:
        """Translate every text whole. Raises EngineFailed, and UnsupportedLanguage for a pair it cannot do."""
        ...


Register = Literal["low", "high"]
"""Of a voice: typically male or typically female pitch."""


@dataclass(frozen=True, slots=True)
class Voice:
    id: str
    register: Register
    native: bool = True
    """Whether the voice was made for the language it was asked for."""
    median_f0_hz: float | None = None
    embedding: tuple[float, ...] | None = None
    """Of length 1, to be compared with those of speakers in the same space."""
    embedding_space: str | None = None


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    text: str
    language: str
    voice: str
    speed: float = 1.0
    """Speaking rate against the voice's natural rate; engines without a rate of their own say so in `rates`."""
    seed: int = 0
    """For engines that sample: made from the content, so that the same line sounds the same wherever it stands."""
    foreign: tuple[str, ...] = ()
    """Words of the text that were kept from the source: names, to be read as in `foreign_language` by engines that
    can."""
    foreign_language: str | None = None


@dataclass(frozen=True, slots=True)
class SpeechResult:
    samples: NDArray[np.float32]
    """float32 (samples,), mono, -1..1."""
    sample_rate: int


class Synthesizer(Protocol):
    batch_size: ClassVar[int]
    """How many lines one call takes at best."""
    rates: ClassVar[tuple[float, float]]
    """Slowest and fastest `speed` that sounds right; (1.0, 1.0) where the engine has no rate of its own."""

    @staticmethod
    def voices(language: str) -> tuple[Voice, ...]:
        """Voices that can speak the language, best first, told without loading weights; empty where there are none."""
        ...

    @staticmethod
    def predicted_ms(text: str, language: str, voice: str) -> float:
        """How long the voice will take for the text at speed 1, in ms, told without loading weights."""
        ...

    def synthesize(self, requests: Sequence[SpeechRequest]) -> tuple[SpeechResult, ...]:
        """Speak every request, in order. Raises EngineFailed for the batch when one of them cannot be spoken."""
        ...
