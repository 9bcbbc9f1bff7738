"""Finds dates, months, decades, centuries and times of day.

In English, March, May, April, June and August are also verbs or people's names: they are months behind a preposition of
time, beside another month, a day or a year, or where the sentence speaks of the weather or of months.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from dubline.engines.translation.written.calendar_values import Century, Clock, Date, Decade, Month
from dubline.engines.translation.written.found import Found, uncontracted
from dubline.engines.translation.written.table import Words
from dubline.engines.translation.written.values import Kept

_SHORT = ("Jan", "Feb", "Mar", "Apr", "Jun", "Jul", "Aug", "Sep", "Sept", "Oct", "Nov", "Dec")
_SHORT_NUMBER = dict(zip(_SHORT, (1, 2, 3, 4, 6, 7, 8, 9, 9, 10, 11, 12), strict=True))
_DOUBTFUL = frozenset((3, 4, 5, 6, 8))
"""Months whose English names are also words or people's names."""
_PEOPLE = frozenset((4, 6, 8))
"""Those that are a person's name where they are no month."""
_NEAR = re.compile(
    r"\b(?:months?|spring|summer|autumn|weather|cold|warm|hot|rainy|wet|dry|sunny|snow\w*|days)\b", re.IGNORECASE
)
_ROLES = {"till": "until", "about": "around", "during": "in"}
_EN_ROLE = "on|until|till|before|after|since|from|to|by|around"
_PREPOSITION = re.compile(
    r"\b(?:desde|hasta|antes de|después de|para|entre|depuis|jusqu['’]à|avant|après|dès|dopo|entro|até|depois de) $",
    re.I,
)
_ROMAN = {"I": 1, "V": 5, "X": 10}


def _sentence_alone(text: str, start: int, end: int) -> bool:
    return bool(re.search(r"(?:^|[.!?]\s*)$", text[:start])) and bool(re.match(r"\s*(?:[.!?]|$)", text[end:]))


@lru_cache(maxsize=8)
def _names(words_months: tuple[str, ...]) -> str:
    return "|".join(words_months)


