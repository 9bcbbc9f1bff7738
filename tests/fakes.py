"""Tiny, deterministic engines. They obey the contracts and cost nothing, so that tests can be about everything else.

A profile names them as `tests.fakes:FakeTranscriber`; what they say is in the profile's options.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import ClassVar

import numpy as np
import soundfile
from numpy.typing import NDArray

from dubline.domain.errors import EngineFailed
from dubline.domain.time import Span
from dubline.domain.transcript import Line, Speaker, Turn, Word
from dubline.engines.contracts import (
    DiarizationRequest,
    DiarizationResult,
    Progress,
    SeparationRequest,
    SeparationResult,
    SpeechRequest,
    SpeechResult,
    TranscriptionRequest,
    TranscriptionResult,
    TranslationRequest,
    TranslationResult,
    Voice,
    no_progress,
)
from dubline.engines.models import ModelStore
from dubline.engines.registry import EngineSpec

LANGUAGES = {"en", "es", "fr"}
WORD_MS = 250
SILENCE_MS = 20
"""Behind each word."""
PAUSE = "|"
"""A word of which nothing is heard, twice as long as others."""


def _blocks(audio: Path) -> Iterator[NDArray[np.float32]]:
    """float32 (samples, channels), ten seconds at a time: an hour of sound must not be what a test's memory goes to."""
    yield from soundfile.blocks(audio, blocksize=480_000, dtype="float32", always_2d=True)


class FakeTranscriber:
    """Hears the option `text` in any audio that is not silent, a word each `word_ms`.

    With the option `loud` a language is heard in what is loud: that one, and in all else English.
    With the option `signed` the first word is the audio's own, so that no two videos say the same.
    """

    def __init__(self, spec: EngineSpec, models: ModelStore) -> None:
        self._text = str(spec.options.get("text", "Hello there. How are you?"))
        self._loud = str(spec.options.get("loud", "en"))
        self._word_ms, self._signed = int(spec.options.get("word_ms", WORD_MS)), bool(spec.options.get("signed"))

    @staticmethod
    def recognizes(language: str) -> bool:
        return language in LANGUAGES

    def transcribe(self, request: TranscriptionRequest, progress: Progress = no_progress) -> TranscriptionResult:
        heard = self._text.split() if any(np.abs(block).max() > 0.01 for block in _blocks(request.audio)) else []
        if heard and self._signed:
            heard.insert(0, f"X{hashlib.sha256(request.audio.read_bytes()).hexdigest()[:6]}")
        progress(0.5)
        ends = list(accumulate(self._word_ms * (1 + (text == PAUSE)) for text in heard))
        words = tuple(
            Word(text, Span(end - self._word_ms, end - SILENCE_MS), 0.9)
            for text, end in zip(heard, ends, strict=True)
            if text != PAUSE
        )
        return TranscriptionResult(request.language or "en", 1.0, words)

    def languages(self, audio: Path, windows: Sequence[Span]) -> tuple[Mapping[str, float], ...]:
        loud = any(np.abs(block).max() > 0.5 for block in _blocks(audio))
        return tuple({self._loud if loud else "en": 0.9} for _ in windows)


class FakeDiarizer:
    """Says that one person spoke in the first second and another one afterwards."""

    def __init__(self, spec: EngineSpec, models: ModelStore) -> None:
        pass

    def diarize(self, request: DiarizationRequest, progress: Progress = no_progress) -> DiarizationResult:
        progress(0.5)
        turns = (Turn(Span(0, 500), "S1"), Turn(Span(500, 60_000), "S2"))
        return DiarizationResult(turns, (Speaker("S1", 110.0, 500), Speaker("S2", 210.0, 59_500)))


class FakeSeparator:
    """Takes half of everything for voice."""

    def __init__(self, spec: EngineSpec, models: ModelStore) -> None:
        pass

    def separate(self, request: SeparationRequest, progress: Progress = no_progress) -> SeparationResult:
        info = soundfile.info(request.audio)
        progress(0.5)
        with soundfile.SoundFile(request.folder / "background.flac", "w", info.samplerate, info.channels) as background:
            for block in _blocks(request.audio):
                background.write(block / 2)
        return SeparationResult(request.folder / "background.flac")


class FakeTranslator:
    """Turns every text around, `times` over; says nothing for the text `mute`, and `says` for all others if given."""

    offers_alternatives: ClassVar[bool] = False

    def __init__(self, spec: EngineSpec, models: ModelStore) -> None:
        self._times, self._mute = int(spec.options.get("times", 1)), str(spec.options.get("mute", ""))
        self._says = str(spec.options.get("says", ""))

    @staticmethod
    def supports(_: EngineSpec, source: str, target: str) -> bool:
        return {source, target} <= LANGUAGES

    @staticmethod
    def unsupported(_: EngineSpec, source: str, target: str) -> str:
        return f"The fake translator does not go from '{source}' to '{target}'."

    def translate(self, request: TranslationRequest, progress: Progress = no_progress) -> TranslationResult:
        progress(0.5)
        lines = tuple(Line(segment, self._turned(text, request.target)) for segment, text in request.texts)
        return TranslationResult(lines, (request.source, request.target))

    def _turned(self, text: str, target: str) -> str:
        return "" if text == self._mute else self._says or f"{' '.join([text[::-1]] * self._times)} {target}"


class FakeTranslatorOfSeveral(FakeTranslator):
    """Offers to turn a text around just once, too."""

    offers_alternatives: ClassVar[bool] = True

    def translate(self, request: TranslationRequest, progress: Progress = no_progress) -> TranslationResult:
        result = super().translate(request, progress)
        once = (f"{text[::-1]} {request.target}" for _, text in request.texts)
        lines = (replace(line, alternatives=(other,)) for line, other in zip(result.lines, once, strict=True))
        return replace(result, lines=tuple(lines))


class FakeSpeech:
    """Hums each line, 50 ms a character, `slower` by that factor than it predicts.

    Fails on a line with `unspeakable` turned around, and with the option `once` on every text that it spoke before.
    """

    batch_size: ClassVar[int] = 1
    rates: ClassVar[tuple[float, float]] = (0.85, 1.25)

    def __init__(self, spec: EngineSpec, models: ModelStore) -> None:
        self._slower, self._once = float(spec.options.get("slower", 1)), bool(spec.options.get("once", False))
        self._spoken: set[str] = set()

    @staticmethod
    def voices(language: str) -> tuple[Voice, ...]:
        return (Voice("bass", "low"), Voice("alto", "high")) if language in LANGUAGES else ()

    @staticmethod
    def predicted_ms(text: str, language: str, voice: str) -> float:
        return 50.0 * len(text)

    def synthesize(self, requests: Sequence[SpeechRequest]) -> tuple[SpeechResult, ...]:
        return tuple(self._hum(request) for request in requests)

    def _hum(self, request: SpeechRequest) -> SpeechResult:
        if "unspeakable"[::-1] in request.text or (self._once and request.text in self._spoken):
            raise EngineFailed("This text cannot be spoken.")
        self._spoken.add(request.text)
        predicted_ms = self.predicted_ms(request.text, request.language, request.voice)
        seconds = self._slower * predicted_ms / 1000 / request.speed
        pitch = 110 if request.voice == "bass" else 220
        time = np.arange(int(24_000 * seconds)) / 24_000
        return SpeechResult((0.3 * np.sin(2 * np.pi * pitch * time)).astype(np.float32), 24_000)
