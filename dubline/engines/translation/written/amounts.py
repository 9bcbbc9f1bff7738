"""Finds sums, percentages, quantities and numbered things."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from dubline.domain.numerals import figure, figure_pattern
from dubline.engines.translation.written.found import Found, uncontracted
from dubline.engines.translation.written.table import Words
from dubline.engines.translation.written.table import table as language_table
from dubline.engines.translation.written.values import (
    THOUSAND,
    Count,
    Money,
    NthTime,
    Numbered,
    Percent,
    Quantity,
    Range,
    Times,
    Titled,
)

_SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₩": "KRW", "¢": "cent"}
_DOLLARS = {"US": "USD", "U.S.": "USD", "CA": "CAD", "C": "CAD", "AU": "AUD", "A": "AUD", "R": "BRL"}
_CODES = ("USD", "EUR", "GBP", "JPY", "CNY", "INR", "KRW", "BRL", "CAD", "AUD", "CHF")
_SPEEDS = ("km/h", "mph", "°C", "°F")
_BY = {"en": "by", "es": "un", "pt": "em"}
"""Before a percentage by which something grows."""
_THE = {"es": "el", "it": "il", "pt": "o|os"}
"""Before a percentage of something."""
_TIMES = ("hour", "minute", "second")
_SPACE = "[ \u00a0\u202f]?"
_SYMBOLS = (
    *("km/h", "km²", "km2", "m²", "m2", "km", "cm", "mm", "kg", "mg", "ml", "mL", "cl", "dl", "°C", "°F", "ºC", "ºF"),
    *("min", "ms", "kWh", "kW", "MW", "GW", "kHz", "MHz", "GHz", "Hz", "GB", "MB", "TB", "kB", "KB", "fps", "dB", "px"),
    *("m", "g", "l", "L", "h", "s", "W", "V"),
)
"""Written the same in every language."""
_ALIKE = {"ºC": "°C", "ºF": "°F", "kmh": "km/h", "kph": "km/h", "km2": "km²", "m2": "m²"}
CLOSED = frozenset(
    re.findall(
        r"\w+",
        """
        a an the and or but nor so if than then that which who whom whose what when where why how while because as of at
        in on for to from by with without into onto over under about after before since until between through during per
        plus minus i you he she it we they me him her us them my your its his our their this these those is are was were
        be been being am do does did have has had will would can could should must may might not no yes more less now
        today tomorrow yesterday tonight here there last next every each again too also only just ago later away off up
        down out back alone together total apiece
        """,
    )
)
"""Words of English that are no noun that is counted."""


def _range(language: str, sign: str = "") -> str:
    number = figure_pattern(language)
    return rf"(?P<minus>(?<![\w.,\d])[-−–])?{sign}(?P<first>{number})(?:{_SPACE}[-–—]{_SPACE}{sign}(?P<last>{number}))?"


def _amount(match: re.Match[str], language: str) -> Range | None:
    first = figure(match["first"], language)
    last = figure(match["last"], language) if match["last"] else None
    return Range(first, last, bool(match["minus"])) if first else None


@lru_cache(maxsize=8)
def _scales(code: str) -> dict[str, str]:
    """From what is written to the scale's name."""
    table = language_table(code).scales_read
    return {name: scale for scale, read in table.items() for name in _expanded(read)}


def _expanded(read: str) -> tuple[str, ...]:
    """The words that a pattern of words, 's?' and '[ab]' stands for."""
    out: list[str] = []
    for part in read.split("|"):
        choice = re.fullmatch(r"(.*)\[(\w+)\]", part)
        if choice:
            out += [choice[1] + letter for letter in choice[2]]
        elif part.endswith("s?"):
            out += [part[:-2], part[:-1]]
        else:
            out.append(part)
    return tuple(out)


