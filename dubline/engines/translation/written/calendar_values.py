"""Dates, months, decades, centuries and times of day, each with the preposition before it."""

from __future__ import annotations

from dataclasses import dataclass

from dubline.engines.translation.written.contraction import contracted
from dubline.engines.translation.written.table import Words
from dubline.engines.translation.written.values import ordinal

_ROMAN = ((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))


def _after(role: str | None, phrase: str, words: Words) -> str:
    """The phrase behind the preposition of a role."""
    preposition = words.prepositions[role] if role else ""
    return contracted(f"{preposition} ", phrase, words.code) if preposition else phrase


@dataclass(frozen=True, slots=True)
class Date:
    day: int
    month: int
    """1 to 12."""
    year: str = ""
    weekday: int | None = None
    """0 is Monday."""
    role: str | None = None
    """A key of the tables' prepositions."""
    numeric: bool = False
    alone: bool = False
    """Whether nothing else is said: a heading, without an article."""

    def written(self, words: Words) -> str:
        date = words.date
        if self.numeric:
            plain = date["numeric"].format(day=self.day, month=self.month, year=self.year)
            return _after(self.role, date["definite"].format(date=plain) if self.role else plain, words)
        day = date["first"] if self.day == 1 else str(self.day)
        plain = date["day"].format(day=day, month=words.months[self.month - 1])
        plain += date["year"].format(year=self.year) if self.year else ""
        return _after(self.role, self._definite(plain, date, words), words)

    def _definite(self, plain: str, date: dict[str, str], words: Words) -> str:
        if self.weekday is None:
            return plain if self.alone else date["definite"].format(date=plain)
        known = not self.alone and "definite_weekday" in date
        form = date["definite_weekday" if known else "with_weekday"]
        the = date.get("weekday_articles", " " * 7)[self.weekday]
        return form.format(date=plain, weekday=words.weekdays[self.weekday], the=the)


@dataclass(frozen=True, slots=True)
class Month:
    month: int
    year: str = ""
    role: str | None = None
    """A key of the tables' prepositions, or 'in', 'last', 'next', 'this'."""

    def written(self, words: Words) -> str:
        date = words.date
        name = date["month"].format(month=words.months[self.month - 1])
        name += date["month_year"].format(year=self.year) if self.year else ""
        if self.role == "in":
            form = date.get("in_month_of_year", date["in_month"]) if self.year else date["in_month"]
            return contracted(form, name, words.code)
        if self.role in ("last", "next", "this"):
            return date[self.role].format(date=name)
        return _after(self.role, name, words)


@dataclass(frozen=True, slots=True)
class Decade:
    year: int
    """Its first, such as 1990."""
    within: bool = False
    """Whether something happens in it."""
    part: str | None = None
    """early or late."""

    def written(self, words: Words) -> str:
        form = words.decade["recent" if 1920 <= self.year <= 1990 else "other"]
        named = self._named(form, words)
        if self.part:
            head, _, _ = words.decade[self.part].partition("{decade}")
            named = contracted(head, named, words.code) if head else named
            if "{year}" in words.decade[self.part]:
                named = self._named(words.decade[self.part], words)
        if not self.within:
            return named
        head, _, _ = words.decade["at" if self.part else "in"].partition("{decade}")
        return contracted(head, named, words.code)

    def _named(self, form: str, words: Words) -> str:
        return form.format(year=self.year, short=f"{self.year % 100:02}")


@dataclass(frozen=True, slots=True)
class Century:
    number: int

    def written(self, words: Words) -> str:
        return words.century.format(roman=roman(self.number), ordinal=ordinal(self.number, words))


def roman(number: int) -> str:
    """For numbers under 40."""
    text = ""
    for value, sign in _ROMAN:
        text, number = text + sign * (number // value), number % value
    return text


@dataclass(frozen=True, slots=True)
class Clock:
    hour: int
    """As it was said, or 0 to 23 where it is known whether it is before noon."""
    minute: str = ""
    known: bool = False
    """Whether it is known whether it is before noon."""
    role: str | None = None
    """A key of the tables' prepositions, or 'is', 'was'."""

    def written(self, words: Words) -> str:
        hour, part, time = self._told(words)
        clock = words.clock
        special = (
            {0: clock["midnight"], 12: clock["noon"]}.get(self.hour) if self.known and not self._minutes() else None
        )
        single = (special is not None and special != "") or hour == 1
        text = str(special) if special else self._with_article(time, hour == 1, words) + part
        if self.role in ("is", "was"):
            key = ("was_" if self.role == "was" else "") + ("one" if single else "many")
            return words.it_is[key].format(time=text)
        return _after(self.role, text, words)

    def _minutes(self) -> bool:
        return self.minute not in ("", "00")

    def _told(self, words: Words) -> tuple[int, str, str]:
        """The hour on the language's clock, what says which half of the day it is, and the figures."""
        clock = words.clock
        twelve = clock["hours"] == 12 and self.known
        hour = (self.hour % 12 or 12) if twelve else self.hour
        part = words.day_parts[_part(self.hour)] if twelve else ""
        if not self._minutes():
            return hour, part, str(clock["one"] if hour == 1 else clock["whole"]).format(h=hour)
        return hour, part, str(clock["minutes"]).format(h=hour, m=self.minute)

    def _with_article(self, time: str, one: bool, words: Words) -> str:
        article = str(words.clock["article_one" if one else "article"])
        return f"{article}{'' if not article or article.endswith(chr(39)) else ' '}{time}"


def _part(hour: int) -> int:
    """Index of the part of the day: 12, 1-5, 6-11 a.m. and 12, 1-7, 8-11 p.m."""
    return (hour > 0) + (hour > 5) + (hour > 11) + (hour > 12) + (hour > 19)
