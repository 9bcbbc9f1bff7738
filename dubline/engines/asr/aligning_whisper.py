"""WhisperX's parts with what it leaves out: word times without a second model. Importing this imports WhisperX (17 s).

WhisperX recognizes chunks in batches and throws the encoder's output away; here it is kept, so that the alignment of
CTranslate2 (Whisper's own cross-attention) can time the words at the cost of one pass of the decoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import whisperx.alignment
import whisperx.asr
from faster_whisper.tokenizer import Tokenizer
from numpy.typing import NDArray
from torch import Tensor

from dubline.domain.languages import from_whisper
from dubline.domain.transcript import Word
from dubline.engines.asr.ear import APPENDED, PREPENDED
from dubline.engines.asr.timed_words import words_of


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of speech of at most 30 s: seconds on the audio's axis, and its samples at 16 kHz."""

    start: float
    end: float
    samples: NDArray[np.float32]


class AligningWhisper(whisperx.asr.WhisperModel):  # type: ignore[misc]  # WhisperX ships no types
    """WhisperX's model, whose encoder output outlives the call."""

    def encode(self, features: Any) -> Any:
        self._encoded = super().encode(features)
        return self._encoded

    def languages_of(self, features: Tensor) -> list[tuple[str, float]]:
        """Whisper's names of the languages that one chunk's features may be in, the most probable first."""
        if not self.model.is_multilingual:
            return [("en", 1.0)]
        found = self.model.detect_language(self.encode(features))[0]
        return [(token[2:-2], float(probability)) for token, probability in found]

    def texts_of(self, features: Tensor, tokenizer: Tokenizer, options: Any) -> list[str]:
        """Recognize a batch of features, float32 (chunks, mels, frames)."""
        texts: list[str] = self.generate_segment_batched(features, tokenizer, options)["text"]
        return texts

    def word_times(
        self, chunks: Sequence[Chunk], texts: Sequence[str], tokenizer: Tokenizer, after_s: float
    ) -> list[list[Word]]:
        """Words of each chunk of the batch that `texts_of` recognized last; `after_s`: where speech ended before."""
        segments = [
            [{"tokens": tokenizer.encode(text), "seek": chunk.start * self.frames_per_second, **_bounds(chunk)}]
            for chunk, text in zip(chunks, texts, strict=True)
        ]
        frames = [ceil((chunk.end - chunk.start) * self.frames_per_second) for chunk in chunks]
        self.add_word_timestamps(segments, tokenizer, self._encoded, frames, PREPENDED, APPENDED, after_s)
        return [
            words_of(
                ((w["word"], w["start"], w["end"], w["probability"]) for w in segment[0]["words"]),
                from_whisper(tokenizer.language_code),
            )
            for segment in segments
        ]


class Wav2Vec2Aligner:
    """Forced alignment of one language by a CTC model, as WhisperX does it."""

    def __init__(self, folder: Path, language: str, device: str) -> None:
        self._device = device
        self._model, self._metadata = whisperx.alignment.load_align_model(
            language, device, model_name=str(folder), model_cache_only=True
        )

    def word_times(self, chunk: Chunk, text: str) -> list[Word] | None:
        """Words of a chunk; None where the text could not be aligned whole."""
        segment = {"text": text.strip(), **_bounds(chunk)}
        # The function cuts sentences with data of NLTK that it would download; words do not depend on it.
        whisperx.alignment.nltk_load = lambda _: _OneSentence
        # It takes the place in the whole audio from the segment's times, so the chunk is put there by shifting them.
        placed = segment | {"start": 0.0, "end": len(chunk.samples) / 16_000}
        found = whisperx.alignment.align([placed], self._model, self._metadata, chunk.samples, self._device)
        words = found["word_segments"]
        spoken = "".join(word["word"] for word in words)
        if spoken != "".join(text.split()) or any("start" not in word or "end" not in word for word in words):
            return None
        timed = (
            (f" {w['word']}", chunk.start + w["start"], chunk.start + w["end"], w.get("score", 0.0)) for w in words
        )
        return words_of(timed, "")


class _OneSentence:
    @staticmethod
    def span_tokenize(text: str) -> list[tuple[int, int]]:
        return [(0, len(text))]


def _bounds(chunk: Chunk) -> dict[str, float]:
    return {"start": chunk.start, "end": chunk.end}
