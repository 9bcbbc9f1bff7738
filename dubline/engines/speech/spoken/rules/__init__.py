"""Rules that find what is written in figures and signs; their order is that of `all_rules`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from dubline.engines.speech.spoken.language import Language

Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]


def all_rules(language: Language) -> Iterator[Rule]:
    """Each rule works on what the ones before it have left."""
    from dubline.engines.speech.spoken.rules import addresses, between, calendar, counted, figures, names, sums

    yield from addresses.rules(language)
    yield from names.abbreviations(language)
    yield from addresses.phones(language)
    yield from between.times(language)
    yield from calendar.rules(language)
    yield from figures.grouped(language)
    yield from names.rules(language)
    yield from between.crosses(language)
    yield from between.ranges(language)
    yield from sums.rules(language)
    yield from counted.fractions(language)
    yield from counted.units(language)
    yield from figures.rules(language)
    yield from figures.signs(language)
    yield from names.acronyms(language)
    yield from language.elided()


def alternatives(words: object) -> str:
    """A pattern for any of the words, the longest first."""
    return "|".join(re.escape(str(word)) for word in sorted(words, key=len, reverse=True))  # type: ignore[call-overload]


def around(match: re.Match[str]) -> tuple[str, str]:
    """What stands before and after a match."""
    return match.string[: match.start()], match.string[match.end() :]
