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

    yield (
        re.compile(rf"{begin}(\d{{1,3}}(?:([ '’])\d{{3}})(?:\2\d{{3}})*)((?:[.,]\d+)?){end}"),
        lambda m: GROUPED + re.sub(r"\D", "", m.group(1)) + m.group(3),
    )
    yield re.compile(rf"{begin}([1-9]\d{{0,2}}(?:[{groups}]\d{{3}})+){decimals}"), closed
    yield (
        re.compile(rf"{begin}([1-9]\d{{0,2}}(?:[{other}]\d{{3}}){{2,}})((?:[{groups}]\d+)?){end}"),
        lambda m: GROUPED + re.sub(r"\D", "", m.group(1)) + re.sub(r"\D", language.point, m.group(2)),
    )
    if language.indian:
        yield re.compile(rf"{begin}([1-9]\d?(?:,\d\d)+,\d{{3}}){decimals}"), closed


def ranges(language: Language) -> Iterator[Rule]:
    """A dash between two numbers becomes a word; both stay in figures for the rules of sums and measures."""
    number = language.bare_number
    money = alternatives(language.words.currencies)
    unit = alternatives([*language.words.units, "%"])

    def joined(match: re.Match[str]) -> str:
        first, second = match.group("first"), match.group("second")
        if match.group("money") and not match.group("money2"):
            behind = re.match(r"\s?\w+", match.string[match.end() :])
            scale = behind.group().strip() if behind and behind.group().strip() in language.words.scale_words else ""
            if not scale and not (behind and re.fullmatch("[kKMB]", behind.group().strip())):
                return language.between(first, f"{second} {match.group('money')}", match)
            return language.between(first, f"{match.group('money')}{second}", match)
        left = f"{match.group('money') or ''}{first}{match.group('unit') or ''}"
        return language.between(left, f"{match.group('money2') or ''}{second}", match)

    yield (
        re.compile(
            rf"(?<![\w{GROUPED}])(?<!\d[.,])(?<!\d-)(?P<money>(?:{money})\s?)?(?P<first>{number})(?P<unit>\s?(?:{unit}))?"
            rf"(?P<sign>\s?[-–—]\s?)(?P<money2>(?:{money})\s?)?(?P<second>{number})(?!\d|[.,]\d|\s?[-–—]\d)(?!\s?[-+*/]?\s?\d*\s?=)"
        ),
        joined,
    )


def rules(language: Language) -> Iterator[Rule]:
    words = language.words
    number = language.number_pattern
    yield from language.own_figures()

    def fold(match: re.Match[str]) -> str:
        before, after = around(match)
        return language.folded(match.group(1), before, after)

    yield re.compile(rf"(?<![\w{GROUPED}])(?<!\d[.,])({language.bare_number})\s?[x×X](?!\w|\s?\d)"), fold
    yield re.compile(r"(?<!\w)[x×](\d+)(?![\w.,]\d|\w)"), lambda m: language.repeated(m.group(1), *around(m))
    yield (
        re.compile(rf"(?<=\d)(\s?)[x×*·]\s?(?=[-{GROUPED}]?\d)"),
        lambda match: f" {language.crossed(bool(match.group(1)), match)} ",
    )
    yield re.compile(r"(?<=\d)\s?:\s?(?=\d)"), lambda _: f" {words.ratio} "
    yield re.compile(r"(?<=\d)\s?÷\s?(?=\d)"), lambda _: f" {words.divided} "
    yield re.compile(rf"(?<![\w)])[~≈]\s?(?=[{GROUPED}\d])"), lambda _: f"{words.approximately} "
    yield (
        re.compile(rf"(?<=[\d)])\s-\s?(?=[{GROUPED}\d])|(?<![\w.,)-])-(?=[{GROUPED}\d])"),
        lambda _: f" {words.minus} ",
    )
    yield re.compile(rf"\+(?=[{GROUPED}\d])|(?<=[\d)])\s?\+\s(?=\w)"), lambda _: f" {words.plus} "

    def more(match: re.Match[str]) -> str:
        return language.or_more(match.group(1))

    yield re.compile(rf"(?<![\w{GROUPED}])(?<!\d[.,])({language.bare_number})\+(?!\w)"), more
    yield (
        re.compile(r"(?<![\w.])\d+(?:\.\d+){2,}(?![\w]|\.\d)"),
        lambda m: f" {words.web['.']} ".join(language.integer(part) for part in m.group().split(".")),
    )

    def plain(match: re.Match[str]) -> str:
        before, after = around(match)
        said = language.standing(match.group(), before, after)
        counted = language.ends_in_million(match.group()) and language.counts(after)
        return f"{said} {words.of}" if counted else said

    yield re.compile(number), plain

    def mixed(match: re.Match[str]) -> str:
        """Digits beside letters or in a row with signs: "MP3", "1,2,3"."""
        before, after = around(match)
        left = " " if before and (before[-1].isalpha() or before[-1] == "-") else ""
        right = " " if after and (after[0].isalpha() or after[0] == "-") else ""
        return f"{left}{language.integer(match.group())}{right}"

    yield re.compile(r"(?<=[^\W\d_])-(?=\d)|(?<=\d)-(?=[^\W\d_])"), lambda _: " "
    yield (
        re.compile(rf"{GROUPED}?\d+"),
        lambda m: mixed(m) if not m.group().startswith(GROUPED) else language.number(m.group()),
    )


def signs(language: Language) -> Iterator[Rule]:
    """Signs that stand by themselves or between words."""
    words = language.words

    def said(match: re.Match[str]) -> str:
        return f" {language.sign(match.group(1), *around(match))} "

    yield re.compile(r"\s*([&=<>≤≥±√∞→%‰€$£¥₹°§@+²³])\s*"), said
    yield re.compile(r"(?<=\s)([*#])(?=\s)"), said
    yield re.compile(r"(?<=\w)\s?/\s?(?=\w)"), lambda _: f" {words.signs.get('/', '')} "
    yield re.compile(r"[*_#~|^\\©®™•·{}\[\]<>`]+"), lambda _: " "
