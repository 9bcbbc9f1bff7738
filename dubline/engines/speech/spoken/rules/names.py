"""What is short for words: abbreviations, roman numerals, ordinals, decades, "number 5"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from dubline.engines.speech.spoken.language import LETTER, Language, first_word
from dubline.engines.speech.spoken.rules import Rule, alternatives, around

_ROMAN = r"(?=[IVXLCDM])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})(?<=[IVXLCDM])(?![IVXLCDM])"
_NUMBER = rf"(?![CDLM]\b){_ROMAN}"
"""C, D, L and M alone are letters: "type C"."""
_SMALL_ROMAN = r"(?=[IVX])X{0,3}(?:IX|IV|V?I{0,3})(?<=[IVX])(?![IVXLCDM])"
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}


def abbreviations(language: Language) -> Iterator[Rule]:
    known = language.words.abbreviations
    spaced = {re.sub(r"\s", "", written): said for written, said in known.items()}
    pattern = "|".join(re.escape(written).replace(r"\ ", r"\s?") for written in sorted(known, key=len, reverse=True))

    def whole(match: re.Match[str]) -> str:
        said = spaced[re.sub(r"\s", "", match.group(1))]
        after = match.string[match.end() :]
        ends = match.group(1).endswith(".") and (
            not after.strip() or (said.endswith(".") and re.match(r"\s+[A-ZÀ-Ý¿¡]", after))
        )
        return said.rstrip(".") + ("." if ends else "")

    titles, together = language.words.titles, language.words.signs["&"]
    yield (
        re.compile(
            rf"(?<![\w.])(?<![A-Z]\.\s)({alternatives(titles)})[\s-](?=[^\W\d_a-zà-ÿ]|{together}\s|d[aeio]\w{{0,3}}\s[A-ZÀ-Ý])"
        ),
        lambda match: f"{language.title(titles[match.group(1)], first_word(match.string[match.end() :]))} ",
    )
    yield re.compile(rf"(?<![\w.])({pattern})(?!\w|/\d)"), whole
    numbered = language.words.numbered_abbreviations
    numbered = {written[0].upper() + written[1:]: said for written, said in numbered.items()} | numbered
    yield (
        re.compile(rf"(?<![\w.])({alternatives(numbered)})\s?(?=\d|{language.no_numeral}[IVX]+\b)"),
        lambda match: f"{numbered[match.group(1)]} ",
    )
    sign = alternatives(("n.º", "n.°", "n°", "nº", "N.º", "N°", "Nº", "Nro.", "nro.", "núm.", "Núm.", "№", "n.", "N."))
    yield re.compile(rf"(?<![\w.])(?:{sign})\s?(?=\d)"), lambda _: f"{language.words.number_sign} "
    # At the head of a sentence it is an answer: "No. 3 times no."
    yield re.compile(r"(?<=[\w,)»”]\s)No\.\s?(?=\d)|^No\.\s?(?=\d+[.!?]?$)"), lambda _: f"{language.words.number_sign} "
    yield re.compile(r"(?<![\w&])#\s?(?=\d)"), lambda _: f"{language.words.number_sign} "


def acronyms(language: Language) -> Iterator[Rule]:
    known = language.words.acronyms
    if known:
        yield re.compile(rf"\b({alternatives(known)})\b(?!['’.-]?\w)"), lambda match: known[match.group(1)]


def rules(language: Language) -> Iterator[Rule]:
    yield from _decades(language)
    yield from _roman(language)
    yield from _ordinals(language)


def _decades(language: Language) -> Iterator[Rule]:
    before = language.words.decades
    together = language.words.signs["&"]

    def said(match: re.Match[str]) -> str:
        first, second = match.group(2), match.group(3)
        more = f" {together} {language.decade(int(second))}" if second else ""
        return match.group(1) + language.decade(int(first)) + more

    if before:
        decade = r"['’]?((?:1[0-9]|20)?\d0)(?:['’]?s)?"
        yield (
            re.compile(
                rf"\b((?:{alternatives(before)})\s+){decade}(?:\s?[-–/]\s?{decade})?(?![\w.,]\d|\w|[-–]\d|\.?[ºª°])",
                re.IGNORECASE,
            ),
            said,
        )
    yield (
        re.compile(r"(?<![\w.,])['’]?((?:1[0-9]|20)?\d0)['’]?s\b"),
        lambda match: language.decade(int(match.group(1))),
    )


def value(roman: str) -> int:
    numbers = [_VALUES[letter] for letter in roman]
    return sum(-n if n < max(numbers[i:]) else n for i, n in enumerate(numbers))


def _roman(language: Language) -> Iterator[Rule]:
    words = language.words
    lone = language.no_numeral
    if words.roman_ordinal_after:
        yield (
            re.compile(rf"\b({_NUMBER})(?=\s({alternatives(words.roman_ordinal_after)})(?!{LETTER}))"),
            lambda match: language.roman_before(value(match.group(1)), match.group(2)) or match.group(),
        )
    if words.roman_ordinal:
        yield from _centuries(language)
    yield (
        re.compile(
            rf"\b((?i:{alternatives(words.roman_cardinal)})\s+){lone}({_NUMBER})\b(?!['’.]\w){_second(language)}"
        ),
        lambda match: match.group(1) + _numbers(language, match, lambda roman: language.cardinal(value(roman))),
    )
    yield (
        re.compile(rf"\b({alternatives(words.regnal)})(\s+){lone}({_NUMBER})\b(?!['’.]\w)"),
        lambda match: f"{match.group(1)}{match.group(2)}{language.regnal(value(match.group(3)), match.group(1))}",
    )

    def before_noun(match: re.Match[str]) -> str:
        if match.group(1).lower() not in words.functions or match.group(3).isupper():
            return match.group()
        said = language.roman_before(value(match.group(2)), match.group(3))
        return match.group() if said is None else f"{match.group(1)} {said} {match.group(3)}"

    def named(match: re.Match[str]) -> str:
        return f"{match.group(1)} {language.regnal(value(match.group(2)), match.group(1))}"

    yield re.compile(rf"\b([^\W\d_]+)\s+({_SMALL_ROMAN})\s+([^\W\d_]+)"), before_noun
    yield (
        re.compile(
            rf"(?<!\w)([A-ZÀ-Ý][^\W\d_]*[a-zà-ÿ]|[\u0904-\u0939]{LETTER}*)\s+(?=[IVX]{{2,}})({_SMALL_ROMAN})\b(?!['’.]\w)"
        ),
        named,
    )


def _centuries(language: Language) -> Iterator[Rule]:
    """A word, perhaps shortened, and its numeral, perhaps two of them: "siglos XVI-XVIII"."""
    words = language.words
    named = alternatives((*words.roman_ordinal, *words.roman_short))

    def said(match: re.Match[str]) -> str:
        before = words.roman_short.get(match.group(1), match.group(1))
        return f"{before} {_numbers(language, match, lambda roman: language.roman_ordinal(value(roman), before))}"

    yield (
        re.compile(rf"(?<![\w.])((?i:{named}))\s?(?<=[\s.])({_NUMBER})\b(?!\.\w){_second(language)}"),
        said,
    )


def _second(language: Language) -> str:
    """Perhaps another numeral behind the first: "XVI-XVIII", "IV and V"."""
    joints = rf"\s?[-–]\s?|\s(?:{alternatives((language.words.range, *language.words.joints))})\s"
    return rf"(?:({joints}){language.no_numeral}({_NUMBER})\b(?!['’.]\w))?"


def _numbers(language: Language, match: re.Match[str], said: Callable[[str], str]) -> str:
    """The words of one numeral, or of two and what stands between them."""
    one, joint, other = match.group(2, 3, 4)
    if not other:
        return said(one)
    between = joint.strip() if joint.strip() not in ("-", "–") else language.words.range
    return f"{said(one)} {between} {said(other)}"


def _ordinals(language: Language) -> Iterator[Rule]:
    def ordinal(match: re.Match[str]) -> str:
        before, after = around(match)
        written = match.group(1)
        number = int(written) if written.isdigit() else value(written)
        said = language.spelled_ordinal(number, match.group(2), before, after)
        return match.group() if said is None else said

    end = rf"(?![\w.]\w|{LETTER})"
    yield re.compile(rf"(?<![\w.,/:])(?<![-+])(\d{{1,4}})(\.?[ºª°]s?|[.-]?{LETTER}{{1,4}}(?!\.\w)){end}"), ordinal
    yield re.compile(rf"(?<![\w.,/:])({_SMALL_ROMAN})(\.?[ºª°]|{language.roman_suffix}){end}"), ordinal
