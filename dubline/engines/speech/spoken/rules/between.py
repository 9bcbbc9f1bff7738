"""What stands between two numbers: a dash, a cross, a slash between years."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dubline.engines.speech.spoken.language import Language
from dubline.engines.speech.spoken.numerals import GROUPED
from dubline.engines.speech.spoken.rules import Rule, alternatives

_HOUR = r"\d{1,2}(?:[:.h]\d\d)?"
_CLOCK = r"(?:\s?[apAP]\.?\s?[mM]\b\.?|\s?h\b|\s?hrs?\b|\s?बजे)"
_MODEL = re.compile(r"\b[A-Z]\w+\s$")
"""A name before two numbers of three digits: "Boeing 737-800"."""


def times(language: Language) -> Iterator[Rule]:
    """A dash between two times of day."""
    yield (
        re.compile(rf"(?<![\w.,:/-])({_HOUR}{_CLOCK}?)\s?[-–—]\s?(?={_HOUR}{_CLOCK}|\d{{1,2}}[:h]\d\d(?!\d))"),
        lambda match: f"{match.group(1)} {language.until} ",
    )
    yield re.compile(r"(?<![\w.,/])((?:1[89]|20)\d\d)/(\d\d)(?![\w/]|[.,]\d)"), lambda m: f"{m.group(1)} {m.group(2)}"


def crosses(language: Language) -> Iterator[Rule]:
    yield (
        re.compile(rf"(?<=\d)\s?[x×*·]\s?(?=[-{GROUPED}]?\d)"),
        lambda match: f" {language.crossed(match)} ",
    )


def ranges(language: Language) -> Iterator[Rule]:
    """A dash between two numbers becomes a word; both stay in figures for the rules of sums and measures."""
    number = language.bare_number
    money = alternatives(language.words.currencies)
    unit = alternatives([*language.words.units, *language.words.scales, "%"])

    def joined(match: re.Match[str]) -> str:
        first, second = match.group("first"), match.group("second")
        if _MODEL.search(match.string[: match.start()]) and len(first) == len(second) == 3:
            return f"{first} {second}"
        if match.group("money") and not match.group("money2"):
            behind = re.match(r"\s?\w+", match.string[match.end() :])
            scale = behind.group().strip() if behind and behind.group().strip() in language.words.scale_words else ""
            if not scale and not (behind and re.fullmatch("[kKMB]", behind.group().strip())):
                return language.between(first, f"{second} {match.group('money')}", match)
            return language.between(first, f"{match.group('money')}{second}", match)
        left = f"{match.group('money') or ''}{first}{match.group('unit') or ''}"
        return language.between(left, f"{match.group('money2') or ''}{second}", match)

    yield (
        re.compile(
            rf"(?<![\w{GROUPED}])(?<!\d[.,])(?<!\d-)(?P<money>(?:{money})\s?)?(?P<first>{number})(?P<unit>\s?(?:{unit}))?"
            rf"(?P<sign>\s?[-–—]\s?)(?P<money2>(?:{money})\s?)?(?P<second>{number})(?!\d|[.,/]\d|\s?[-–—]\d)(?!\s?[-+*/]?\s?\d*\s?=)"
        ),
        joined,
    )
