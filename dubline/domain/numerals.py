"""Numbers in figures as the target language writes them: 3,500 in one language is 3.500 in another.

Separators as in Unicode's CLDR, "numbers/symbols" of each locale.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

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
_NAMED = re.compile(r"(?:(?<=[\w,] )[A-Z]\w*|\b(?i:version|release|versión|versione|versão)) (\d+(?:[.,]\d+)+)")
"""A number behind a capitalized word that does not begin the text, or of a version."""
_ADDRESS = re.compile(r"\S*(?:://|www\.|\w@\w)\S*")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number in figures, apart from any language's way to write it."""

    whole: str
    """Digits alone."""
    decimals: str = ""
    """As many as were written."""
    grouped: bool = True
    """Whether a mark parts groups of three digits."""

    @property
    def value(self) -> Decimal:
        return Decimal(f"{self.whole}.{self.decimals or 0}")

    def times(self, factor: int) -> Figure:
        """The product, without decimals that say nothing."""
        whole, _, decimals = f"{self.value * factor:f}".partition(".")
        return Figure(whole, decimals.rstrip("0"))

    def written(self, language: str) -> str:
        group, point = _symbols(language)
        whole = f"{int(self.whole):,}".replace(",", group) if self.grouped else self.whole
        return f"{whole}{point}{self.decimals}" if self.decimals else whole


def figure_pattern(language: str) -> str:
    """A regular expression, without groups, for what `figure` reads."""
    group, point = _symbols(language)
    marks = "[\u00a0\u202f ]" if group == _NO_BREAK else re.escape(group)
    return rf"(?:\d{{1,3}}(?:{marks}\d{{3}})+(?!\d)|\d+)(?:{re.escape(point)}\d+)?"


def figure(number: str, language: str) -> Figure | None:
    """A number in figures that is written as the language writes it; else None: a date, a version, a time."""
    if not re.fullmatch(figure_pattern(language), number):
        return None
    whole, _, decimals = number.partition(_symbols(language)[1])
    digits = re.sub(r"\D", "", whole)
    return Figure(digits, decimals, grouped=digits != whole)


def localized(
    text: str, source: str, source_language: str, target_language: str, glossary: Glossary = NO_GLOSSARY
) -> str:
    """The translation with those numbers rewritten that it took over from the source as they stood.

    A number with a separator that the source does not have was written by the engine, and is left alone; so is one that
    belongs to a name ("Python 3.11"), to an address, or to a term of the glossary.
    """
    if _symbols(source_language) == _symbols(target_language):
        return text
    terms = " ".join(source[found.start : found.end] for found in glossary.find(source))
    fixed = " ".join((terms, *_ADDRESS.findall(source)))
    known = set(_FIGURES.findall(source)) - set(_NAMED.findall(source)) - set(_FIGURES.findall(fixed))

    def rewritten(match: re.Match[str]) -> str:
        number = figure(match.group(), source_language) if match.group() in known else None
        return number.written(target_language) if number else match.group()

    return _FIGURES.sub(rewritten, text)


def _symbols(language: str) -> tuple[str, str]:
    """Between groups of three digits, and before decimals."""
    if language in _COMMA_GROUPS:
        return ",", "."
    return (_NO_BREAK, ",") if language in _SPACE_GROUPS else (".", ",")
