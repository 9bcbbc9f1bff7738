"""Text as a speaker says it: figures, signs and abbreviations as words.

What is spoken may come from a translation, a glossary, a person's edit or the source itself; all of it passes here on
its way to the phonemizer. Subtitles keep the figures. Number words come from Unicode's CLDR; which figures are a date,
a sum or a range is told by the rules of `rules/`, in an order that each relies on; a language's own ways stand in a
file of its name, and its words in `lexicons/`.
"""

from __future__ import annotations

import hashlib
import importlib
import re
from collections.abc import Sequence
from functools import cache, lru_cache

from dubline.engines.speech.spoken.lexicon import FOLDER
from dubline.engines.speech.spoken.rules import Rule, all_rules
from dubline.engines.speech.spoken.tidying import tidied, uniform

LANGUAGES = {
    "en": "english:English",
    "es": "spanish:Spanish",
    "fr": "french:French",
    "hi": "hindi:Hindi",
    "it": "italian:Italian",
    "pt": "portuguese:Portuguese",
}


@lru_cache(maxsize=4096)
def spoken(text: str, language: str) -> str:
    """The text in words; as it is where nothing is known of the language."""
    if language not in LANGUAGES:
        return text
    text = uniform(text)
    for pattern, said in _rules(language):
        text = pattern.sub(said, text)
    return tidied(text)


def spoken_around(text: str, names: Sequence[str], language: str) -> str:
    """The text in words but for `names`, which stay as they are written."""
    held = [name for name in sorted(names, key=len, reverse=True) if spoken(name, language) != name]
    for number, name in enumerate(held):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", chr(_HELD + number), text)
    text = spoken(text, language)
    for number, name in enumerate(held):
        text = text.replace(chr(_HELD + number), name)
    return text


def digest() -> str:
    """Of all lexicons: they decide what is spoken."""
    written = (path.read_bytes() for path in sorted(FOLDER.glob("*.yaml")))
    return hashlib.sha256(b"".join(written)).hexdigest()


_HELD = 0xE100
"""The first of the private characters that stand for names while the rules work."""


@cache
def _rules(language: str) -> tuple[Rule, ...]:
    module, _, name = LANGUAGES[language].partition(":")
    return tuple(all_rules(getattr(importlib.import_module(f"{__name__}.{module}"), name)()))
