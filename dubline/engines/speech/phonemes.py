"""Text as the sounds that Kokoro speaks, by espeak-ng."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

from dubline.engines.contracts import SpeechRequest
from dubline.engines.speech.spoken import spoken, spoken_around

LANGUAGES = {"en": "en-us", "es": "es", "fr": "fr-fr", "hi": "hi", "it": "it", "pt": "pt-br"}
"""espeak-ng's name of each language that Kokoro was trained on with espeak's phonemes. Japanese and Chinese were
trained on another phonemizer's symbols and are left out: they would be spoken wrongly."""


_SWITCHED = re.compile(r"\(en[a-z-]*\)(.*?)(?:\([a-z]{2}[a-z-]*\)|$)")
"""What espeak-ng reads by the rules of English, between marks that Kokoro would speak: "(en)software(fr)"."""


def phonemes_of(request: SpeechRequest) -> str:
    """The text in the symbols that Kokoro speaks: IPA, stress and length marks, punctuation.

    Figures and signs are put into words first. Names that the text keeps from the source are read as in their own
    language, where espeak-ng is known to read it, and as they are written.
    """
    if not request.foreign or request.foreign_language not in LANGUAGES:
        return phonemes(request.text, request.language, request.voice)
    name = "|".join(re.escape(name) for name in sorted(request.foreign, key=len, reverse=True))
    text = spoken_around(request.text, request.foreign, request.language)
    parts = re.split(rf"((?<!\w)(?:{name})(?:\s+(?:{name}))*(?!\w))", text)
    read = (
        _read(part, request.foreign_language if number % 2 else request.language, request.voice)
        for number, part in enumerate(parts)
        if part.strip()
    )
    return re.sub(r"\s+([,.;:!?…])", r"\1", " ".join(read))


def phonemes(text: str, language: str, voice: str) -> str:
    """The text, its figures and signs in words, as espeak-ng reads it in a language."""
    return _read(spoken(text, language), language, voice)


@lru_cache(maxsize=4096)
def _read(text: str, language: str, voice: str) -> str:
    """The text as it is written; British English for British voices."""
    name = "en-gb" if language == "en" and voice.startswith("b") else LANGUAGES[language]
    return _SWITCHED.sub(r"\1", str(_tokenizer().phonemize(text, name)))


@cache
def _tokenizer() -> Any:
    from kokoro_onnx.tokenizer import Tokenizer

    return Tokenizer()
