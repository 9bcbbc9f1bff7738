"""faster-whisper: light to import, quick to load."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from dubline.domain.errors import EngineFailed
from dubline.domain.languages import LANGUAGES, from_whisper
from dubline.domain.transcript import Word
from dubline.engines.asr.timed_words import words_of
from dubline.engines.contracts import Progress, TranscriptionRequest, TranscriptionResult, no_progress
from dubline.engines.models import ModelStore
from dubline.engines.options import Options, read_options
from dubline.engines.registry import EngineSpec
from dubline.settings import settings

BATCH = 8


class FasterWhisperOptions(Options):
    batched: bool = True
    """Decode stretches of speech side by side, which is quicker. One after the other, decoding is tried again at other
    temperatures where it goes astray."""


class FasterWhisper:
    """Whisper weights in CTranslate2's format. Speech is found by the Silero VAD that the package ships."""

    def __init__(self, spec: EngineSpec, models: ModelStore) -> None:
        from faster_whisper import BatchedInferencePipeline, WhisperModel

        batched = read_options(FasterWhisperOptions, spec).batched
        folder = models.path(str(spec.model))
        model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=settings().threads)
        self._decode: Any = (
            partial(BatchedInferencePipeline(model).transcribe, batch_size=BATCH)
            if batched
            else partial(model.transcribe, vad_filter=True, condition_on_previous_text=False)
        )

    @staticmethod
    def recognizes(language: str) -> bool:
        return language in LANGUAGES and LANGUAGES[language].whisper is not None

    def transcribe(self, request: TranscriptionRequest, progress: Progress = no_progress) -> TranscriptionResult:
        import soundfile

        # Decoded here and not by the library: it would open the file with any demuxer that its content asks for.
        samples, _ = soundfile.read(request.audio, dtype="float32")
        whisper = LANGUAGES[request.language].whisper if request.language else None
        try:
            segments, info = self._decode(samples, language=whisper, word_timestamps=True)
            language = request.language or from_whisper(info.language)
            words = tuple(self._words(segments, language, info.duration, progress))
        except (RuntimeError, ValueError) as error:
            raise EngineFailed(f"faster-whisper could not transcribe the audio: {error}.") from error
        progress(1.0)
        confidence = 1.0 if request.language else float(info.language_probability)
        return TranscriptionResult(language, confidence, words)

    @staticmethod
    def _words(segments: Iterator[Any], language: str, duration_s: float, progress: Progress) -> Iterator[Word]:
        for segment in segments:
            timed = segment.words or ()
            yield from words_of(((w.word, w.start, w.end, w.probability) for w in timed), language)
            progress(min(1.0, segment.end / duration_s))
