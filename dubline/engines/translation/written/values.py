"""What has a written form of its own in each language: a value that is told from the words for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from dubline.domain.numerals import Figure
from dubline.engines.translation.written.contraction import contracted
from dubline.engines.translation.written.table import Words, names

THOUSAND = "thousand"
CURRENCY_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩"}


class Value(Protocol):
    def written(self, words: Words) -> str:
        """As the language writes it in the midst of a sentence."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """Addresses, telephone numbers, symbols: the same in every language."""

    text: str

    def written(self, words: Words) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Named:
    """A holiday or an institution, by its entry in the table of names."""

    entry: int

    def written(self, words: Words) -> str:
        name = names()[self.entry][words.code]
        return name if isinstance(name, str) else name[0]


@dataclass(frozen=True, slots=True)
class Range:
    """One number, or from one to another."""

    first: Figure
    last: Figure | None = None
    minus: bool = False

    def written(self, words: Words) -> str:
        sign = "-" if self.minus else ""
        end = f"-{self.last.written(words.code)}" if self.last else ""
        return f"{sign}{self.first.written(words.code)}{end}"

    def form(self, words: Words) -> int:
        """0 for the singular of what is counted, 1 for the plural."""
        value = (self.last or self.first).value
        if words.decimals_are_plural:
            return int(value != 1)
        return int(value >= 2 or (value == 0 and words.code != "fr"))

    def times(self, factor: int) -> Range:
        return Range(self.first.times(factor), self.last and self.last.times(factor), self.minus)


@dataclass(frozen=True, slots=True)
class Count:
    """Thousands, millions and so on, of something or of nothing that follows."""

    amount: Range
    scale: str
    followed: bool
    """Whether a noun follows that is counted."""

    def written(self, words: Words) -> str:
        if self.scale == THOUSAND:
            return self.amount.times(1000).written(words)
        return _scaled(self.amount, self.scale, words) + (words.of.rstrip() if self.followed else "")


def _scaled(amount: Range, scale: str, words: Words) -> str:
    name = words.scales[scale][amount.form(words)]
    if name.startswith("mil ") and amount == Range(Figure("1", "", False)):
        return name  # 'mil millones', not 'un mil millones'
    return f"{amount.written(words)} {name}"


@dataclass(frozen=True, slots=True)
class Money:
    amount: Range
    currency: str
    scale: str | None = None

    def written(self, words: Words) -> str:
        amount = self.amount.times(1000) if self.scale == THOUSAND else self.amount
        scale = self.scale if self.scale != THOUSAND else None
        if words.code == "en" and self.currency in CURRENCY_SIGNS:
            return self._signed(amount, scale, words)
        currency = words.currencies[self.currency][1 if scale else amount.form(words)]
        if scale:
            return contracted(_scaled(amount, scale, words) + words.of, currency, words.code)
        return f"{amount.written(words)} {currency}"

    def _signed(self, amount: Range, scale: str | None, words: Words) -> str:
        sign = CURRENCY_SIGNS[self.currency]
        first = ("-" if amount.minus else "") + sign + amount.first.written("en")
        last = f"-{sign}{amount.last.written('en')}" if amount.last else ""
        return f"{first}{last}" + (f" {words.scales[scale][0]}" if scale else "")


@dataclass(frozen=True, slots=True)
class Percent:
    amount: Range
    share: bool = False
    """Whether it is part of something, and begins the phrase."""
    by: bool = False
    """Whether something grows or falls by it."""

    def written(self, words: Words) -> str:
        if self.by:
            return words.percent_by.format(percent=words.percent.format(n=self.amount.written(words)))
        article = f"{words.share} " if self.share and words.share else ""
        return article + words.percent.format(n=self.amount.written(words))


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number, or a fraction as it stands, of a unit: a symbol, or a key of the tables' units."""

    amount: Range | None
    unit: str
    fraction: str = ""
    at: bool = False
    """Whether something goes or boils at it."""

    def written(self, words: Words) -> str:
        return f"{words.prepositions['at']} {self._plain(words)}" if self.at else self._plain(words)

    def _plain(self, words: Words) -> str:
        forms = words.units.get(self.unit)
        number = f"{self.amount.written(words) if self.amount else ''} {self.fraction}".strip()
        if forms is None:
            return f"{number} {self.unit}"
        more = Range(Figure(self.amount.first.whole, "5")) if self.amount and self.fraction else self.amount
        return f"{number} {forms[more.form(words) if more else 0]}"


@dataclass(frozen=True, slots=True)
class Times:
    """2x: two times."""

    amount: Figure

    def written(self, words: Words) -> str:
        return words.times[int(self.amount.value == 1)].format(n=self.amount.written(words.code))


@dataclass(frozen=True, slots=True)
class Numbered:
    """No. 5, #5."""

    number: str

    def written(self, words: Words) -> str:
        return words.number_sign.format(n=self.number)


@dataclass(frozen=True, slots=True)
class NthTime:
    number: int

    def written(self, words: Words) -> str:
        return words.nth_time.format(ordinal=ordinal(self.number, words))


def ordinal(number: int, words: Words) -> str:
    """With the ending of a feminine noun, where there is a choice."""
    own = number % 10 if words.code == "en" and number % 100 not in (11, 12, 13) else number
    form = words.ordinal[own] if 0 < own < len(words.ordinal) else words.ordinal[0]
    return form.format(n=number) if "{n}" in form else f"{number // 10 or ''}{form}"


@dataclass(frozen=True, slots=True)
class Titled:
    """A title and the name that it stands before."""

    title: str
    name: str
    called: bool
    """Whether the person is spoken to: without an article."""

    def written(self, words: Words) -> str:
        title = f"{words.titles[self.title]} {self.name}"
        article = words.title_article.get(self.title)
        return title if self.called or article is None else f"{article} {title}"
