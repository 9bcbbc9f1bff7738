"""faster-whisper: light to import, quick to load."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dubline.domain.errors import EngineFailed
from dubline.domain.languages import LANGUAGES, from_whisper
from dubline.domain.time import Span
from dubline.domain.transcript import Word
from dubline.engines.asr.ear import Ear, length_ms, stretches, voice_activity
from dubline.engines.asr.timed_words import words_of
from dubline.engines.contracts import Progress, TranscriptionRequest, TranscriptionResult, no_progress
from dubline.engines.models import ModelStore
from dubline.engines.options import Options, read_options
from dubline.engines.registry import EngineSpec
from dubline.settings import settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FIRST_LOOK = 0.9
"""Share of the work that is done before the second look."""


class FasterWhisperOptions(Options):
    batched: bool = True
    """Decode stretches of speech side by side, or one after the other."""


class FasterWhisper:
    """Whisper weights in CTranslate2's format. Speech is found by the Silero VAD that the package ships, and what the
    first look passes over or gets wrong is looked at again (see ear.py and doubts.py)."""

    def __init__(self, spec: EngineSpec, models: ModelStore) -> None:
        from faster_whisper import WhisperModel

        self._batched = read_options(FasterWhisperOptions, spec).batched
        folder = models.path(str(spec.model))
        self._model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=settings().threads)
        self._ear = Ear(self._model)

    @staticmethod
    def recognizes(language: str) -> bool:
        return language in LANGUAGES and LANGUAGES[language].whisper is not None

    def transcribe(self, request: TranscriptionRequest, progress: Progress = no_progress) -> TranscriptionResult:
        import soundfile

        # Decoded here and not by the library: it would open the file with any demuxer that its content asks for.
        samples, _ = soundfile.read(request.audio, dtype="float32")
        try:
            voice = voice_activity(samples)
            language, confidence = self._language(request.language, samples, voice)
            first = self._first_look(samples, voice, language, progress)
            words = tuple(self._ear.second_look(first, samples, voice, language))
        except (RuntimeError, ValueError) as error:
            raise EngineFailed(f"faster-whisper could not transcribe the audio: {error}.") from error
        progress(1.0)
        return TranscriptionResult(language, confidence, words)

    def languages(self, audio: Path, windows: Sequence[Span]) -> tuple[Mapping[str, float], ...]:
        import soundfile

        samples, rate = soundfile.read(audio, dtype="float32")
        places = [slice(window.start_ms * rate // 1000, window.end_ms * rate // 1000) for window in windows]
        try:
            heard = [self._model.detect_language(samples[place])[2] for place in places]
        except (RuntimeError, ValueError) as error:
            raise EngineFailed(f"faster-whisper could not tell the language of the audio: {error}.") from error
        return tuple({from_whisper(name): float(share) for name, share in one} for one in heard)

    def _language(self, named: str | None, samples: NDArray[np.float32], voice: list[Span]) -> tuple[str, float]:
        if named:
            return named, 1.0
        heard, probability = self._ear.language(samples, voice)
        return from_whisper(heard), probability

    def _first_look(
        self, samples: NDArray[np.float32], voice: list[Span], language: str, progress: Progress
    ) -> list[Word]:
        found: list[Word] = []
        looks = self._side_by_side if self._batched else self._one_by_one
        for words, share in looks(samples, voice, language):
            found += words
            progress(FIRST_LOOK * share)
        return found

    def _side_by_side(
        self, samples: NDArray[np.float32], voice: list[Span], language: str
    ) -> Iterator[tuple[Iterable[Word], float]]:
        windows = stretches(voice, length_ms(samples))
        for number, heard in enumerate(self._ear.hear(samples, windows, language), 1):
            yield heard.words, number / len(windows)

    def _one_by_one(
        self, samples: NDArray[np.float32], _: list[Span], language: str
    ) -> Iterator[tuple[Iterable[Word], float]]:
        known = LANGUAGES.get(language)
        segments, info = self._model.transcribe(
            samples,
            language=known.whisper if known and known.whisper else language,
            word_timestamps=True,
            vad_filter=True,
            condition_on_previous_text=False,
            temperature=0.0,  # higher ones draw words by chance; what went astray is heard again by the second look
        )
        for segment in segments:
            timed: Iterable[Any] = segment.words or ()
            words = words_of(((w.word, w.start, w.end, w.probability) for w in timed), language)
            yield words, min(1.0, segment.end / info.duration)