def _either(names: tuple[str, ...] | list[str]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


@lru_cache(maxsize=8)
def _money_patterns(code: str) -> tuple[re.Pattern[str], ...]:
    scale = rf"(?:{_SPACE}(?P<scale>{_either(tuple(_scales(code)))})(?![\w]))"
    long_scale = rf"{_SPACE}(?P<scale>{_either([s for s in _scales(code) if len(s) > 2])})(?![\w])"
    of = r"(?: de | d['’]| di | of | )"
    table = language_table(code).currencies
    names = _either([name for forms in table.values() for name in forms])
    dollars = r"(?<![\w$€£])(?P<country>US|U\.S\.|CA|C|AU|A|R)?(?P<sign>[$€£¥₹₩])[ ]?"
    again = r"(?:(?:US|CA|AU)?[$€£¥₹₩][ ]?)?"
    number = figure_pattern(code)
    lead = r"(?P<minus>(?<![\w.,])[-−–](?=(?:US|C|CA|A|AU|R)?[$€£¥₹₩]))?"
    tail = rf"(?: (?:{names})\b)?"
    return (
        re.compile(
            rf"{lead}{dollars}(?P<first>{number})(?![\d]){scale}?"
            rf"(?:{_SPACE}[-–—]{_SPACE}{again}(?P<last>{number})(?:{_SPACE}(?P<scale2>{_either(tuple(_scales(code)))})(?!\w))?)?"
            rf"(?![\w%]){tail}"
        ),
        re.compile(rf"(?<![\w.,]){_range(code)}{scale}?{of}?{_SPACE}(?P<sign>[$€£¢¥₹₩])(?![\w$€£])"),
        re.compile(rf"(?<![\w.,]){_range(code)}{scale}?{of}?{_SPACE}(?P<code>{'|'.join(_CODES)})(?!\w)"),
        re.compile(rf"(?<![\w.,])(?P<code>{'|'.join(_CODES)}){_SPACE}{_range(code)}{scale}?(?!\w)"),
        re.compile(rf"(?<![\w.,]){_range(code)}{long_scale}{of}(?P<name>{names})(?!\w)"),
    )


def money(text: str, table: Words) -> Iterator[Found]:
    for pattern in _money_patterns(table.code):
        for match in pattern.finditer(text):
            amount = _amount(match, table.code)
            if amount is None:
                continue
            found = match.groupdict()
            written = found.get("scale") or found.get("scale2")
            value = Money(amount, _currency(found, table), _scales(table.code)[written] if written else None)
            yield Found(match.start(), match.end(), value, counted=True, attribute=True)


def _currency(found: dict[str, str | None], table: Words) -> str:
    if found.get("code"):
        return str(found["code"])
    if found.get("name"):
        return next(code for code, forms in table.currencies.items() if found["name"] in forms)
    sign = str(found["sign"])
    return _DOLLARS.get(str(found.get("country")), "USD") if sign == "$" else _SIGNS[sign]


@lru_cache(maxsize=8)
def _percent_pattern(code: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.,]){_range(code)}{_SPACE}{language_table(code).percent_read}(?![\w%])")


def percents(text: str, table: Words) -> Iterator[Found]:
    for match in _percent_pattern(table.code).finditer(text):
        amount = _amount(match, table.code)
        if amount:
            before = text[: match.start()].rsplit(maxsplit=1)
            shared = bool(re.match(r" (?:of|des?|du|d['’])\b", text[match.end() :])) and not (
                before
                and re.fullmatch(r"(?:an?|the|only|by|my|your|his|her|its|our|their|this|that)", before[-1], re.I)
            )
            by = re.search(rf"\b(?:{_BY.get(table.code, '(?!)')}) $", text[: match.start()], re.IGNORECASE)
            article = re.search(rf"\b(?:{_THE.get(table.code, '(?!)')}) $", text[: match.start()], re.IGNORECASE)
            lead = by or article
            start = lead.start() if lead else match.start()
            shared = shared or bool(article)
            moved = Percent(amount, share=True)
            yield Found(start, match.end(), Percent(amount, shared, bool(by)), attribute=True, moved=moved)


@lru_cache(maxsize=8)
def _units(code: str) -> dict[str, str]:
    """From what is written behind a number to the unit."""
    table = language_table(code).units
    names = {name: unit for unit, forms in table.items() for name in forms}
    return names | {symbol: _ALIKE.get(symbol, symbol) for symbol in (*_SYMBOLS, *_ALIKE)}


@lru_cache(maxsize=8)
def _quantity_pattern(code: str) -> re.Pattern[str]:
    units = _either(tuple(_units(code)))
    return re.compile(
        rf"(?<![\w.,/$€£]){_range(code)}(?!\d)(?P<fraction>[ ]\d/\d+)?{_SPACE}(?P<unit>{units})(?![\w/²’'])"
        r"(?:(?<=[a-z])\.(?=\s+[a-z]))?"  # the stop of an abbreviation
    )


_FRACTION = re.compile(r"(?<![\w.,/])(?P<fraction>\d/\d{1,2})(?: of)?(?: an?)? (?P<unit>[a-zA-Z]+)\b")


