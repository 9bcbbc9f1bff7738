"""OPUS-MT through transformers: Marian models of the University of Helsinki, one for each pair and direction.

A model's name says its pair, as the publisher's own names do: `opus-mt-en-es` goes from English to Spanish.
"""

from __future__ import annotations

import re
import warnings
from typing import Any, ClassVar

from dubline.domain.errors import InvalidRequest, UnsupportedLanguage
from dubline.engines.contracts import Progress, TranslationRequest, TranslationResult, no_progress
from dubline.engines.device import device, loading, running
from dubline.engines.models import ModelStore
from dubline.engines.options import read_options
from dubline.engines.registry import EngineSpec
from dubline.engines.translation.seq2seq import SearchOptions, Seq2Seq, weight_type

_NAME = re.compile(r"opus-mt-(?:[a-z]+-)*?([a-z]{2,3})-([a-z]{2,3})")
"""With what stands between, such as `tc-big`."""


class OpusMt:
    offers_alternatives: ClassVar[bool] = True

    def __init__(self, spec: EngineSpec, models: ModelStore) -> None:
        self._spec = spec
        options = read_options(SearchOptions, spec)
        pair_of(spec)
        folder, where = models.path(str(spec.model)), device()
        with loading("OPUS-MT", spec.model):
            from transformers import MarianMTModel, MarianTokenizer

            with warnings.catch_warnings(action="ignore"):  # it recommends a package that it does well without
                tokenizer: Any = MarianTokenizer.from_pretrained(folder, local_files_only=True)
            model: Any = MarianMTModel.from_pretrained(folder, local_files_only=True, dtype=weight_type(where))
            self._model = Seq2Seq(tokenizer, model.to(where).eval(), options)

    @staticmethod
    def supports(spec: EngineSpec, source: str, target: str) -> bool:
        return (source, target) == pair_of(spec)

    @staticmethod
    def unsupported(spec: EngineSpec, source: str, target: str) -> str:
        """One sentence for a pair that is not supported."""
        return (
            f"The OPUS-MT model '{spec.model}' translates from '{pair_of(spec)[0]}' to '{pair_of(spec)[1]}' alone; "
            f"name one for '{source}' to '{target}' in the profile, such as opus-mt-{source}-{target}."
        )

    def translate(self, request: TranslationRequest, progress: Progress = no_progress) -> TranslationResult:
        if not self.supports(self._spec, request.source, request.target):
            raise UnsupportedLanguage(self.unsupported(self._spec, request.source, request.target))
        with running("OPUS-MT", f"translate from {request.source} to {request.target}"):
            return self._model.translate(request, progress)


def pair_of(spec: EngineSpec) -> tuple[str, str]:
    """Source and target language of the profile's model. Raises InvalidRequest for a name that does not say them."""
    match = _NAME.fullmatch(spec.model or "")
    if match is None:
        raise InvalidRequest(
            f"The OPUS-MT model '{spec.model}' does not say its pair; name one of models.yaml such as opus-mt-en-es."
        )
    return match[1], match[2]
