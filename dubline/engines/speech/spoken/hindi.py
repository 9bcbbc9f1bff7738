"""Hindi: "ढाई घंटे", "साढ़े सात बजे", "उन्नीस सौ सैंतालीस", lakhs and crores."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from dubline.engines.speech.spoken.language import WORD, Language, first_word
from dubline.engines.speech.spoken.numerals import Form

if TYPE_CHECKING:
    from dubline.engines.speech.spoken.rules import Rule

_STEMS = {1: "पहल", 2: "दूसर", 3: "तीसर", 4: "चौथ", 6: "छठ"}
_RULERS = ("प्रथम", "द्वितीय", "तृतीय", "चतुर्थ", "पंचम", "षष्ठ", "सप्तम", "अष्टम", "नवम", "दशम")
_ENGLISH = (
    *("फ़र्स्ट", "सेकंड", "थर्ड", "फ़ोर्थ", "फ़िफ़्थ"),
    *("सिक्स्थ", "सेवंथ", "एट्थ", "नाइंथ", "टेंथ"),
)
"""What "1st" to "10th" are called."""
_SUFFIX = re.compile(r"-?(?:[लरथठ]([ाीे])|व([ाीे])[ँं]?|(th|st|nd|rd))")


class Hindi(Language):
    code = "hi"
    phone_pattern: ClassVar[str] = r"[6-9]\d{4}-\d{5}"

    def decimals(self, digits: str) -> str:
        return self.numerals.digits(digits)

    def standing(self, written: str, before: str, after: str) -> str:
        """Four digits without a comma are said in hundreds up to 1999, as years are."""
        if re.fullmatch(r"1[1-9]\d\d", written):
            return self.year(int(written))
        return super().standing(written, before, after)

    def year(self, number: int) -> str:
        if not 1100 <= number < 2000:
            return self.cardinal(number)
        hundreds, rest = divmod(number, 100)
        return f"{self.cardinal(hundreds)} सौ" + (f" {self.cardinal(rest)}" if rest else "")

    def date(self, day: int, month: int, year: int | None) -> str:
        said = f"{self.cardinal(day)} {self.words.months[month - 1]}"
        return said if year is None else f"{said} {self.year(year)}"

    def decade(self, number: int) -> str:
        return self.year(number)

    def clock(self, hours: int, minutes: int, half: str, before: str, named: bool) -> str:
        part = ""
        if half:
            part = "सुबह " if half == "am" else "रात " if 8 <= hours < 12 else "शाम " if 4 <= hours < 8 else "दोपहर "
        if not minutes:
            return f"{part}{self.cardinal(hours)} बजे"
        if named and 0 < hours <= 12 and minutes in (15, 30, 45):
            return f"{part}{self._quarters(hours, minutes)} बजे"
        return f"{part}{self.cardinal(hours)} बजकर {self.cardinal(minutes)} मिनट"

    def _quarters(self, whole: int, minutes: int) -> str:
        """A number with a quarter, a half or three quarters, given as minutes of an hour."""
        if minutes == 30 and whole in (1, 2):
            return "डेढ़" if whole == 1 else "ढाई"
        if minutes == 15:
            return "सवा" if whole == 1 else f"सवा {self.cardinal(whole)}"
        return f"साढ़े {self.cardinal(whole)}" if minutes == 30 else f"पौने {self.cardinal(whole + 1)}"

    def named_dates(self) -> Iterator[Rule]:
        """A time with its word behind it: "7:30 बजे"."""
        yield (
            re.compile(r"(?<![\w:.,/])(\d{1,2})[:.](\d\d)\s?बजे"),
            lambda match: (
                self.clock(int(match.group(1)), int(match.group(2)), "", "", True)
                if int(match.group(2)) < 60
                else match.group()
            ),
        )

    def fraction(self, above: int, below: int, after: str) -> str:
        if (above, below) == (1, 2):
            return "आधी" if first_word(after) in self.words.feminine else "आधा"
        if below in (3, 4):
            return f"{self.cardinal(above)} {self.words.denominators[below][0]}"
        return f"{self.cardinal(above)} बटा {self.cardinal(below)}"

    def mixed(self, whole: str, above: int, below: int, noun: str) -> str:
        minutes = {(1, 4): 15, (1, 2): 30, (3, 4): 45}.get((above, below))
        if minutes is None:
            said = f"{self.integer(whole)} सही {self.fraction(above, below, '')}"
        else:
            said = self._quarters(int(whole), minutes)
        return f"{said} {noun}".strip()

    def roman_before(self, number: int, noun: str) -> str | None:
        return self._ordinal(number, "ी" if noun in self.words.feminine else "ा")

    def folded(self, written: str, before: str, after: str) -> str:
        return f"{self.number(written)} {self.words.fold[0]}"

    def cents(self, whole: str, part: str, currency: tuple[str, ...]) -> str:
        return f"{whole} {part}"

    def or_more(self, written: str) -> str:
        return f"{written} {self.words.more_than}"

    def regnal(self, number: int, name: str) -> str:
        return _RULERS[number - 1] if number <= len(_RULERS) else self._ordinal(number, "े")

    def repeated(self, written: str, before: str, after: str) -> str:
        return f"{self.number(written)} बार"

    def slashed(self, above: int, below: int, before: str, after: str) -> str:
        """A day and a month stand for what happened on it, "26/11"; the best marks are said first, "10 में से 8"."""
        if above > below and above <= 31 and below <= 12:
            return f"{self.cardinal(above)} {self.cardinal(below)}"
        if 1 < above <= below and below in self.marks:
            return f"{self.cardinal(below)} {self.words.out_of} {self.cardinal(above)}"
        return super().slashed(above, below, before, after)

    def between(self, first: str, second: str, match: re.Match[str]) -> str:
        """A range climbs; a score is two numbers side by side."""
        clause = (
            re.split(r"[,;।]", match.string[: match.start()])[-1] + re.split(r"[,;।]", match.string[match.end() :])[0]
        )
        words = set(WORD.findall(clause))
        if match.string[match.end() :].lstrip().startswith("बजे"):
            return super().between(first, second, match)
        climbs = first.isdigit() and second.isdigit() and int(first) < int(second)
        if first.isdigit() and second.isdigit() and (not climbs or words & set(self.words.score)):
            return f"{first} {second}"
        return super().between(first, second, match)

    def own_figures(self) -> Iterator[Rule]:
        """What a number is compared with stands behind it."""
        yield (
            re.compile(rf"([<>≤≥])\s?({self.bare_number})"),
            lambda match: f"{match.group(2)} {self.words.signs[match.group(1)]}",
        )

    def ordinal(self, number: int, form: Form = "masculine") -> str:
        return self._ordinal(number, "ी" if form == "feminine" else "ा")

    def _ordinal(self, number: int, vowel: str) -> str:
        if number in _STEMS:
            return _STEMS[number] + vowel
        said = self.cardinal(number).removeprefix("एक ") if number in (100, 1000) else self.cardinal(number)
        return f"{said}व{vowel}{'ँ' if vowel == 'ा' else 'ं'}"

    def spelled_ordinal(self, number: int, suffix: str, before: str, after: str) -> str | None:
        found = _SUFFIX.fullmatch(suffix)
        if not found:
            return None
        if found.group(3) and 0 < number <= len(_ENGLISH):
            return _ENGLISH[number - 1]
        vowel = "ी" if first_word(after) in self.words.feminine else "ा"
        return self._ordinal(number, found.group(1) or found.group(2) or vowel)
