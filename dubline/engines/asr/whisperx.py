"""WhisperX: Whisper over CTranslate2, on chunks that a voice activity detector cuts, in batches.

What it passes over or gets wrong is looked at again (ear.py, doubts.py). Word times come from a wav2vec 2.0 model
of the language where the profile names one (`align_model`), otherwise from Whisper's own attention. The detector is the
pyannote model that ships with WhisperX: nothing is downloaded.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from dubline.domain.errors import EngineFailed
from dubline.domain.languages import LANGUAGES, from_whisper
from dubline.domain.time import Span
from dubline.domain.transcript import Word
from dubline.engines.asr.ear import Ear, in_order, voice_activity
from dubline.engines.contracts import Progress, TranscriptionRequest, TranscriptionResult, no_progress
from dubline.engines.device import device, loading, quiet, running
from dubline.engines.models import ModelStore
from dubline.engines.options import Options, read_options
from dubline.engines.registry import EngineSpec
from dubline.settings import settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dubline.engines.asr.aligning_whisper import Chunk

RATE = 16_000
CHUNK_S = 29.0
"""Whisper hears 30 s at once; the detector's frames need some room."""
SHORTEST_S = 0.1
"""Less is a click and no word, but Whisper would make one of it."""
UNKNOWN = "und"
"""ISO 639-2 for a language that could not be determined: nobody speaks."""
_DETECTED, _RECOGNIZED = 0.1, 0.9
"""Share of the work that is done after voice activity detection, and after the first look."""


class WhisperXOptions(Options):
    batch_size: int = Field(8, ge=1)
    """Chunks recognized at once."""
    beam_size: int = Field(5, ge=1)
    compute_type: str | None = None
    """CTranslate2's; None is float16 on a GPU and int8 on a CPU."""
    align_model: str | None = None
    """Name of a wav2vec 2.0 model in models.yaml."""
    align_language: str = "en"
    """The language that `align_model` aligns; speech in others gets its word times from Whisper."""


