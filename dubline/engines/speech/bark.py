"""Bark through transformers: expressive speech in 13 languages, with ten speaker presets each.

Bark samples. A line must sound the same wherever it stands, so every row of a batch draws from generators of its own,
seeded from the line; and the stage that looks at a whole batch's length (fine acoustics) runs row by row.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from dubline.domain.errors import EngineFailed, InvalidRequest
from dubline.engines.contracts import SpeechRequest, SpeechResult, Voice
from dubline.engines.device import device, loading, running
from dubline.engines.models import ModelStore
from dubline.engines.options import Options, read_options
from dubline.engines.registry import EngineSpec
from dubline.engines.speech.spoken import spoken
from dubline.engines.translation.sentences import halves, packed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Presets of each language, in order, as Suno's speaker library describes their voices: m(ale) or f(emale).
_PRESETS = {
    "de": "mmmfmmmmfm",
    "en": "mmmmmmmmmf",
    "es": "mmmmmmmmff",
    "fr": "mffmmfmmmm",
    "hi": "ffmffmmmmf",
    "it": "mmfmmmmfmm",
    "ja": "ffmfffmfff",
    "ko": "fmmmmmmmmm",
    "pl": "mmmmfmfmmf",
    "pt": "mmmmmmmmmm",
    "ru": "mmmmmffmmf",
    "tr": "mmmmffmmmm",
    "zh": "mmmmfmffmf",
}
# Presets that the library marks as noisy, echoing or recorded in a hall come last.
_POOR = {
    "en": {5},
    "es": {2, 3, 5},
    "fr": {9},
    "hi": {1, 4},
    "ja": {1},
    "pt": {6},
    "ru": {1, 2, 6, 8, 9},
    "tr": {7},
    "zh": {6},
}

TEXT_TOKENS = 256
"""The semantic model reads no further."""
PIECE_LENGTH = 150
"""Characters in a piece of speech: Bark makes about 13 s at once, people speak about 15 characters a second (a third as
many of a script with a syllable in each character), and a quarter is kept in reserve."""
WORTH_CUTTING = 20
"""Characters. A shorter text whose speech does not end is the model's loop, not something long."""
PAUSE_S = 0.25
"""Silence between pieces of a line, as in Suno's notebook on long-form generation."""


CHARACTERS_PER_SECOND = 14.0
"""An ordinary pace of read speech; Bark has none that can be set."""


class BarkOptions(Options):
    pass


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    voice: str
    seed: int


