"""What the neural translators share: text cut into sentences, batches of like length, beam search, n-best.

The models were trained on single sentences and tend to drop what follows the first one. So text is always cut at
sentences, which are translated in batches of like length and put together again. For the same reason they get no
neighbouring text: a sentence model has no way to be told which part of its input is context, and where two parts of a
sentence are translated as one, nothing says where to cut the result in two.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import Field

from dubline.domain.transcript import Line
from dubline.engines.contracts import Progress, TranslationRequest, TranslationResult, no_progress
from dubline.engines.options import Options
from dubline.engines.translation.sentences import halves, join, pieces

TRAINED_TOKENS = 512
"""Longest input of the training (NLLB Team 2022, model card; Marian's configuration of the OPUS-MT models)."""
SPARE_TOKENS = 32
GROWTH = 3
"""A translation that takes more than GROWTH times its source's tokens, and some to spare, runs in a loop."""
BUCKET_TOKENS = 32
"""A batch holds texts of one length class. The search is cut off by class, so a text's result is its own: it does not
change with what else is in the batch."""
WORTH_CUTTING = 40
"""Characters. A shorter text whose translation does not end is a loop of the model, not something long."""

Wordings = tuple[str, ...]
"""Translations of one text, best first, none twice."""


class SearchOptions(Options):
    num_beams: int = Field(4, ge=1)
    """Width of the beam search, which is deterministic. It is widened to hold the alternatives that are asked for."""
    batch_tokens: int = Field(4096, ge=1)
    """Source tokens in a batch, padding included."""


class Seq2Seq:
    """A loaded encoder-decoder of transformers with its tokenizer; the model is on its device, in eval mode."""

    def __init__(self, tokenizer: Any, model: Any, options: SearchOptions) -> None:
        self.tokenizer, self.model = tokenizer, model
        self._options = options
        # Published checkpoints stop every output at a length of theirs, and make it look ended; here the limit follows
        # the input, and whether an output ended by itself has to show.
        model.generation_config.max_length = None
        model.generation_config.forced_eos_token_id = None
        self._positions = int(model.config.max_position_embeddings)
        self._limit = min(TRAINED_TOKENS, self._positions)

    def translate(self, request: TranslationRequest, progress: Progress, **generation: Any) -> TranslationResult:
        """A line for each text, empty for an empty text. `generation` goes to the model."""
        search = _Search(self, request.target, request.alternatives + 1, generation)
        cut = [pieces(text, self._fits) for _, text in request.texts]
        whole = iter(search.run([piece for parts in cut for piece in parts], progress))
        found = [search.joined([next(whole) for _ in parts]) for parts in cut]
        progress(1.0)
        lines = tuple(
            Line(segment, best, alternatives=tuple(others))
            for (segment, _), (best, *others) in zip(request.texts, found, strict=True)
        )
        return TranslationResult(lines, (request.source, request.target))

    def length(self, piece: str) -> int:
        """Tokens, the language's and the end's included."""
        return len(self.tokenizer(piece).input_ids)

    def _fits(self, piece: str) -> bool:
        return self.length(piece) <= self._limit

    def batches(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        return _batches(lengths, self._options.batch_tokens)

    def generate(self, texts: Sequence[str], count: int, generation: dict[str, Any]) -> list[list[tuple[str, bool]]]:
        """`count` wordings of each text, and whether each ended by itself. The texts are of one length class."""
        import torch

        inputs = self.tokenizer(list(texts), padding=True, return_tensors="pt").to(self.model.device)
        limit = GROWTH * BUCKET_TOKENS * _bucket(inputs.input_ids.shape[1]) + SPARE_TOKENS
        with torch.inference_mode():
            output = self.model.generate(
                **inputs,
                **generation,
                num_beams=max(self._options.num_beams, count),
                num_return_sequences=count,
                do_sample=False,
                max_new_tokens=min(limit, self._positions - 1),
            )
        # The first token is the decoder's start, which in some families is the end token too.
        ended = (output[:, 1:] == self.tokenizer.eos_token_id).any(dim=1).tolist()
        decoded = self.tokenizer.batch_decode(output, skip_special_tokens=True)
        found = [(text.strip(), whole) for text, whole in zip(decoded, ended, strict=True)]
        return [found[start : start + count] for start in range(0, len(found), count)]


class _Search:
    """One request's search: pieces in, wordings out."""

    def __init__(self, model: Seq2Seq, target: str, count: int, generation: dict[str, Any]) -> None:
        self._model, self._target, self._count, self._generation = model, target, count, generation

    def run(self, texts: Sequence[str], progress: Progress) -> list[Wordings]:
        """Translate pieces that fit; one whose translation does not end is cut in two and translated again."""
        lengths = [self._model.length(text) for text in texts]
        results: dict[int, Wordings] = {}
        for batch in self._model.batches(lengths):
            found = self._model.generate([texts[i] for i in batch], self._count, self._generation)
            results.update((i, self._settled(texts[i], wordings)) for i, wordings in zip(batch, found, strict=True))
            progress(sum(lengths[i] for i in results) / sum(lengths))
        return [results[index] for index in range(len(texts))]

    def _settled(self, source: str, found: list[tuple[str, bool]]) -> Wordings:
        """The best wording, whatever it is like, and of the others those that ended and say something."""
        best, ended = found[0]
        parts = None if ended or len(source) < WORTH_CUTTING else halves(source)
        if parts:
            return self.joined(self.run(parts, no_progress))
        others = (text for text, whole in found[1:] if whole and text)
        return tuple(dict.fromkeys((best, *others)))

    def joined(self, parts: Sequence[Wordings]) -> Wordings:
        """The best wordings of all pieces together, then the second best, and so on; the best if one has no such."""
        most = max(map(len, parts), default=1)
        whole = (
            join([part[rank] if rank < len(part) else part[0] for part in parts], self._target) for rank in range(most)
        )
        return tuple(dict.fromkeys(whole))


def weight_type(device: str) -> Any:
    """The number format of the weights: half precision on a GPU, where it is faster."""
    import torch

    return torch.float16 if device == "cuda" else torch.float32


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
