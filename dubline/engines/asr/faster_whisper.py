"""faster-whisper's batched pipeline: light to import, quick to load."""

from __future__ import annotations

from collections.abc import Iterator

from dubline.domain.errors import EngineFailed
from dubline.domain.languages import LANGUAGES, from_whisper
from dubline.domain.time import Span
from dubline.domain.transcript import Word
from dubline.engines.contracts import Progress, TranscriptionRequest, TranscriptionResult, no_progress
from dubline.engines.models import ModelStore
from dubline.engines.registry import EngineSpec
from dubline.settings import settings

BATCH = 8


class FasterWhisper:
    """Whisper weights in CTranslate2's format. Speech is found by the Silero VAD that the package ships."""

    def __init__(self, spec: EngineSpec, models: ModelStore) -> None:
        from faster_whisper import BatchedInferencePipeline, WhisperModel

        folder = models.path(str(spec.model))
        model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=settings().threads)
        self._pipeline = BatchedInferencePipeline(model)

    @staticmethod
    def recognizes(language: str) -> bool:
        return language in LANGUAGES and LANGUAGES[language].whisper is not None

    def transcribe(self, request: TranscriptionRequest, progress: Progress = no_progress) -> TranscriptionResult:
        import soundfile

        # Decoded here and not by the library: it would open the file with any demuxer that its content asks for.
        samples, _ = soundfile.read(request.audio, dtype="float32")
        whisper = LANGUAGES[request.language].whisper if request.language else None
        try:
            segments, info = self._pipeline.transcribe(
                samples, language=whisper, word_timestamps=True, batch_size=BATCH
            )
            words = tuple(self._words(segments, info.duration, progress))
        except (RuntimeError, ValueError) as error:
            raise EngineFailed(f"faster-whisper could not transcribe the audio: {error}.") from error
        progress(1.0)
        confidence = 1.0 if request.language else float(info.language_probability)
        return TranscriptionResult(request.language or from_whisper(info.language), confidence, words)

    @staticmethod
    def _words(segments: Iterator[object], duration_s: float, progress: Progress) -> Iterator[Word]:
        for segment in segments:
            for word in segment.words or ():  # type: ignore[attr-defined]  # the library is untyped
                span = Span.from_seconds(word.start, max(word.start, word.end))
                yield Word(word.word.strip(), span, float(word.probability))
            progress(min(1.0, segment.end / duration_s))  # type: ignore[attr-defined]
