"""Expressions kept out of a translator's hands: each is hidden behind a figure that every language leaves as it is.

A figure keeps the grammar around it: a word before it is a verb, a noun behind it is a plural. What it stands for is
put in its place, in the target language's own form, when all legs are done.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import count

from dubline.domain.glossary import Glossary, Term, normal
from dubline.domain.transcript import Line
from dubline.engines.translation.written.amounts import CLOSED
from dubline.engines.translation.written.contraction import contracted
from dubline.engines.translation.written.expressions import find
from dubline.engines.translation.written.found import Found
from dubline.engines.translation.written.table import Words, words

_FIRST_FIGURE = 70001
_COUNTED = "USD"
"""The currency whose name stands behind the figure of a sum."""
_DETERMINER = re.compile(
    r"\b(?:an?|the|my|your|his|her|its|our|their|this|that|one|another|first|second) $", re.IGNORECASE
)
_NOUNS = re.compile(r"(?: [a-z][\w'-]*){1,4}")


@dataclass(frozen=True, slots=True)
class Mask:
    """An expression behind its stand-in."""

    token: str
    found: Found
    low_after: bool
    """Whether a word in lower case follows."""


@dataclass(frozen=True, slots=True)
class Masked:
    text: str
    masks: tuple[Mask, ...]


def masked(text: str, source: str, target: str) -> Masked:
    """The text with its expressions hidden; as it is for a pair of which a language has no table."""
    table = words(source)
    if table is None or words(target) is None:
        return Masked(text, ())
    masks, parts, at = [], list[str](), 0
    numbers = count()
    for found in find(text, table):
        if found.start < at:
            continue
        token = next(free for number in numbers if (free := _token(number, found.name)) not in text)
        moved = _noun_behind(text, found) if source == "en" and found.attribute else ""
        hidden = found.before + token + (f" {table.currencies[_COUNTED][1]}" if found.counted else "")
        end = found.end + len(moved)
        glue = " " if re.match(r"\w", text[end:]) else ""
        parts += [text[at : found.start], f"{moved[1:]}{found.link}{hidden}" if moved else hidden, glue]
        shown = replace(found, value=found.moved) if moved and found.moved else found
        masks.append(Mask(token, shown, bool(re.match(r",? [a-zà-ÿ]", text[end:]))))
        at = end
    return Masked("".join((*parts, text[at:])), tuple(masks))


def _token(number: int, name: bool) -> str:
    """A figure, or a name that no language knows, in letters only."""
    if name:
        return f"Vq{chr(ord('a') + number // 26 % 26)}{chr(ord('a') + number % 26)}xo"
    return str(_FIRST_FIGURE + number)


def _noun_behind(text: str, found: Found) -> str:
    """The noun that an English expression stands before and tells more of, with the space before it."""
    if not _DETERMINER.search(text[: found.start]):
        return ""
    match = _NOUNS.match(text[found.end :])
    if not match:
        return ""
    nouns: list[str] = []
    for word in match.group().split():
        if word in CLOSED or (nouns and word.endswith(("ed", "ly", "s"))):
            break
        nouns.append(word)
    return "".join(f" {word}" for word in nouns[:2]) if len(nouns) <= 3 else ""


def lost(text: str, masks: tuple[Mask, ...]) -> bool:
    """Whether a translation does not have each stand-in once."""
    return any(len(_pattern(mask.token).findall(text)) != 1 for mask in masks)


def _pattern(token: str) -> re.Pattern[str]:
    return re.compile(rf"[*@#]*(?<![\d\w]){token}(?![\d\w])", re.IGNORECASE)


def unmasked(line: Line, masks: tuple[Mask, ...], source: str, target: str) -> Line:
    """The translation with its expressions as the target language writes them."""
    table, spoken = words(target), words(source)
    if table is None or spoken is None:
        return line
    text = line.text
    for mask in masks:
        text = _shown(text, mask, table, spoken)
    tokens = {mask.token for mask in masks}
    return replace(line, text=text, unknown=tuple(word for word in line.unknown if word not in tokens))


def _shown(text: str, mask: Mask, table: Words, source: Words) -> str:
    match = _pattern(mask.token).search(text)
    if match is None:
        return text
    before, after = text[: match.start()], text[match.end() :]
    if mask.found.counted:
        names = "|".join({*table.currencies[_COUNTED], *source.currencies[_COUNTED]})
        after = re.sub(rf"^ (?:{names})\b", "", after)
    begins = re.search(r"(?:^|[.!?…]\s+)[\"'“«¿¡(\[]*$", before)
    if table.code == "fr" and begins and not mask.found.adverb:
        after = re.sub(r"^ (?:ils?|elles?) (?=\w)", " ", after)  # a figure is no subject to Apertium
    if mask.low_after and (begins or mask.found.name):  # Apertium takes what follows for the sentence's start
        after = re.sub(r"^,? [A-ZÀ-Þ](?=[a-zß-ÿ ])", lambda m: m.group().lower(), after)
    phrase = mask.found.value.written(table)
    if begins:
        phrase = phrase[:1].upper() + phrase[1:]
    if table.code == "fr" and phrase.endswith(" de") and re.match(r" [aeiouyéèêâh]", after, re.IGNORECASE):
        phrase, after = phrase[:-1] + "'", after[1:]
    after = after.removeprefix(".") if phrase.endswith(".") else after
    return contracted(before, phrase, table.code) + after


def as_terms(text: str, masks: tuple[Mask, ...], target: str) -> Glossary:
    """The expressions as terms with a fixed wording, for where their stand-ins do not come through."""
    table = words(target)
    if table is None:
        return Glossary()
    found = {text[mask.found.start : mask.found.end]: mask.found.value.written(table) for mask in masks}
    return Glossary(tuple(Term(normal(said), wording) for said, wording in found.items()))
