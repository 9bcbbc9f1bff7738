"""Cut text for models that take it in limited pieces: at sentences first, then clauses, words, and characters at last.

Nothing is lost: the pieces' characters, white space aside, are the text's. The rules follow the sentence boundaries of
Unicode Standard Annex 29 (an upper-case start after the stop, stops of other scripts), plus a list of abbreviations.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

Fits = Callable[[str], bool]
"""Whether a piece is short enough for the model."""

# A full stop of Latin, Cyrillic or Greek script ends a sentence only before white space. Those of Chinese, Japanese,
# Hindi, Urdu, Armenian, Amharic, Burmese, Khmer and Tibetan always do, for nothing else is written with them.
_STOP = re.compile(
    r"""[.!?…]+["'”’»)\]]*(?=\s|$) | [。！？｡]+[」』”’）]* | [।॥؟۔։።።။។།]+["'”’»)]* | \n+""",
    re.VERBOSE,
)
_AMBIGUOUS = ".!?…"
_OPENING = "\"'“‘«¿¡([{—–-"
# Titles and what stands before a name or a number; words that also end sentences ("no", "art") are left out on purpose.
_ABBREVIATIONS = frozenset(
    (
        *("mr", "mrs", "ms", "dr", "prof", "st", "sr", "jr", "mt", "gen", "col", "capt", "lt", "sgt", "rev", "gov"),
        *("sen", "rep", "vs", "vol", "fig", "approx", "dept"),
        *("sra", "srta", "dra", "ee", "ud", "uds", "pág", "págs", "núm", "mme", "mlle", "mgr"),
        *("nr", "bzw", "ca", "evtl", "ggf", "inkl", "hr", "fr", "sig", "dott", "ing", "avv", "exmo", "exma"),
    )
)
_DOTTED = re.compile(r"(?:\w\.)+\w?$")
_CLAUSE = re.compile(r"(?<=[,;:])\s+|(?<=[，、；：])|\s+(?=[—–])")
_SPACE = re.compile(r"\s+")
_UNSPACED = frozenset({"zh", "zh-hant", "yue", "ja"})
"""Languages that put no space between sentences."""


def sentences(text: str) -> list[str]:
    """The sentences of a text, stripped; empty for white space alone."""
    parts: list[str] = []
    start = 0
    for stop in _STOP.finditer(text):
        if _ends_sentence(text, stop):
            parts.append(text[start : stop.end()])
            start = stop.end()
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]


def pieces(text: str, fits: Fits) -> list[str]:
    """Sentences, each cut further until it fits (a single character is given up on)."""
    return [piece for sentence in sentences(text) for piece in _cut(sentence, fits)]


def packed(text: str, fits: Fits, language: str) -> list[str]:
    """As few pieces as fit, each of whole sentences where a sentence fits."""
    result: list[str] = []
    for piece in pieces(text, fits):
        longer = join([*result[-1:], piece], language)
        if result and fits(longer):
            result[-1] = longer
        else:
            result.append(piece)
    return result


def join(parts: Sequence[str], language: str) -> str:
    """Put pieces in a language together again."""
    return ("" if language in _UNSPACED else " ").join(part for part in parts if part)


def halves(text: str) -> tuple[str, str] | None:
    """Cut near the middle, at a clause if one ends in the middle half, else between words, else between characters.

    None where there is nothing to cut.
    """
    text = text.strip()
    if len(text) < 2:
        return None
    middle = len(text) / 2
    clauses = [m for m in _CLAUSE.finditer(text) if abs(m.start() - middle) <= len(text) / 4]
    cuts = clauses or list(_SPACE.finditer(text))
    if not cuts:
        return text[: len(text) // 2], text[len(text) // 2 :]
    best = min(cuts, key=lambda m: abs(m.start() - middle))
    return text[: best.start()].rstrip(), text[best.end() :].lstrip()


def _cut(text: str, fits: Fits) -> list[str]:
    parts = None if fits(text) else halves(text)
    return [piece for part in parts for piece in _cut(part, fits)] if parts else [text]


def _ends_sentence(text: str, stop: re.Match[str]) -> bool:
    mark = stop.group()
    following = text[stop.end() :].lstrip().lstrip(_OPENING)
    if mark[0] not in _AMBIGUOUS or not following:
        return True
    if following[0].islower():
        return False  # '"Why?" he asked.', 'Well... perhaps.'
    return mark != "." or not _is_abbreviation(text[: stop.start()])


def _is_abbreviation(before: str) -> bool:
    """Whether the full stop after this text belongs to its last word: title, initial, 'U.S', the '3' of 'am 3. Mai'."""
    words = before.rsplit(maxsplit=1)
    word = words[-1].lstrip(_OPENING) if words else ""
    if len(word) == 1 and word.isalpha():
        return word != "I"
    return word.lower() in _ABBREVIATIONS or bool(_DOTTED.fullmatch(word)) or (word.isdigit() and len(word) <= 2)
