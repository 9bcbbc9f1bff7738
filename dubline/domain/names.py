"""Which words of a translation were kept from the source: names, that are to be read as in their own language."""

from __future__ import annotations

import re

from dubline.domain.attribution import ends_sentence

_WORD = re.compile(r"\w[\w'’-]*")


def kept_names(source: str, translated: str, untranslated: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Words that stand in both texts alike and are names: capitalized inside a sentence of the source, or known to be
    `untranslated`. In the order of the translation, each once."""
    names = set(untranslated)
    at_start = True
    for token in source.split():
        word = _WORD.search(token)
        if word and not at_start and word.group()[0].isupper():
            names.add(word.group())
        at_start = ends_sentence(token)
    return tuple(dict.fromkeys(word for word in _WORD.findall(translated) if word in names))
