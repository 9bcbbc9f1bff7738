"""What a language does with numbers, dates, sums and measures; its own file overrides what it says otherwise."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from dubline.engines.speech.spoken.lexicon import Lexicon, lexicon
from dubline.engines.speech.spoken.numerals import GROUPED, LONGEST, Form, Numerals

if TYPE_CHECKING:
    from dubline.engines.speech.spoken.rules import Rule

LETTER = r"(?:[^\W\d_]|[\u0900-\u0963\u0970-\u097f\u200d])"
"""A letter, or a mark that belongs to one: Devanagari's vowel signs are no word characters to `re`."""
WORD = re.compile(rf"{LETTER}+")


class Language(ABC):
    code: ClassVar[str]
    marks: ClassVar[tuple[int, ...]] = (10, 100)
    """Best marks: what stands over one of them is "out of" it."""
    month_first: ClassVar[bool] = False
    phone_pattern: ClassVar[str] = r"(?!)"
    """Numbers that are a phone's though their groups look like thousands."""
    no_numeral: ClassVar[str] = ""
    """A look ahead that keeps a letter from being taken for a numeral."""
    roman_suffix: ClassVar[str] = r"(?!)"
    """Letters that make an ordinal of a roman numeral."""

    def __init__(self) -> None:
        self.words: Lexicon = lexicon(self.code)
        self.numerals = Numerals(self.code)
        points = re.escape("".join(self.words.points))
        self.bare_number = rf"{GROUPED}?\d+(?:[{points}]\d+)?"
        self.number_pattern = rf"(?<![\w{GROUPED}])(?<!\d[.,]){self.bare_number}(?!\d|[.,]\d)"

    # Numbers

    def number(self, written: str, form: Form = "numbering") -> str:
        """A number in figures, with or without decimals."""
        whole, *decimals = re.split(r"([.,])", written.lstrip(GROUPED))
        if not decimals:
            return self.integer(whole, form)
        point, behind = decimals
        return f"{self.integer(whole)} {self.words.points[point]} {self.decimals(behind)}"

    def integer(self, digits: str, form: Form = "numbering") -> str:
        if len(digits) > LONGEST or (len(digits) > 1 and digits[0] == "0"):
            return self.numerals.digits(digits)
        return self.cardinal(int(digits), form)

    def cardinal(self, number: int, form: Form = "numbering") -> str:
        return self.numerals.cardinal(number, form)

    def ordinal(self, number: int, form: Form = "masculine") -> str:
        return self.numerals.ordinal(number, form)

    def decimals(self, digits: str) -> str:
        """Up to two decimals are one number; more are read one by one."""
        if len(digits) > 2 or digits[0] == "0":
            return self.numerals.digits(digits)
        return self.cardinal(int(digits))

    def form(self, written: str, before: str, after: str) -> Form:
        """How the number stands between what is before and after it."""
        return "numbering"

    def standing(self, written: str, before: str, after: str) -> str:
        """A number with no unit, as its place asks for it."""
        return self.number(written, self.form(written, before, after))

    def is_one(self, written: str) -> bool:
        return written.lstrip(GROUPED) == "1"

    def point_in(self, written: str) -> str:
        """The sign before decimals that the figures have, or the language's own."""
        return next((sign for sign in self.words.points if sign in written), self.point)

    @property
    def point(self) -> str:
        return next(iter(self.words.points))

    def own_figures(self) -> Iterator[Rule]:
        """Rules of the language alone, before those for plain numbers."""
        return iter(())

    def sign(self, sign: str, before: str, after: str) -> str:
        """A sign by itself; nothing where it is not spoken."""
        return self.words.signs.get(sign, "")

    def elided(self) -> Iterator[Rule]:
        """What the number's words do to the word before them; the last rules of all."""
        return iter(())

    def folded(self, written: str, before: str, after: str) -> str:
        """ "2x"."""
        one, many = self.words.fold
        return f"{self.number(written, 'feminine')} {one if self.is_one(written) else many}"

    def repeated(self, written: str, before: str, after: str) -> str:
        """ "x3"."""
        return self.folded(written, before, after)

    def crossed(self, match: re.Match[str]) -> str:
        """What is said for the cross between two numbers: factors have a result behind them, sides have none."""
        return self.words.times if re.match(r"[\d.,]+\s?=", match.string[match.end() :]) else self.words.by

    def or_more(self, written: str) -> str:
        """ "5+"."""
        return f"{self.words.more_than} {written}"

    def between(self, first: str, second: str, match: re.Match[str]) -> str:
        """A range, both ends still in figures."""
        return f"{first} {self.words.range} {second}"

    def singular_name(self, written: str, before: str, after: str) -> bool:
        """Whether a unit behind the number is in the singular."""
        return self.is_one(written) or self.qualifies(before, after)

    def qualifies(self, before: str, after: str) -> bool:
        """Whether a measure or a sum is said as an adjective, "a five dollar bill"."""
        return False

    # Dates and times

    def year(self, number: int) -> str:
        return self.cardinal(number)

    def day(self, number: int) -> str:
        return self.cardinal(number)

    def named_dates(self) -> Iterator[Rule]:
        """Rules for dates with a month's name."""
        return iter(())

    @abstractmethod
    def date(self, day: int, month: int, year: int | None) -> str: ...

    @abstractmethod
    def clock(self, hours: int, minutes: int, half: str, before: str, named: bool) -> str:
        """A time of day. `half` is "am", "pm" or empty; `named` tells that the hour's sign is written ("14h30")."""

    def decade(self, number: int) -> str:
        """What follows "the years": 90, 1990, 2000."""
        return self.cardinal(number)

    # Parts and powers

    def slashed(self, above: int, below: int, before: str, after: str) -> str:
        """Two numbers with a slash between them: a fraction, marks out of ten, or just two numbers."""
        if (above == below and below not in (5, 10)) or (above, below) == (24, 7):
            return f"{self.cardinal(above)} {self.cardinal(below)}"
        if 12 < above <= 31 and 2 < below <= 12 and (above, below) != (16, 9) and not self.month_first:
            return self.date(above, below, None)
        if 1 < above <= below and (below in self.marks or (below == 5 and _STARS.match(after))):
            return f"{self.cardinal(above)} {self.words.out_of} {self.cardinal(below)}"
        if (1 < below <= 20 and above < 3 * below) or (0 < above < below and not below % 10):
            return self.fraction(above, below, after)
        return f"{self.cardinal(above)} {self.words.over} {self.cardinal(below)}"

    def fraction(self, above: int, below: int, after: str) -> str:
        """One number over another; what they are a part of may stand in `after`."""
        one, many = self.words.denominators.get(below) or self.denominator(below)
        return f"{self.cardinal(above, 'masculine')} {one if above == 1 else many}"

    def denominator(self, below: int) -> tuple[str, str]:
        ordinal = self.ordinal(below)
        return ordinal, f"{ordinal}s"

    @abstractmethod
    def mixed(self, whole: str, above: int, below: int, noun: str) -> str:
        """A number and a fraction, "one and a half"; `noun` is what stands behind, or empty."""

    # What is counted

    def joined(self, number: str, name: str) -> str:
        """A number and its unit."""
        return f"{number} {name}"

    def million_of(self, name: str) -> str:
        """What is counted in millions."""
        return f"{self.words.of} {name}" if self.words.of else name

    def each(self, many: str | None, unit: str) -> str:
        """What is behind the slash of a measure or a sum: "per hour", "per 100 km"."""
        one, several = self.words.units[unit][:2] if unit in self.words.units else (unit, unit)
        if many:
            return f"{self.words.per_many} {self.cardinal(int(many))} {several}"
        return f"{self.words.per} {one}"

    def unit(self, symbol: str) -> tuple[str, str, Form]:
        """A unit's singular, plural and gender."""
        one, many, *feminine = self.words.units[symbol]
        return one, many, "feminine" if feminine else "masculine"

    def measure(self, written: str, name: str, form: Form) -> str:
        return self.joined(self.number(written, form), name)

    def gender_form(self, gender: str) -> Form:
        return "feminine" if gender == "f" else "masculine"

    def ends_in_million(self, written: str) -> bool:
        """Whether the number's words end in "million": what is counted then follows with "of"."""
        return bool(self.words.of) and bool(re.fullmatch(r"\D?\d*[1-9]\d*0{6,}|\D?[1-9]\d*000000", written))

    def counts(self, after: str) -> bool:
        """Whether a noun follows, that the number counts."""
        noun = first_word(after)
        elided = re.split("['’]", noun)[0]
        if not noun or re.search(rf"(?:{self.words.verbs})$", noun):
            return False
        return noun not in self.words.functions and elided not in ("d", *self.words.functions)

    def counting(self, said: str, after: str) -> str:
        """A number in millions before what it counts."""
        return f"{said} {self.words.of}"

    def takes_of(self, scale: str) -> bool:
        return bool(self.words.of) and scale not in self.words.plain_scales

    def scaled(self, written: str, scale: str) -> str:
        """The number before a word for a large number."""
        return self.number(written, "masculine")

    def cents(self, whole: str, part: str, currency: tuple[str, ...]) -> str:
        """A sum with its hundredths, in words."""
        return f"{whole} {self.words.cents} {part}" if self.words.cents else f"{whole} {part}"

    def title(self, said: str, name: str) -> str:
        """A title before a name; one that has a feminine is written "dom|dona"."""
        return said.partition("|")[0]

    def regnal(self, number: int, name: str) -> str:
        """A ruler's number."""
        return self.cardinal(number)

    @abstractmethod
    def spelled_ordinal(self, number: int, suffix: str, before: str, after: str) -> str | None:
        """An ordinal in figures with the letters behind it; None where the letters are no ordinal's."""

    def roman_before(self, number: int, noun: str) -> str | None:
        """A numeral between an article and a noun: "la II Guerra"; None where that is no numeral."""
        return None

    def roman_ordinal(self, number: int, before: str) -> str:
        """A numeral behind a word of `roman_ordinal`, such as "century"."""
        return self.cardinal(number)

    @property
    def until(self) -> str:
        """Between two times of day."""
        return self.words.range

    @property
    def dot(self) -> str:
        """Between the numbers of a version."""
        return self.words.web["."]

    def phone_group(self, digits: str) -> str:
        return self.numerals.digits(digits)


_STARS = re.compile(r"\s(?:star|estrell|étoile|stell|estrel|सितार|स्टार)", re.IGNORECASE)
_FIRST = re.compile(rf"\s*({LETTER}+(?:['’]\w+)?)")
_LAST = re.compile(rf"({LETTER}+)['’.]?\s*$")


def first_word(text: str) -> str:
    """The word that begins the text, in small letters; empty where it begins with something else."""
    found = _FIRST.match(text)
    return found.group(1).lower() if found else ""


def last_word(text: str) -> str:
    found = _LAST.search(text)
    return found.group(1).lower() if found else ""