def quantities(text: str, table: Words) -> Iterator[Found]:
    for match in _quantity_pattern(table.code).finditer(text):
        amount = _amount(match, table.code)
        unit = _units(table.code)[match["unit"]]
        if re.fullmatch(r"\d*0s", match.group()):
            continue  # 'in her 90s'
        in_full = unit in _TIMES and match["unit"] in table.units[unit][:2]
        if amount and not (in_full and not amount.minus):  # the dictionaries know '5 minutes'
            preposition = "at" if table.code == "en" else r"a|à" if unit in _SPEEDS else "(?!)"
            said = re.search(rf"\b(?:{preposition}) $", text[: match.start()], re.IGNORECASE)
            value = Quantity(amount, unit, (match["fraction"] or "").strip(), at=bool(said))
            yield Found(said.start() if said else match.start(), match.end(), value, attribute=not said)
    if table.code == "en":
        for match in _FRACTION.finditer(text):
            if (known := _units("en").get(match["unit"])) in table.units:
                yield Found(match.start(), match.end(), Quantity(None, str(known), match["fraction"]))
    for match in re.finditer(rf"(?<![\w.,\d/])[-−](?P<first>{figure_pattern(table.code)})(?![\w%/-]|[.,]\d)", text):
        first = figure(match["first"], table.code)
        if first and (not text[: match.start()] or text[match.start() - 1] == " "):
            yield Found(match.start(), match.end(), Range(first, None, minus=True))


@lru_cache(maxsize=8)
def _count_pattern(code: str) -> re.Pattern[str]:
    names = [name for name in _scales(code) if len(name) > 2 or name in ("k", "K")]
    of = r"(?P<of> de (?=\w)| d['’](?=\w)| di (?=\w))?"
    return re.compile(rf"(?<![\w.,/$€£]){_range(code)}{_SPACE}(?P<scale>{_either(names)})(?![\w]){of}")


def counts(text: str, table: Words) -> Iterator[Found]:
    for match in _count_pattern(table.code).finditer(text):
        amount, scale = _amount(match, table.code), _scales(table.code)[match["scale"]]
        if amount:
            followed = bool(match["of"]) or (table.code == "en" and _noun_follows(text[match.end() :]))
            if scale == THOUSAND and not followed:
                continue  # a race, a resolution: '10k', '4K'
            end = match.start("of") + len(match["of"].rstrip()) if match["of"] else match.end()
            yield Found(match.start(), end, Count(amount, scale, followed))


def _noun_follows(rest: str) -> bool:
    word = re.match(r" ([a-z][\w'-]*)", rest)
    return word is not None and word[1] not in CLOSED


def times(text: str, table: Words) -> Iterator[Found]:
    pattern = r"(?<![\w.,])(\d+(?:\.\d+)?)x(?= (?:more|less|as|better|worse|\w+er)\b)"
    for match in re.finditer(pattern, text) if table.code == "en" else ():
        number = figure(match[1], "en")
        if number:
            yield Found(match.start(), match.end(), Times(number))


def numbered(text: str, table: Words) -> Iterator[Found]:
    for match in re.finditer(rf"(?<![\w#])(?:{table.number_read})(?P<number>\d+)(?![\w.,]*\d)", text):
        yield Found(match.start(), match.end(), Numbered(match["number"]), attribute="#" in match.group(), link=" ")


def nth_times(text: str, table: Words) -> Iterator[Found]:
    for match in re.finditer(rf"\b(?:{table.nth_read})\b", text, re.IGNORECASE) if table.nth_read else ():
        yield Found(match.start(), match.end(), NthTime(int(match["number"])))


@lru_cache(maxsize=8)
def _title_patterns(code: str) -> dict[str, re.Pattern[str]]:
    table = language_table(code)
    articles = "".join(f"{article}|" for article in sorted(set(table.title_article.values())))
    contracted = "|".join(table.contracted)
    lead = (
        rf"(?:\b(?:(?P<contracted>(?i:{contracted}))|(?i:{articles[:-1]})) )?" if articles else "(?P<contracted>(?!))?"
    )
    return {
        title: re.compile(rf"{lead}(?<!\w)(?:{read}) (?P<name>[A-ZÀ-Þ][\w'-]+(?: [A-ZÀ-Þ][\w'-]+)?)(?!\w)")
        for title, read in table.titles_read.items()
    }


def titled(text: str, table: Words) -> Iterator[Found]:
    for title, pattern in _title_patterns(table.code).items():
        for match in pattern.finditer(text):
            starts = bool(re.search(r"(?:^|[.!?,;:])[\s\"'“‘«¿¡]*$", text[: match.start()]))
            called = starts and bool(re.match(r"\s*(?:[,.!?;:]|$)", text[match.end() :]))
            before = uncontracted(match["contracted"], table)
            yield Found(
                match.start(),
                match.end(),
                Titled(title, match["name"], called),
                before=before,
                name=True,
            )
