"""Sums of money: the sign before or behind the figures, with cents, with thousands and millions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dubline.engines.speech.spoken.language import LETTER, Language
from dubline.engines.speech.spoken.numerals import GROUPED
from dubline.engines.speech.spoken.rules import Rule, alternatives, around


def rules(language: Language) -> Iterator[Rule]:
    words = language.words
    signs = alternatives(words.currencies)
    large = alternatives(words.scale_words)
    scale = (
        rf"(?:\s?(?P<letter>{alternatives(words.scales)})(?!\w)"
        rf"|\s(?P<scale>(?:{large})(?:\s(?:{large}))?)(?!{LETTER}))?"
    )
    minus = r"(?P<minus>(?<![\w)])-\s?)?"
    number = rf"(?P<number>{language.bare_number})"
    end = r"(?!\d|[.,]\d)"
    per = rf"(?:\s?/\s?(?P<many>\d+\s?)?(?P<per>{alternatives(words.units)}|{LETTER}{{2,}})(?!{LETTER}))?"

    def said(match: re.Match[str]) -> str:
        parts = match.groupdict()
        before = f"{words.minus} " if parts["minus"] or parts.get("inner") else ""
        one = language.qualifies(*around(match))
        sum_ = amount(language, parts["number"], words.currencies[parts["sign"]], parts["letter"], parts["scale"], one)
        return before + sum_ + (f" {language.each(parts['many'], parts['per'])}" if parts["per"] else "")

    yield (
        re.compile(
            rf"(?<![\w$])(?<!\d\.){minus}(?P<sign>{signs})\s?(?P<inner>-)?{number}{end}{scale}(?:\s?(?P=sign))?{per}"
        ),
        said,
    )
    of = rf"(?:\s{words.of}(?=\s)|\sd['’])?" if words.of else ""
    yield re.compile(rf"(?<![\w])(?<!\d[.,]){minus}{number}{end}{scale}{of}\s?(?P<sign>{signs})(?!\w){per}"), said
    short = [letters for letters in words.scales if len(letters) > 1 and letters not in words.units]
    million = rf"|M(?=\s{words.of}\s)" if words.of else ""
    if short:
        yield (
            re.compile(rf"(?<!\w)(?<!\d[.,]){number}\s?(?P<letter>{alternatives(short)}{million})(?!\w)"),
            lambda match: _short(language, match.group("number"), match.group("letter")),
        )
    letters = "|".join(letter for letter in "kKMB" if letter in words.scales)
    yield (
        re.compile(
            rf"(?<!\w)(?<!\d[.,])(?P<number>{GROUPED}?(?:\d+[{''.join(words.points)}]\d+|[1-9]\d+))(?P<letter>{letters})(?!\w)"
        ),
        lambda match: _short(language, match.group("number"), match.group("letter")),
    )
    between = rf"(?:(?:{words.of})\s|d['’]\s?)?" if words.of else ""
    yield (
        re.compile(rf"(?P<scale>\b(?:{alternatives(words.scale_words)})\s{between})(?P<sign>{signs})(?!\w)"),
        lambda match: match.group("scale") + words.currencies[match.group("sign")][1],
    )

    names = {name for currency in words.currencies.values() for name in currency[:2]}
    yield (
        re.compile(
            rf"\b({alternatives(names)})\s?/\s?(?!{alternatives(names)})({alternatives(words.units)}|{LETTER}{{2,}})(?!{LETTER})"
        ),
        lambda match: f"{match.group(1)} {language.each(None, match.group(2))}",
    )


def amount(
    language: Language, number: str, currency: tuple[str, ...], letter: str | None, scale: str | None, qualifies: bool
) -> str:
    one, many, gender = currency[:3]
    many = one if qualifies else many
    form = language.gender_form(gender)
    if letter in ("k", "K") and thousands(language, number):
        number, letter = thousands(language, number), None
    if letter:
        singular, plural = language.words.scales[letter]
        scale = singular if language.is_one(number) else plural
    if scale:
        said = f"{language.scaled(number, scale)} {scale}"
        return language.joined(said, many if not language.takes_of(scale) else language.million_of(many))
    whole, point, part = number.partition(language.point_in(number))
    if point and len(part) == 2 and len(currency) == 6:
        return _with_cents(language, whole, part, currency)
    name = one if qualifies or language.is_one(number) else many
    said = language.number(number, form)
    if language.ends_in_million(number):
        return f"{said} {language.million_of(many)}"
    return language.joined(said, name)


def _short(language: Language, number: str, letters: str) -> str:
    """A number whose scale is shortened, and that counts something: "2,5 mln di euro"."""
    if letters in ("k", "K") and thousands(language, number):
        return language.number(thousands(language, number))
    one, many = language.words.scales[letters]
    scale = one if language.is_one(number) else many
    return f"{language.scaled(number, scale)} {scale}"


def thousands(language: Language, number: str) -> str:
    """The whole number that so many thousands are; empty where they are none."""
    whole, _, part = number.lstrip(GROUPED).partition(language.point_in(number))
    return f"{GROUPED}{int(whole + part.ljust(3, '0'))}" if len(part) < 4 else ""


def _with_cents(language: Language, whole: str, part: str, currency: tuple[str, ...]) -> str:
    one, many, gender, cent, cents, cents_gender = currency
    name = one if language.is_one(whole) else many
    large = language.joined(language.number(whole, language.gender_form(gender)), name)
    if part == "00":
        return large
    digits = part.lstrip("0")
    small = language.joined(
        language.number(digits, language.gender_form(cents_gender)), cent if digits == "1" else cents
    )
    return small if whole.strip(f"{GROUPED}0") == "" else language.cents(large, small, currency)