class WhisperX:
    def __init__(self, spec: EngineSpec, models: ModelStore) -> None:
        self._options = read_options(WhisperXOptions, spec)
        folder = models.path(str(spec.model))
        aligner = self._options.align_model and models.path(self._options.align_model)
        where = device()
        compute = self._options.compute_type or ("float16" if where == "cuda" else "int8")
        os.environ["PYANNOTE_METRICS_ENABLED"] = "0"  # the detector's library reports to its makers otherwise
        with quiet(), loading("WhisperX", spec.model):
            import whisperx.asr

            from dubline.engines.asr.aligning_whisper import AligningWhisper, Wav2Vec2Aligner

            threads = settings().threads
            self._whisper = AligningWhisper(str(folder), device=where, compute_type=compute, cpu_threads=threads)
            self._ear = Ear(self._whisper)
            # WhisperX leaves time stamps out of the text; with them Whisper passes over less (see ear.py).
            options = {"beam_size": self._options.beam_size, "without_timestamps": False}
            self._pipeline: Any = whisperx.asr.load_model(
                str(folder), where, model=self._whisper, asr_options=options, vad_method="pyannote", threads=threads
            )
        with quiet(), loading("WhisperX", self._options.align_model):
            self._aligner = Wav2Vec2Aligner(aligner, self._options.align_language, where) if aligner else None

    @staticmethod
    def recognizes(language: str) -> bool:
        return language in LANGUAGES and LANGUAGES[language].whisper is not None

    def transcribe(self, request: TranscriptionRequest, progress: Progress = no_progress) -> TranscriptionResult:
        with quiet(), running("WhisperX", f"transcribe {request.audio.name}"):
            samples = _read(request.audio)
            chunks = self._chunks(samples)
            progress(_DETECTED)
            language, confidence = self._language(request.language, chunks)
            first = in_order(self._words(chunks, language, progress))
            voice = [] if language == UNKNOWN else voice_activity(samples)
            words = tuple(self._ear.second_look(first, samples, voice, language))
        progress(1.0)
        return TranscriptionResult(language, confidence, words)

    def languages(self, audio: Path, windows: Sequence[Span]) -> tuple[Mapping[str, float], ...]:
        from dubline.engines.asr.aligning_whisper import Chunk

        with quiet(), running("WhisperX", f"tell the language of {audio.name}"):
            samples = _read(audio)
            spans = [(w.start_ms / 1000, min(w.end_ms / 1000, w.start_ms / 1000 + CHUNK_S)) for w in windows]
            chunks = [Chunk(start, end, samples[int(start * RATE) : int(end * RATE)]) for start, end in spans]
            heard = [self._whisper.languages_of(one) for one in self._features(chunks)] if chunks else []
        return tuple({from_whisper(name): share for name, share in one} for one in heard)

    def _chunks(self, samples: NDArray[np.float32]) -> list[Chunk]:
        """Stretches with speech, cut at the least speech-like moments where they would get too long."""
        from dubline.engines.asr.aligning_whisper import Chunk

        if not len(samples):
            return []
        detector, bounds = self._pipeline.vad_model, self._pipeline._vad_params
        activity = detector({"waveform": detector.preprocess_audio(samples), "sample_rate": RATE})
        merged = detector.merge_chunks(activity, CHUNK_S, onset=bounds["vad_onset"], offset=bounds["vad_offset"])
        chunks = [Chunk(c["start"], c["end"], samples[int(c["start"] * RATE) : int(c["end"] * RATE)]) for c in merged]
        return [chunk for chunk in chunks if len(chunk.samples) >= SHORTEST_S * RATE]

    def _language(self, named: str | None, chunks: Sequence[Chunk]) -> tuple[str, float]:
        """The language and how sure it is: told, or heard in the first chunk with speech."""
        if named:
            return named, 1.0
        if not chunks:
            return UNKNOWN, 0.0
        heard, probability = self._whisper.languages_of(self._features(chunks[:1])[0])[0]
        return from_whisper(heard), probability

    def _features(self, chunks: Sequence[Chunk]) -> Any:
        import torch

        return torch.stack([self._pipeline.preprocess({"inputs": chunk.samples})["inputs"] for chunk in chunks])

    def _words(self, chunks: Sequence[Chunk], language: str, progress: Progress) -> Iterator[Word]:
        if not chunks:
            return
        tokenizer = self._ear.tokenizer(language)
        size, ended_s = self._options.batch_size, 0.0
        for start in range(0, len(chunks), size):
            batch = chunks[start : start + size]
            texts = self._whisper.texts_of(self._features(batch), tokenizer, self._pipeline.options)
            timed = self._whisper.word_times(batch, texts, tokenizer, ended_s)
            for chunk, text, words in zip(batch, texts, timed, strict=True):
                yield from _whole(self._aligned(chunk, text, language) or words, text, chunk)
            ended_s = batch[-1].end
            progress(_DETECTED + (_RECOGNIZED - _DETECTED) * (start + len(batch)) / len(chunks))

    def _aligned(self, chunk: Chunk, text: str, language: str) -> list[Word] | None:
        """The aligner's times; None where there is no aligner for the language or it could not place every word."""
        if self._aligner is None or language != self._options.align_language or not text.strip():
            return None
        return self._aligner.word_times(chunk, text)


def _read(audio: Path) -> NDArray[np.float32]:
    """Decoded here and not by the library, which would hand the file to ffmpeg."""
    import soundfile

    samples: NDArray[np.float32]
    samples, rate = soundfile.read(audio, dtype="float32")
    if rate != RATE or samples.ndim != 1:
        raise EngineFailed(
            f"WhisperX was given {audio.name} at {rate} Hz, {samples.ndim} dimensions; it needs mono, 16 kHz."
        )
    return samples


def _whole(words: Sequence[Word], text: str, chunk: Chunk) -> Sequence[Word]:
    """The words, if they are all of the text. Speech that was recognized must not vanish for want of a time."""
    if "".join("".join(word.text for word in words).split()) != "".join(text.split()):
        raise EngineFailed(f"WhisperX lost words of '{text.strip()[:60]}' at {chunk.start:.1f} s when it timed them.")
    return words
