"""A number of millions that is said with a half: "one and a half billion" is 1.5 billion."""

from __future__ import annotations

import re

_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_WHOLE = rf"(?:(?P<word>a|{'|'.join(_NUMBERS)})|(?P<figure>\d{{1,3}}))"
_HALF = re.compile(rf"\b{_WHOLE} and a half (?P<scale>million|billion|trillion)\b", re.IGNORECASE)


def with_halves_in_figures(text: str) -> str:
    """English text with such numbers in figures, as sums of money and quantities are found in it."""
    return _HALF.sub(_figure, text)


def _figure(match: re.Match[str]) -> str:
    word = (match["word"] or "").lower()
    number = match["figure"] or ("1" if word == "a" else str(_NUMBERS.index(word) + 1))
    return f"{number}.5 {match['scale']}"
