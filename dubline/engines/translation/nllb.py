"""NLLB-200 through transformers: any pair of its 202 languages."""

from __future__ import annotations

from typing import Any, ClassVar

from dubline.domain.errors import UnsupportedLanguage
from dubline.domain.languages import LANGUAGES
from dubline.engines.contracts import Progress, TranslationRequest, TranslationResult, no_progress
from dubline.engines.device import device, loading, running
from dubline.engines.models import ModelStore
from dubline.engines.options import read_options
from dubline.engines.registry import EngineSpec
from dubline.engines.translation.seq2seq import SearchOptions, Seq2Seq, weight_type


class Nllb:
    offers_alternatives: ClassVar[bool] = True

    def __init__(self, spec: EngineSpec, models: ModelStore) -> None:
        self._spec = spec
        options = read_options(SearchOptions, spec)
        folder, where = models.path(str(spec.model)), device()
        with loading("NLLB", spec.model):
            from transformers import AutoModelForSeq2SeqLM, NllbTokenizerFast

            tokenizer: Any = NllbTokenizerFast.from_pretrained(folder, local_files_only=True)
            model: Any = AutoModelForSeq2SeqLM.from_pretrained(folder, local_files_only=True, dtype=weight_type(where))
            self._model = Seq2Seq(tokenizer, model.to(where).eval(), options)

    @staticmethod
    def supports(_: EngineSpec, source: str, target: str) -> bool:
        return source != target and _token(source) is not None and _token(target) is not None

    @staticmethod
    def unsupported(_: EngineSpec, source: str, target: str) -> str:
        """One sentence for a pair that is not supported."""
        return f"NLLB cannot translate from '{source}' to '{target}'; choose languages that NLLB-200 knows."

    def translate(self, request: TranslationRequest, progress: Progress = no_progress) -> TranslationResult:
        if not self.supports(self._spec, request.source, request.target):
            raise UnsupportedLanguage(self.unsupported(self._spec, request.source, request.target))
        with running("NLLB", f"translate from {request.source} to {request.target}"):
            tokenizer = self._model.tokenizer
            tokenizer.src_lang = _token(request.source)
            first = tokenizer.convert_tokens_to_ids(_token(request.target))
            return self._model.translate(request, progress, forced_bos_token_id=first)


def _token(code: str) -> str | None:
    return LANGUAGES[code].flores if code in LANGUAGES else None
