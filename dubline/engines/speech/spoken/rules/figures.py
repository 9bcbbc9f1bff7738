"""Numbers themselves: thousands set apart, ranges and scores, signs between numbers, and what is then left."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dubline.engines.speech.spoken.language import Language
from dubline.engines.speech.spoken.numerals import GROUPED
from dubline.engines.speech.spoken.rules import Rule, alternatives, around


def grouped(language: Language) -> Iterator[Rule]:
    """Numbers whose thousands are set apart, as rows of digits behind a mark."""
    groups, points = re.escape(language.words.groups), "".join(language.words.points)
    other = "".join(re.escape(p) for p in ",." if p not in language.words.groups)
    end = r"(?!\d|[.,'’]\d)"
    decimals = rf"((?:[{re.escape(points)}]\d+)?){end}"
    begin = r"(?<![\w])(?<!\d[.,'’])"

    def closed(match: re.Match[str]) -> str:
        return GROUPED + re.sub(r"\D", "", match.group(1)) + match.group(2)

    def foreign(match: re.Match[str]) -> str:
        """As another language writes it: "1,000,000.5" where "1.000.000,5" is usual."""
        return GROUPED + re.sub(r"\D", "", match.group(1)) + re.sub(r"\D", language.point, match.group(2))

    yield (
        re.compile(rf"{begin}(\d{{1,3}}(?:([ '’])\d{{3}})(?:\2\d{{3}})*)((?:[.,]\d+)?){end}"),
        lambda m: GROUPED + re.sub(r"\D", "", m.group(1)) + m.group(3),
    )
    yield re.compile(rf"{begin}([1-9]\d{{0,2}}(?:[{groups}]\d{{3}})+){decimals}"), closed
    yield (
        re.compile(rf"{begin}([1-9]\d{{0,2}}(?:[{other}]\d{{3}}){{2,}})((?:[{groups}]\d+)?){end}"),
        foreign,
    )
    yield (
        re.compile(rf"{begin}([1-9]\d{{0,2}}(?:[{other}]\d{{3}})+)([{groups}]\d+){end}"),
        foreign,
    )
    # No decimals look so: lakhs, and three zeros behind the mark that stands before decimals here.
    yield re.compile(rf"{begin}([1-9]\d?(?:,\d\d)+,\d{{3}}|[1-9]\d{{0,2}}[{other}]000)((?:\.\d+)?){end}"), foreign
    yield from _sums_of_another_language(language, rf"[1-9]\d{{0,2}}[{other}]\d{{3}}{end}")


def _sums_of_another_language(language: Language, figures: str) -> Iterator[Rule]:
    """ "2,500 euros" where the comma stands before decimals: money has two of those. In English petrol has three, and
    a sum of thousands that is written so ends in two zeros."""
    currencies = language.words.currencies
    signs, names = alternatives(currencies), alternatives({name for one in currencies.values() for name in one[:2]})
    round_ = r"(?=\d+\W\d00)" if language.point == "." else ""

    def whole(match: re.Match[str]) -> str:
        return match.group(1) + GROUPED + re.sub(r"\D", "", match.group(2))

    yield re.compile(rf"((?:{signs})\s?){round_}({figures})"), whole
    yield re.compile(rf"((?<![\w.,'’-])){round_}({figures})(?=\s?(?:{signs})|\s(?:{names})\b)"), whole


def rules(language: Language) -> Iterator[Rule]:
    words = language.words
    number = language.number_pattern
    yield from language.own_figures()

    def fold(match: re.Match[str]) -> str:
        before, after = around(match)
        return language.folded(match.group(1), before, after)

    yield re.compile(rf"(?<![\w{GROUPED}])(?<!\d[.,])({language.bare_number})\s?\*{{0,2}}[x×X](?!\w|\s?\d)"), fold
    yield re.compile(r"(?<!\w)[x×](\d+)(?![\w.,]\d|\w)"), lambda m: language.repeated(m.group(1), *around(m))
    yield re.compile(r"(?<=\d)\s?:\s?(?=\d)"), lambda _: f" {words.ratio} "
    yield re.compile(r"(?<=[\dxy])\^(?=\d)"), lambda _: f" {words.power} "
    yield (
        re.compile(r"(?<![\w.,])[.,](\d+)(?![\w]|[.,]\d)"),
        lambda m: f"{words.points[language.point]} {language.decimals(m.group(1))}",
    )
    yield re.compile(r"(?<=\d)\s?(?:÷|/(?=\s?\d+\s?=))\s?(?=\d)"), lambda _: f" {words.divided} "
    yield re.compile(rf"(?<![\w)])[~≈]\s?(?=[{GROUPED}\d])"), lambda _: f"{words.approximately} "
    yield (
        re.compile(
            rf"(?<=[\d)])\s?-\s?(?=[{GROUPED}\d]+\s?=)|(?<=[\d)])\s-\s?(?=[{GROUPED}\d])|(?<![\w.,)-])-(?=[{GROUPED}\d])"
        ),
        lambda _: f" {words.minus} ",
    )
    yield re.compile(rf"\+(?=[{GROUPED}\d])|(?<=[\d)])\s?\+\s(?=\w)"), lambda _: f" {words.plus} "

    def more(match: re.Match[str]) -> str:
        return language.or_more(match.group(1))

    yield re.compile(rf"(?<![\w{GROUPED}])(?<!\d[.,])({language.bare_number})\+(?!\w)"), more
    yield (
        re.compile(r"(?<![\w.])\d+(?:\.\d+){2,}(?![\w]|\.\d)"),
        lambda m: f" {language.dot} ".join(language.integer(part) for part in m.group().split(".")),
    )

    def plain(match: re.Match[str]) -> str:
        before, after = around(match)
        said = language.standing(match.group(), before, after)
        counted = language.ends_in_million(match.group()) and language.counts(after)
        if counted:
            return language.counting(said, after)
        return f"{said} " if after[:1].isalpha() else said

    yield re.compile(r"(?<=[^\W\d_])-(?=\d)|(?<=\d)-(?=[^\W\d_])"), lambda _: " "
    yield re.compile(r"(?<=\d)/(?=\d)"), lambda _: f" {words.web['/']} "
    yield re.compile(number), plain

    def mixed(match: re.Match[str]) -> str:
        """Digits beside letters or in a row with signs: "MP3", "1,2,3"."""
        before, after = around(match)
        left = " " if before and (before[-1].isalpha() or before[-1] == "-") else ""
        right = " " if after and (after[0].isalpha() or after[0] == "-") else ""
        return f"{left}{language.number(match.group())}{right}"

    yield re.compile(rf"(?<=[^\W\d_]){language.bare_number}(?!\d|[.,]\d)|{GROUPED}?\d+"), mixed


def signs(language: Language) -> Iterator[Rule]:
    """Signs that stand by themselves or between words."""
    words = language.words

    def said(match: re.Match[str]) -> str:
        return f" {language.sign(match.group(1), *around(match))} "

    yield re.compile(r"\s*([&=<>≤≥±√∞→%‰€$£¥₹°§@+²³])\s*"), said
    yield re.compile(r"(?<=\s)([*#])(?=\s)"), said
    yield re.compile(r"(?<=\w)\s?/\s?(?=\w)"), lambda _: f" {words.signs.get('/', '')} "
    yield re.compile(r"[*_#~|^\\©®™•·{}\[\]<>`]+"), lambda _: " "
