"""NLLB-200 through transformers: any pair of its 202 languages.

The model was trained on single sentences of at most 512 tokens and tends to drop what follows the first sentence. So
text is always cut at sentences, which are translated in batches of like length and put together again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import Field

from dubline.domain.errors import UnsupportedLanguage
from dubline.domain.languages import LANGUAGES
from dubline.domain.transcript import Line
from dubline.engines.contracts import Progress, TranslationRequest, TranslationResult, no_progress
from dubline.engines.device import device, loading, running
from dubline.engines.models import ModelStore
from dubline.engines.options import Options, read_options
from dubline.engines.registry import EngineSpec
from dubline.engines.translation.sentences import halves, join, pieces

TRAINED_TOKENS = 512
"""Longest input of the training (NLLB Team 2022, model card)."""
SPARE_TOKENS = 32
GROWTH = 3
"""A translation that takes more than GROWTH times its source's tokens, and some to spare, runs in a loop."""
BUCKET_TOKENS = 32
"""A batch holds texts of one length class. The search is cut off by class, so a text's result is its own: it does not
change with what else is in the batch."""
WORTH_CUTTING = 40
"""Characters. A shorter text whose translation does not end is a loop of the model, not something long."""


class NllbOptions(Options):
    num_beams: int = Field(4, ge=1)
    """Width of the beam search, which is deterministic."""
    batch_tokens: int = Field(4096, ge=1)
    """Source tokens in a batch, padding included."""


class Nllb:
    def __init__(self, spec: EngineSpec, models: ModelStore) -> None:
        self._options = read_options(NllbOptions, spec)
        folder = models.path(str(spec.model))
        self._device = device()
        with loading("NLLB", spec.model):
            import torch
            from transformers import AutoModelForSeq2SeqLM, NllbTokenizerFast

            dtype = torch.float16 if self._device == "cuda" else torch.float32
            self._tokenizer: Any = NllbTokenizerFast.from_pretrained(folder, local_files_only=True)
            model = AutoModelForSeq2SeqLM.from_pretrained(folder, local_files_only=True, dtype=dtype)
            self._model: Any = model.to(self._device).eval()
        # The published checkpoint stops every output at 200 tokens; here the limit follows the input.
        self._model.generation_config.max_length = None
        self._positions = int(self._model.config.max_position_embeddings)
        self._limit = min(TRAINED_TOKENS, self._positions)

    @staticmethod
    def supports(source: str, target: str) -> bool:
        return source != target and _token(source) is not None and _token(target) is not None

    @staticmethod
    def unsupported(source: str, target: str) -> str:
        """One sentence for a pair that is not supported."""
        return f"NLLB cannot translate from '{source}' to '{target}'; choose languages that NLLB-200 knows."

    def translate(self, request: TranslationRequest, progress: Progress = no_progress) -> TranslationResult:
        if not self.supports(request.source, request.target):
            raise UnsupportedLanguage(self.unsupported(request.source, request.target))
        with running("NLLB", f"translate from {request.source} to {request.target}"):
            self._tokenizer.src_lang = _token(request.source)
            cut = [pieces(text, self._fits) for _, text in request.texts]
            whole = iter(self._translate([p for parts in cut for p in parts], request.target, progress))
            texts = [join([next(whole) for _ in parts], request.target) for parts in cut]
        progress(1.0)
        lines = tuple(Line(segment, text) for (segment, _), text in zip(request.texts, texts, strict=True))
        return TranslationResult(lines, (request.source, request.target))

    def _fits(self, piece: str) -> bool:
        return self._length(piece) <= self._limit

    def _length(self, piece: str) -> int:
        """Tokens, the language's and the end's included."""
        return len(self._tokenizer(piece).input_ids)

    def _translate(self, texts: Sequence[str], target: str, progress: Progress) -> list[str]:
        """Translate pieces that fit; one whose translation does not end is cut in two and translated again."""
        lengths = [self._length(text) for text in texts]
        results: dict[int, str] = {}
        for batch in _batches(lengths, self._options.batch_tokens):
            for index, (text, ended) in zip(batch, self._generate([texts[i] for i in batch], target), strict=True):
                parts = None if ended or len(texts[index]) < WORTH_CUTTING else halves(texts[index])
                results[index] = join(self._translate(parts, target, no_progress), target) if parts else text
            progress(sum(lengths[i] for i in results) / sum(lengths))
        return [results[index] for index in range(len(texts))]

    def _generate(self, texts: Sequence[str], target: str) -> list[tuple[str, bool]]:
        """Each translation, and whether it ended by itself. The texts are of one length class."""
        import torch

        inputs = self._tokenizer(list(texts), padding=True, return_tensors="pt").to(self._device)
        limit = GROWTH * BUCKET_TOKENS * _bucket(inputs.input_ids.shape[1]) + SPARE_TOKENS
        with torch.inference_mode():
            output = self._model.generate(
                **inputs,
                forced_bos_token_id=self._tokenizer.convert_tokens_to_ids(_token(target)),
                num_beams=self._options.num_beams,
                do_sample=False,
                max_new_tokens=min(limit, self._positions - 1),
            )
        # The first token is the decoder's start, which in this family is the end token too.
        ended = (output[:, 1:] == self._tokenizer.eos_token_id).any(dim=1).tolist()
        decoded = self._tokenizer.batch_decode(output, skip_special_tokens=True)
        return [(text.strip(), whole) for text, whole in zip(decoded, ended, strict=True)]


def _token(code: str) -> str | None:
    return LANGUAGES[code].flores if code in LANGUAGES else None


def _bucket(tokens: int) -> int:
    return math.ceil(tokens / BUCKET_TOKENS)


def _batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Indices in batches of one length class, longest first, of at most `budget` tokens with padding, or one text."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        longest = lengths[batch[0]] if batch else 0
        if batch and (longest * (len(batch) + 1) > budget or _bucket(longest) != _bucket(lengths[index])):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
