"""English: "nineteen ninety", "the nineties", "May third", "half past" is left to those who write it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from dubline.engines.speech.spoken.language import Language, first_word, last_word
from dubline.engines.speech.spoken.numerals import GROUPED

if TYPE_CHECKING:
    from dubline.engines.speech.spoken.rules import Rule

_ORDINAL = re.compile(r"st|nd|rd|th")
_ARTICLES = (
    "a",
    "an",
    "the",
    "another",
    "one",
    "each",
    "every",
    "this",
    "that",
    "my",
    "his",
    "her",
    "our",
    "their",
    "your",
)
_PRICED = (
    *("bill", "bills", "note", "notes", "coin", "coins", "ticket", "tickets", "deal", "deals", "contract", "contracts"),
    *("fine", "fines", "fee", "fees", "prize", "budget", "loan", "loans", "takeover", "investment", "bid", "mortgage"),
    *("donation", "grant", "bonus", "lawsuit", "settlement", "salary", "angle", "angles", "upgrade", "project"),
)
"""Nouns that a sum or a measure is said of, "two twenty dollar bills", with no article before it."""


class English(Language):
    code = "en"
    no_numeral: ClassVar[str] = r"(?!I\s(?!(?:and|or|to)\s[IVX]+\b)[a-z]|I['’])"
    month_first: ClassVar[bool] = True

    def decimals(self, digits: str) -> str:
        return self.numerals.digits(digits)

    def standing(self, written: str, before: str, after: str) -> str:
        """Four digits are a year, unless a plural noun follows; a version's second number is no decimal."""
        if re.fullmatch(r"1[1-9]\d\d|20\d\d", written) and self._is_year(before, after):
            return self.year(int(written))
        if re.fullmatch(r"10[1-9]\d", written) and last_word(before) == "in" and self._is_year("", after):
            return self.year(int(written))
        if written == "911" or (written in ("411", "999", "112") and last_word(before) in ("call", "dial")):
            return self.numerals.digits(written)
        version = re.fullmatch(r"(\d+)\.(\d\d)", written)
        if (
            version
            and re.search(r"\b(?:[A-Z]\w*|version|v\.?)\s$", before)
            and last_word(before) not in self.words.functions
        ):
            return f"{self.integer(version.group(1))} {self.words.points['.']} {self.integer(version.group(2))}"
        return self.number(written)

    def _is_year(self, before: str, after: str) -> bool:
        noun = first_word(after)
        if last_word(before) in self.words.years:
            return True
        plural = noun.endswith("s") and noun not in self.words.functions and len(noun) > 3
        return not plural and noun not in self.words.feminine

    def year(self, number: int) -> str:
        if not 1010 <= number < 2100 or 2000 <= number < 2010:
            return self.cardinal(number)
        high, low = divmod(number, 100)
        rest = "hundred" if not low else self.cardinal(low) if low > 9 else f"oh {self.cardinal(low)}"
        return f"{self.cardinal(high)} {rest}"

    def decade(self, number: int) -> str:
        high, low = divmod(number, 100)
        tens = {0: "hundreds" if high % 10 else "thousands", 10: "tens"}.get(low) or f"{self.cardinal(low)[:-1]}ies"
        if not high:
            return tens
        return f"{self.cardinal(high // 10 if tens == 'thousands' else high)} {tens}"

    def date(self, day: int, month: int, year: int | None) -> str:
        said = f"{self.words.months[month - 1]} {self.ordinal(day)}"
        return said if year is None else f"{said}, {self.year(year)}"

    def named_dates(self) -> Iterator[Rule]:
        """Dates, and before them "no. 7", which is no answer in the middle of a sentence, and "6 ft 2 in"."""
        yield (
            re.compile(r"(?<![\w.,])(\d{1,2})\s?(?:ft\.?|feet|foot)\s(\d{1,2})\s?in(?:ches\b|\.|\b)"),
            lambda match: f"{match.group(1)}'{match.group(2)}\"",
        )
        yield from self._weekdays()
        yield re.compile(r"(?<=\w )no\.\s?(?=\d)|^no\.\s?(?=\d)"), lambda _: f"{self.words.number_sign} "
        short = [f"{name[:3]}." for name in self.words.months] + ["Sept."]
        full = {name[:3]: name for name in self.words.months}
        yield (
            re.compile(rf"\b({'|'.join(map(re.escape, short))})(?=\s\d)"),
            lambda match: full[match.group(1)[:3]],
        )
        months = "|".join(self.words.months)
        yield (
            re.compile(rf"\b(?P<the>[Tt]he\s)?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s(?:of\s)?(?P<month>{months})\b"),
            lambda match: (
                f"{match.group('the') or 'the '}{self.ordinal(int(match.group('day')))} of {match.group('month')}"
            ),
        )
        yield (
            re.compile(rf"\b({months})\s(\d{{1,2}})\s?[-–]\s?(\d{{1,2}})(?![\w:.,/-]\d|\w)"),
            lambda match: (
                f"{match.group(1)} {self.ordinal(int(match.group(2)))} {self.words.range} "
                f"{self.ordinal(int(match.group(3)))}"
            ),
        )
        yield (
            re.compile(rf"\b({months})\s(\d{{1,2}})(?:st|nd|rd|th)?(?![\w:.,]\d|\w)"),
            lambda match: f"{match.group(1)} {self.ordinal(int(match.group(2)))}",
        )

    def _weekdays(self) -> Iterator[Rule]:
        """ "Mon.-Fri."."""
        full = {name[:3]: name for name in self.words.weekdays}
        day = rf"({'|'.join(full)})(?:[a-z]*day|[a-z]{{0,2}}\.?)"
        yield (
            re.compile(rf"\b{day}\s?[-–]\s?{day}(?!\w)"),
            lambda match: f"{full[match.group(1)]} {self.words.range} {full[match.group(2)]}",
        )

    def clock(self, hours: int, minutes: int, half: str, before: str, named: bool) -> str:
        said = self.cardinal(hours)
        if minutes:
            said += f" {self.cardinal(minutes)}" if minutes > 9 else f" oh {self.cardinal(minutes)}"
        elif not half:
            said += " o'clock" if 0 < hours <= 12 else " hundred"
        return f"{said} {half[0]}.m." if half else said

    def qualifies(self, before: str, after: str) -> bool:
        """ "a 5 km run", "a $5 bill", "a 10-km run"."""
        if re.match(r"-[a-z]", after):
            return True
        noun = first_word(after)
        before = re.sub(rf"[{GROUPED}\d.,]+ {self.words.range} $", "", before)
        if noun in _PRICED:
            return True
        return last_word(before) in _ARTICLES and bool(noun) and noun not in self.words.functions

    def slashed(self, above: int, below: int, before: str, after: str) -> str:
        if (above, below) == (1, 2) and re.match(r"\s(?:an?|the|of)\b", after):
            return "half"
        return super().slashed(above, below, before, after)

    def fraction(self, above: int, below: int, after: str) -> str:
        noun = first_word(after)
        measured = noun in self.words.parted
        article = "an" if noun[:1] in ("a", "e", "i", "o") or noun == "hour" else "a"
        if (above, below) == (1, 2) and self.counts(after):
            return f"half {article}" if measured else "half"
        said = super().fraction(above, below, after)
        return f"{said} of {article}" if measured else said

    def mixed(self, whole: str, above: int, below: int, noun: str) -> str:
        one, many = self.words.denominators.get(below) or self.denominator(below)
        part = f"a {one}" if above == 1 else f"{self.cardinal(above)} {many}"
        if noun and whole == "1" and not noun.endswith("s") and noun not in self.words.functions:
            noun = f"{noun}s"
        return f"{self.integer(whole)} and {part} {noun}".strip()

    def regnal(self, number: int, name: str) -> str:
        return f"the {self.ordinal(number)}" if name in self.words.regnal else self.cardinal(number)

    def roman_ordinal(self, number: int, before: str) -> str:
        return self.ordinal(number)

    def spelled_ordinal(self, number: int, suffix: str, before: str, after: str) -> str | None:
        return self.ordinal(number) if _ORDINAL.fullmatch(suffix) else None

    def own_figures(self) -> Iterator[Rule]:
        """Feet and inches: 5'9"."""
        yield (
            re.compile(r"(?<![\w.,'])(\d)\s?['’′]\s?(\d{1,2})(?:\s?(?:[\"”″]|''))?(?!\w)"),
            lambda match: f"{self.integer(match.group(1))} foot {self.integer(match.group(2))}",
        )
        yield re.compile(r"(?<![\w.,])(\d{3,4})p\b"), lambda match: f"{self._paired(int(match.group(1)))} p"

    def _paired(self, number: int) -> str:
        """Two digits at a time: "ten eighty"."""
        return (
            f"{self.cardinal(number // 100)} {self.cardinal(number % 100)}"
            if number % 100 > 9
            else self.cardinal(number)
        )

    @property
    def dot(self) -> str:
        return self.words.points["."]

    def phone_group(self, digits: str) -> str:
        return self.integer(digits) if digits.endswith("00") and len(digits) == 3 else super().phone_group(digits)

    def or_more(self, written: str) -> str:
        return f"{written} {self.words.more_than}"