class BarkSpeech:
    batch_size: ClassVar[int] = 8
    rates: ClassVar[tuple[float, float]] = (1.0, 1.0)

    def __init__(self, spec: EngineSpec, models: ModelStore) -> None:
        read_options(BarkOptions, spec)
        folder = models.path(str(spec.model))
        self._device = device()
        with loading("Bark", spec.model):
            import torch
            from transformers import BarkModel, BarkProcessor

            dtype = torch.float16 if self._device == "cuda" else torch.float32
            self._processor: Any = BarkProcessor.from_pretrained(folder, local_files_only=True)
            model = BarkModel.from_pretrained(folder, local_files_only=True, dtype=dtype)
            self._model: Any = model.to(self._device).eval()
            self._stages = _stage_settings(self._model.generation_config)
        self._rate = int(self._model.generation_config.sample_rate)

    @staticmethod
    def voices(language: str) -> tuple[Voice, ...]:
        poor = _POOR.get(language, set())
        numbered = sorted(enumerate(_PRESETS.get(language, "")), key=lambda preset: preset[0] in poor)
        return tuple(
            Voice(f"v2/{language}_speaker_{number}", "high" if register == "f" else "low")
            for number, register in numbered
        )

    @staticmethod
    def predicted_ms(text: str, language: str, voice: str) -> float:
        return 1000 * len(spoken(text, language)) / CHARACTERS_PER_SECOND

    def synthesize(self, requests: Sequence[SpeechRequest]) -> tuple[SpeechResult, ...]:
        with running("Bark", "speak"):
            cut = [self._cut(request) for request in requests]
            clips = iter(self._speak([piece for pieces in cut for piece in pieces]))
            return tuple(SpeechResult(self._joined([next(clips) for _ in pieces]), self._rate) for pieces in cut)

    def _cut(self, request: SpeechRequest) -> list[_Piece]:
        """Pieces of the text that Bark can speak at once, each with its preset and its own seed."""
        if request.speed != 1.0:
            raise InvalidRequest(f"Bark has no speaking rate of its own; ask for speed 1.0, not {request.speed}.")
        if not any(character.isalnum() for character in request.text):
            raise EngineFailed(f"Bark was given nothing to speak: '{request.text[:60]}'.")
        texts = packed(spoken(request.text, request.language), self._fits, request.language)
        return [
            _Piece(text, request.voice, request.seed if i == 0 else derived_seed(request.seed, f"piece {i}"))
            for i, text in enumerate(texts)
        ]

    def _fits(self, text: str) -> bool:
        tokens = self._processor.tokenizer(text, add_special_tokens=False).input_ids
        return spoken_length(text) <= PIECE_LENGTH and len(tokens) <= TEXT_TOKENS

    def _joined(self, clips: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        import numpy as np

        pause = np.zeros(round(PAUSE_S * self._rate), np.float32)
        parts = [part for clip in clips for part in (pause, clip)]
        return np.concatenate(parts[1:]).clip(-1.0, 1.0)

    def _speak(self, pieces: Sequence[_Piece]) -> list[NDArray[np.float32]]:
        """Audio of each piece. Pieces of one voice share batches, for the library takes one preset a call."""
        clips: dict[int, NDArray[np.float32]] = {}
        for batch in _batches([piece.voice for piece in pieces], self.batch_size):
            rows = [pieces[index] for index in batch]
            clips.update(zip(batch, self._speak_batch(rows), strict=True))
        return [clips[index] for index in range(len(pieces))]

    def _speak_batch(self, pieces: Sequence[_Piece]) -> Iterator[NDArray[np.float32]]:
        import torch

        preset = self._preset(pieces[0].voice)
        with torch.inference_mode():
            semantic = self._semantic(pieces, preset)
            ended = (semantic == self._stages["semantic"].eos_token_id).any(dim=1).tolist()
            coarse, lengths = self._coarse(semantic, pieces, preset)
            for row, piece in enumerate(pieces):
                again = None if ended[row] or len(piece.text) < WORTH_CUTTING else halves(piece.text)
                if again:
                    yield self._joined(self._speak(self._parts(piece, again)))
                else:
                    yield self._decode(coarse[row : row + 1, : int(lengths[row])], piece, preset)

    def _parts(self, piece: _Piece, texts: Sequence[str]) -> list[_Piece]:
        """A piece whose speech ran into the limit, in two."""
        return [_Piece(text, piece.voice, derived_seed(piece.seed, f"part {i}")) for i, text in enumerate(texts)]

    def _preset(self, voice: str) -> Mapping[str, Any]:
        known = self._processor.available_voice_presets
        if voice not in known:
            raise EngineFailed(f"Bark's model folder has no preset '{voice}'; it has: {', '.join(known) or 'none'}.")
        prompt = self._processor("", voice_preset=voice)["history_prompt"]
        return {name: array.to(self._device) for name, array in prompt.items()}

    def _semantic(self, pieces: Sequence[_Piece], preset: Mapping[str, Any]) -> Any:
        """Semantic tokens (rows, longest), padded with the end token."""
        inputs = self._processor([piece.text for piece in pieces], max_length=TEXT_TOKENS).to(self._device)
        with self._draws(pieces, "semantic"):
            return self._model.semantic.generate(
                inputs["input_ids"],
                attention_mask=inputs["attention_mask"],
                history_prompt=preset,
                semantic_generation_config=self._stages["semantic"],
            )

    def _coarse(self, semantic: Any, pieces: Sequence[_Piece], preset: Mapping[str, Any]) -> tuple[Any, Any]:
        """Coarse tokens (rows, longest) and how many of each row are its own; what follows them is noise."""
        with self._draws(pieces, "coarse"):
            coarse, lengths = self._model.coarse_acoustics.generate(
                semantic.clone(),  # the library writes into it
                history_prompt=preset,
                semantic_generation_config=self._stages["semantic"],
                coarse_generation_config=self._stages["coarse"],
                codebook_size=self._model.generation_config.codebook_size,
                return_output_lengths=True,
            )
        return coarse, lengths

    def _decode(self, coarse: Any, piece: _Piece, preset: Mapping[str, Any]) -> NDArray[np.float32]:
        if not coarse.shape[1]:
            raise EngineFailed(f"Bark made no sound of '{piece.text[:60]}'.")
        with self._draws([piece], "fine"):
            fine = self._model.fine_acoustics.generate(
                coarse,
                history_prompt=preset,
                semantic_generation_config=self._stages["semantic"],
                coarse_generation_config=self._stages["coarse"],
                fine_generation_config=self._stages["fine"],
                codebook_size=self._model.generation_config.codebook_size,
            )
        samples: NDArray[np.float32] = self._model.codec_decode(fine).reshape(-1).float().cpu().numpy()
        return samples

    def _draws(self, pieces: Sequence[_Piece], stage: str) -> Any:
        from dubline.engines.speech.row_sampling import RowSampling

        return RowSampling([derived_seed(piece.seed, stage) for piece in pieces], self._device)


def derived_seed(seed: int, purpose: str) -> int:
    """A seed for one purpose from another seed; 63 bits, as torch takes."""
    return int.from_bytes(hashlib.sha256(f"{seed} {purpose}".encode()).digest()[:8]) >> 1


def spoken_length(text: str) -> int:
    """Characters, wide ones (Chinese, Japanese, Korean) as three: each is a syllable."""
    return sum(3 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _stage_settings(nested: Any) -> dict[str, Any]:
    """The library's settings of each stage, read from the checkpoint the way its own `generate` reads them."""
    from transformers.models.bark import generation_configuration_bark as library

    return {
        "semantic": library.BarkSemanticGenerationConfig(**nested.semantic_config),
        "coarse": library.BarkCoarseGenerationConfig(**nested.coarse_acoustics_config),
        "fine": library.BarkFineGenerationConfig(**nested.fine_acoustics_config),
    }


def _batches(voices: Sequence[str], size: int) -> Iterator[list[int]]:
    """Indices of at most `size` rows that share a voice."""
    for voice in dict.fromkeys(voices):
        rows = [index for index, other in enumerate(voices) if other == voice]
        for start in range(0, len(rows), size):
            yield rows[start : start + size]