@lru_cache(maxsize=8)
def _english_dates(months: tuple[str, ...], weekdays: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    month = rf"(?P<month>{_names(months)}|(?:{'|'.join(_SHORT)})\b\.?)"
    lead = rf"(?:\b(?P<role>(?i:{_EN_ROLE})) )?(?:the )?(?:\b(?P<weekday>{'|'.join(weekdays)}),? )?(?:the )?"
    day = r"(?P<day>[12]\d|3[01]|0?[1-9])(?:st|nd|rd|th)?(?![\d:/%.]\d|\d)"
    year = r"(?:,? (?P<year>1[0-9]\d\d|20\d\d)(?![\d]))?"
    return (
        re.compile(rf"{lead}(?<!\w){month} {day}(?!\w){year}"),
        re.compile(rf"{lead}(?<![\w.,:/$]){day}(?: of)? {month}(?!\w){year}"),
    )


@lru_cache(maxsize=8)
def _romance_dates(
    code: str, months: tuple[str, ...], weekdays: tuple[str, ...], contracted: tuple[str, ...]
) -> re.Pattern[str]:
    article = {"es": "el", "fr": "le", "it": "il|l['’]", "pt": "em|no dia|o dia"}[code]
    lead = rf"(?:\b(?:(?P<contracted>(?i:{'|'.join(contracted)}))(?: d[ií]a)?|(?P<role>(?i:{article}))) )?"
    return re.compile(
        rf"{lead}(?:\b(?P<weekday>(?i:{'|'.join(weekdays)})),? )?"
        rf"(?<![\w.,:/])(?P<day>[12]\d|3[01]|0?[1-9])(?:er|º|°|\.º)?(?: de)? (?P<month>(?i:{_names(months)}))(?!\w)"
        r"(?:,?(?: de)? (?P<year>1\d\d\d|20\d\d)(?!\d))?"
    )


_NUMERIC = re.compile(
    rf"(?:\b(?P<role>(?i:{_EN_ROLE})) )?(?<![\w/.,])(?P<a>\d\d?)/(?P<b>\d\d?)/(?P<year>\d{{4}}|\d\d)(?![\w/])"
)


def dates(text: str, table: Words) -> Iterator[Found]:
    yield from _numeric(text, table)
    months, weekdays = tuple(table.months), tuple(table.weekdays)
    if table.code == "en":
        patterns = _english_dates(months, weekdays)
    else:
        patterns = (_romance_dates(table.code, months, weekdays, tuple(table.contracted)),)
    for pattern in patterns:
        for match in pattern.finditer(text):
            found = match.groupdict()
            joined = found.get("contracted")
            role = None if joined else _role(found.get("role"), table)
            if table.code != "en" and _PREPOSITION.search(text[: match.start()]):
                role = None
            date = Date(
                day=int(match["day"]),
                month=_month(match["month"], table),
                year=match["year"] or "",
                weekday=_index(found["weekday"], weekdays) if found["weekday"] else None,
                role=role,
                alone=_sentence_alone(text, match.start(), match.end()),
            )
            before = uncontracted(joined, table)
            yield Found(match.start(), match.end(), date, before=before, adverb=bool(role or joined))


def _role(said: str | None, table: Words) -> str | None:
    if said is None:
        return None
    return _ROLES.get(said.lower(), said.lower()) if table.code == "en" else "on"


def _index(name: str, names: tuple[str, ...]) -> int:
    return [other.lower() for other in names].index(name.lower())


def _month(name: str, table: Words) -> int:
    short = name.rstrip(".")
    if table.code == "en" and short in _SHORT_NUMBER:
        return _SHORT_NUMBER[short]
    return _index(name, tuple(table.months)) + 1


def _numeric(text: str, table: Words) -> Iterator[Found]:
    """3/5/2021: the month comes first in English, unless it cannot be one."""
    for match in _NUMERIC.finditer(text):
        a, b = int(match["a"]), int(match["b"])
        month, day = (a, b) if table.code == "en" and a <= 12 else (b, a)
        if 1 <= month <= 12 and 1 <= day <= 31:
            role = match["role"] if table.code == "en" else None
            start = match.start() if role else match.start("a")
            yield Found(
                start,
                match.end(),
                Date(day, month, match["year"], role=_role(role, table), numeric=True),
                adverb=bool(role),
            )


@lru_cache(maxsize=2)
def _month_pattern(months: tuple[str, ...]) -> re.Pattern[str]:
    names = _names(months)
    return re.compile(
        rf"(?:\b(?P<role>(?i:in|during|last|next|this|until|till|since|by|before|after|from|to|around)) )?"
        rf"\b(?P<month>{names})\b(?:,? (?P<year>1\d\d\d|20\d\d)(?!\d))?"
    )


def months(text: str, table: Words) -> Iterator[Found]:
    """English months alone; other languages' dictionaries know theirs."""
    if table.code != "en":
        return
    found = list(_month_pattern(tuple(table.months)).finditer(text))
    for match in found:
        number, said = _month(match["month"], table), (match["role"] or "").lower()
        if not (match["year"] or said or number in _DOUBTFUL):
            continue  # the dictionaries know it
        if number in _DOUBTFUL and not _is_month(text, match, number, found):
            if number in _PEOPLE:
                start = match.start("month")
                yield Found(start, match.end(), Kept(match["month"]), name=True)
            continue
        yield Found(
            match.start(),
            match.end(),
            Month(number, match["year"] or "", _ROLES.get(said, said) or None),
            adverb=bool(said),
        )


def _is_month(text: str, match: re.Match[str], number: int, others: list[re.Match[str]]) -> bool:
    """Whether a word that may be a name or a verb is the month here."""
    role = (match["role"] or "").lower()
    before, after = text[: match.start()], text[match.end() :]
    if match["year"] or role in ("in", "during", "until", "till", "since", "last", "next", "this", "around"):
        return True
    if re.search(r"\b(?:early|late|mid|every|each|of|for)[ -]$", before) and (number == 3 or not after.startswith(" ")):
        return True
    if re.search(r"\b(?:end|beginning|start|middle|month|rest|half) of $|\b(?:early|late|mid|every|each)[ -]$", before):
        return True
    if role in ("by", "before", "after", "from", "to") and number in (3, 5):
        return True
    if re.search(r"\b(?:it['’]s|it is|it was|was it|is it) $", before, re.I) or _sentence_alone(
        text, match.start(), match.end()
    ):
        return True
    near = any(other is not match and _beside(text, match, other) for other in others)
    sentence = re.split(r"[.!?]", before)[-1] + match.group() + re.split(r"[.!?]", after)[0]
    verb = number in (3, 5) and re.match(r" (?:i|you|he|she|it|we|they|with|to|on|the|a)\b", after, re.IGNORECASE)
    return near or (bool(_NEAR.search(sentence)) and not verb)


def _beside(text: str, one: re.Match[str], other: re.Match[str]) -> bool:
    """Whether two months are in one list, or one and the same stretch."""
    first, last = sorted((one, other), key=lambda match: match.start())
    between = text[first.end() : last.start("month")]
    return bool(re.fullmatch(r"(?:, | and |, and | or | and again | to | through | until |-|–)", between))


def decades(text: str, table: Words) -> Iterator[Found]:
    for match in re.finditer(rf"(?<![\w'’])(?:{table.decade_read})(?!\w)", text, re.IGNORECASE):
        found, year = match.groupdict(), int(match["year"])
        if year < 100:
            if year < 20:
                continue
            year += 1900
        part = next((part for part in ("early", "late") if found.get(part)), None)
        yield Found(match.start(), match.end(), Decade(year, bool(found["in"]), part), adverb=bool(found["in"]))


def centuries(text: str, table: Words) -> Iterator[Found]:
    pattern = rf"(?:\b(?P<contracted>(?i:{'|'.join(table.contracted) or '(?!)'})) )?\b(?:{table.century_read})\b"
    for match in re.finditer(pattern, text):
        found = match.groupdict()
        number = int(found["number"]) if found.get("number") else _arabic(found["roman"])
        joined = match["contracted"]
        if number < 40:
            before = "en " if joined == "au" else "En " if joined == "Au" else uncontracted(joined, table)
            yield Found(
                match.start(),
                match.end(),
                Century(number),
                before=before,
                adverb=bool(re.search(r"\b[ie]n $", text[: match.start()]) or joined),
            )


def _arabic(roman: str) -> int:
    values = [_ROMAN[letter] for letter in roman]
    return sum(-v if v < after else v for v, after in zip(values, [*values[1:], 0], strict=True))


_ROMANCE_ROLES = {
    **dict.fromkeys(("a", "à", "alle", "às"), "at"),
    **dict.fromkeys(("hasta", "jusqu'à", "jusqu’à", "até as"), "until"),
    **dict.fromkeys(("desde", "depuis", "desde as"), "since"),
    **dict.fromkeys(("antes de", "avant", "antes das"), "before"),
    **dict.fromkeys(("después de", "après", "depois das"), "after"),
    **dict.fromkeys(("sobre", "vers"), "around"),
}


def clocks(text: str, table: Words) -> Iterator[Found]:
    for match in re.finditer(rf"(?<![\w'’:.,$€£]){table.clock_read}", text, re.IGNORECASE):
        found = match.groupdict()
        hour = int(found["hour"])
        morning = any(found.get(name) for name in found if name.startswith("am"))
        evening = any(found.get(name) for name in found if name.startswith("pm"))
        role = _clock_role(found, table)
        if hour > 24 or (table.code == "en" and role is None and not (morning or evening or "clock" in match.group())):
            continue
        known = morning or evening or hour > 12
        if hour <= 12:
            hour = (hour % 12) + 12 * evening if known else hour
        end = match.end()
        if match.group().endswith(".") and (not text[end:].strip() or re.match(r"\s+[\"'“]?[A-ZÀ-Þ]", text[end:])):
            end -= 1  # the same stop ends the sentence
        yield Found(match.start(), end, Clock(hour, found["minute"] or "", known, role), adverb=True)


def _clock_role(found: dict[str, str | None], table: Words) -> str | None:
    if found.get("is"):
        return "is"
    if found.get("was"):
        return "was"
    for name in ("until", "from"):
        if found.get(name):
            return name
    said = found.get("role")
    if said is None:
        return None
    return _ROLES.get(said.lower(), said.lower()) if table.code == "en" else _ROMANCE_ROLES.get(said.lower(), "at")
