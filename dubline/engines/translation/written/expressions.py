"""Where a text has sums, dates, times and the like, and what each of them says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from dubline.engines.translation.written import amounts, calendar_reading
from dubline.engines.translation.written.found import Found
from dubline.engines.translation.written.table import Words, names
from dubline.engines.translation.written.values import Kept, Named

_KEPT = re.compile(
    r"""
    (?: https?://\S+ | [\w-]+(?:\.[\w-]+)*\.(?:com|org|net|edu|gov|io|tv|info|de|es|fr|it|pt|uk|br|eu)\b(?:/\S*)? )
        (?<![.,;:!?)\]"'])                          # web addresses
    | [\w.+-]+@[\w-]+(?:\.[\w-]+)+                  # e-mail
    | (?<![\w&])[#@][^\W\d]\w+                      # tags and names of accounts
    | (?<![\w.,+-])\+?\d{0,3}[ -]?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?![\w-]) | (?<![\w.,-])\d{3}-\d{4}(?![\w-])
    | (?<![\w.,])\+\d{1,3}(?:[ -]\d{2,4}){2,5}(?![\w-])                       # telephone numbers
    | \b[A-Z][\w.]*\s?&\s?[A-Z]\w*\b                # AT&T, Q&A
    | (?<![\w.,/])\d+/7\b                           # 24/7
    | (?<![\w.,])\d+(?:[.,]\d+)?x(?![\w])           # 2x
    """,
    re.VERBOSE,
)
_LAST = re.compile(r"\s*$|\s+[\"'“]?[A-ZÀ-Þ]")
"""Behind a stop that also ends the sentence."""
Finder = Callable[[str, Words], Iterator[Found]]


def _kept(text: str, _: Words) -> Iterator[Found]:
    for match in _KEPT.finditer(text):
        yield Found(match.start(), match.end(), Kept(match.group()))


@lru_cache(maxsize=1)
def _name_pattern() -> tuple[re.Pattern[str], dict[str, int]]:
    """English names of holidays and institutions, and the entry of each."""
    entries = {wording: number for number, entry in enumerate(names()) for wording in entry["en"]}
    either = "|".join(re.escape(name) for name in sorted(entries, key=len, reverse=True))
    pattern = re.sub(r"(?<![^|])the\b", "[Tt]he", either)
    return re.compile(rf"(?<![\w'])(?:{pattern})(?!\w)"), entries


def _named(text: str, table: Words) -> Iterator[Found]:
    pattern, entries = _name_pattern()
    for match in pattern.finditer(text) if table.code == "en" else ():
        name = match.group()
        entry = entries.get(name, entries.get(name[0].lower() + name[1:]))
        if entry is not None:
            end = match.end() - (name.endswith(".") and bool(_LAST.match(text[match.end() :])))
            yield Found(match.start(), end, Named(entry), name=True)


_FINDERS: tuple[Finder, ...] = (
    amounts.times,
    _named,
    _kept,
    calendar_reading.dates,
    calendar_reading.decades,
    calendar_reading.centuries,
    calendar_reading.clocks,
    amounts.money,
    amounts.percents,
    amounts.quantities,
    amounts.counts,
    amounts.numbered,
    amounts.nth_times,
    calendar_reading.months,
    amounts.titled,
)
"""What is looked for first wins where two overlap."""


def find(text: str, words: Words) -> tuple[Found, ...]:
    """The expressions of a text, in order; none overlaps another."""
    taken: list[Found] = []
    for finder in _FINDERS:
        for found in finder(text, words):
            if all(found.end <= other.start or other.end <= found.start for other in taken):
                taken.append(found)
    return tuple(sorted(taken, key=lambda found: found.start))
