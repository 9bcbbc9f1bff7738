"""What Spanish, French, Italian and Portuguese have in common: nouns have genders, and some numbers agree with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from dubline.engines.speech.spoken.language import Language, first_word, last_word
from dubline.engines.speech.spoken.numerals import GROUPED, Form
from dubline.engines.speech.spoken.rules import Rule, alternatives


class Romance(Language):
    agrees: ClassVar[re.Pattern[str]]
    """Numbers whose word changes with the noun."""
    plural_s: ClassVar[bool] = True
    """Plural nouns end in s."""

    def form(self, written: str, before: str, after: str) -> Form:
        if not self.agrees.search(written) or last_word(before) in self.words.numbered:
            return "numbering"
        rest = re.sub(r"^\smil\b", "", self._behind_range(after)) if self.plural_s else self._behind_range(after)
        noun = first_word(rest)
        if not noun or noun in self.words.functions:
            return "numbering"
        many = not self.is_one(written)
        if many and self.plural_s and not noun.endswith("s"):
            return "numbering"
        second = first_word(rest.lstrip()[len(noun) :])
        if noun in self.words.adjectives and second and second not in self.words.functions:
            noun = second
        return "feminine" if self.is_feminine(noun) else "masculine"

    def _behind_range(self, after: str) -> str:
        """What is counted stands behind the second number of "1 to 2 hours"."""
        found = re.match(rf"\s{re.escape(self.words.range)}\s{GROUPED}?\d[\d.,]*(?=\s)", after)
        return after[found.end() :] if found else after

    def regnal(self, number: int, name: str) -> str:
        return (
            self.ordinal(number, "feminine" if self.is_feminine(name) else "masculine")
            if number <= 10
            else self.cardinal(number)
        )

    def is_feminine(self, noun: str) -> bool:
        noun = noun.lower()
        single = self.singular(noun)
        if noun in self.words.masculine or single in self.words.masculine:
            return False
        if noun in self.words.feminine or single in self.words.feminine:
            return True
        return single.endswith(self.words.feminine_endings)

    def singular(self, noun: str) -> str:
        return noun.removesuffix("s")

    def date(self, day: int, month: int, year: int | None) -> str:
        of = f"{self.words.date_of} " if self.words.date_of else ""
        said = f"{self.day(day)} {of}{self.words.months[month - 1]}"
        return said if year is None else f"{said} {of}{self.year(year)}"

    def named_dates(self) -> Iterator[Rule]:
        """The first of a month is an ordinal; other days are plain numbers."""
        months = alternatives(self.words.months)
        of = rf"(?:{self.words.date_of}\s)" if self.words.date_of else ""
        yield (
            re.compile(rf"(?<![\w.,/-])(?:0?1)\s?(?:er|[º°]|\.º|o)?(?=\s{of}(?:{months})\b)", re.IGNORECASE),
            lambda match: self.day(1) if match.group()[-1].isdigit() else self.ordinal(1),
        )

    def lasts(self, hours: int, before: str, named: bool) -> bool:
        """Whether "2h30" is a time that something takes: no word of a time of day stands before it."""
        article = rf"\b(?:{alternatives(self.words.clocks)})\s$"
        return named and 0 < hours < 12 and not re.search(article, before, re.IGNORECASE)

    def is_degrees(self, suffix: str, before: str, after: str) -> bool:
        """ "20°" is no ordinal where it counts nothing and stands behind no word of rank."""
        return suffix == "°" and not self.counts(after) and last_word(before) not in self.words.ranked

    def roman_before(self, number: int, noun: str) -> str | None:
        return self.ordinal(number, "feminine" if self.is_feminine(noun) else "masculine")

    def title(self, said: str, name: str) -> str:
        his, _, hers = said.partition("|")
        return hers if hers and self.is_feminine(name) else his

    def one_of(self, nouns: str) -> str:
        """A plural noun's singular."""
        return self.singular(nouns)
