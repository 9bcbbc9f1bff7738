"""Numbers in figures as the target language writes them: 3,500 in one language is 3.500 in another.

Separators as in Unicode's CLDR, "numbers/symbols" of each locale.
"""

from __future__ import annotations

import re

from dubline.domain.glossary import NO_GLOSSARY, Glossary

_COMMA_GROUPS = frozenset(
    ("en", "zh", "zh-hant", "yue", "ja", "ko", "hi", "th", "he", "ar", "bn", "ta", "te", "ur", "sw", "cy", "ga", "mt")
)
"""3,500 and 2.5."""
_SPACE_GROUPS = frozenset(
    ("fr", "ru", "uk", "bg", "cs", "sk", "pl", "fi", "sv", "nb", "nn", "no", "hu", "lt", "lv", "et")
)
"""3 500 and 2,5."""
_NO_BREAK = "\u00a0"
_FIGURES = re.compile(r"(?<![\w.,])\d+(?:[.,]\d+)+(?![\w]|[.,]\d)")
_NAMED = re.compile(r"(?<=[\w,] )[A-Z]\w* (\d+(?:[.,]\d+)+)")
"""A number behind a capitalized word that does not begin the text."""


def localized(
    text: str, source: str, source_language: str, target_language: str, glossary: Glossary = NO_GLOSSARY
) -> str:
    """The translation with those numbers rewritten that it took over from the source as they stood.

    A number with a separator that the source does not have was written by the engine, and is left alone; so is one that
    belongs to a name ("Python 3.11") or to a term of the glossary.
    """
    if _symbols(source_language) == _symbols(target_language):
        return text
    terms = " ".join(source[found.start : found.end] for found in glossary.find(source))
    known = set(_FIGURES.findall(source)) - set(_NAMED.findall(source)) - set(_FIGURES.findall(terms))
    return _FIGURES.sub(
        lambda m: _rewritten(m.group(), source_language, target_language) if m.group() in known else m.group(), text
    )


def _symbols(language: str) -> tuple[str, str]:
    """Between groups of three digits, and before decimals."""
    if language in _COMMA_GROUPS:
        return ",", "."
    return (_NO_BREAK, ",") if language in _SPACE_GROUPS else (".", ",")


def _rewritten(number: str, source_language: str, target_language: str) -> str:
    group, point = _symbols(source_language)
    pattern = rf"(\d{{1,3}}(?:{re.escape(group)}\d{{3}})+|\d+)(?:{re.escape(point)}(\d+))?"
    found = re.fullmatch(pattern, number)
    if not found:
        return number  # a date, a version, a time: not a number of the source's language
    new_group, new_point = _symbols(target_language)
    whole = found.group(1).replace(group, new_group)
    return whole if found.group(2) is None else f"{whole}{new_point}{found.group(2)}"
