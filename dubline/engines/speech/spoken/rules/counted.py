"""Fractions, percentages and measures."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dubline.engines.speech.spoken.language import LETTER, Language
from dubline.engines.speech.spoken.numerals import GROUPED, Form
from dubline.engines.speech.spoken.rules import Rule, alternatives, around


def fractions(language: Language) -> Iterator[Rule]:
    unit = alternatives(language.words.units)
    article = rf"(?:\s(?:{alternatives(language.words.articles)}))?" if language.words.articles else ""
    of = rf"(\s{language.words.of}{article}(?=\s)|\sd['’]une?(?=\s))?" if language.words.of else "()"

    def single(match: re.Match[str]) -> str:
        above, below = int(match.group(1)), int(match.group(2))
        before, after = around(match)
        name = f" {language.unit(match.group(3))[0 if above < below else 1]}" if match.group(3) else ""
        of = match.group(4) or ""
        if (above, below) == (1, 2) and of and not name:
            if not language.counts(after):
                return f"{language.words.half} {language.words.of}"
            of = ""
        return language.slashed(above, below, before, name + of + after) + name + of

    def mixed(match: re.Match[str]) -> str:
        above, below = int(match.group(2)), int(match.group(3))
        noun = match.group(5) or ""
        if match.group(4):
            one, many, _ = language.unit(match.group(4))
            noun = one if match.group(1) == "1" else many
        return language.mixed(match.group(1), above, below, noun)

    yield (
        re.compile(
            rf"(?<![\w.,/])(\d+)[\s-](\d{{1,2}})/(\d{{1,2}})(?![\w/]|[.,]\d)(?:\s?({unit})(?!\w)|\s([^\W\d_]+))?"
        ),
        mixed,
    )
    yield (
        re.compile(
            rf"(?<![\w.,/$€£])(\d{{1,3}})\s?/\s?(\d{{1,3}})(?![\d/]|[.,]\d|\s?=)(?:\s?({unit})(?!{LETTER}))?(?!\w){of}"
        ),
        single,
    )


def units(language: Language) -> Iterator[Rule]:
    words = language.words
    symbols = alternatives(words.units)
    number = (
        rf"(?P<sign>(?<![\w.,)])[-+]\s?)?(?P<number>(?<![\w{GROUPED}])(?<!\d[.,]){language.bare_number})(?!\d|[.,]\d)"
    )
    scale = (
        rf"(?:\s(?P<scale>{alternatives(words.scale_words)})(?!\w)(?:\s{words.of})?)?"
        if words.scale_words
        else "(?P<scale>)"
    )
    per = rf"(?:\s?/\s?(?P<many>\d+\s?)?(?P<per>{symbols}|{LETTER}{{2,}}))?"

    def measured(match: re.Match[str]) -> str:
        before, after = around(match)
        parts = match.groupdict()
        sign = {"-": f"{words.minus} ", "+": f"{words.plus} "}.get((parts["sign"] or "").strip(), "")
        if parts["unit"] in words.doubtful and language.counts(after) and not re.match(rf"\s{words.of}\s", after):
            return match.group()
        one, many, form = language.unit(parts["unit"])
        written = parts["number"]
        name = one if language.singular_name(written, before, after) and not parts["scale"] else many
        if parts["per"]:
            name = f"{name} {language.each(parts['many'], parts['per'])}"
        end = "." if match.group().endswith(".") and not after.strip() else ""
        if parts["scale"]:
            return f"{sign}{language.scaled(written, parts['scale'])} {parts['scale']} {language.million_of(name)}{end}"
        if language.ends_in_million(written):
            return f"{sign}{language.number(written)} {language.million_of(name)}{end}"
        return sign + language.measure(written, name, form) + end

    def metre(written: str) -> tuple[str, Form]:
        one, many, form = language.unit("m")
        return (one if language.is_one(written) else many), form

    def share(match: re.Match[str]) -> str:
        sign = {"-": f"{words.minus} ", "+": f"{words.plus} "}.get((match.group("sign") or "").strip(), "")
        name = words.percent if match.group("share") == "%" else words.permille
        each = f" {language.each(None, match.group('per'))}" if match.group("per") else ""
        return f"{sign}{language.number(match.group('number'))} {name}{each}"

    yield re.compile(rf"{number}\s?(?P<share>[%‰])(?:/(?P<per>[^\W\d_]{{2,}}))?"), share
    yield (
        re.compile(r"(?<![\w.,])(\d)\s?m\s?(\d\d)(?![\w.,]\d|\w)"),
        lambda match: f"{language.measure(match.group(1), *metre(match.group(1)))} {language.integer(match.group(2))}",
    )
    yield re.compile(rf"{number}{scale}[\s-]?(?P<unit>{symbols}){per}(?![\w²³/]|[.'’]\w)"), measured
    alone = [symbol for symbol in words.units if "/" in symbol or symbol in words.alone]

    def named(match: re.Match[str]) -> str:
        """A unit by itself; one before a number is a place: "km 35"."""
        return language.unit(match.group(1))[0 if re.match(r"\s\d", match.string[match.end() :]) else 1]

    yield re.compile(rf"(?<![\w/.])({alternatives(alone)})(?![\w/²³])"), named
