"""An expression where it stands in a text."""

from __future__ import annotations

from dataclasses import dataclass

from dubline.engines.translation.written.table import Words
from dubline.engines.translation.written.values import Value


@dataclass(frozen=True, slots=True)
class Found:
    """What `text[start:end]` says. It is hidden behind `before`, a figure, and `noun`, while the rest is translated."""

    start: int
    end: int
    value: Value
    before: str = ""
    """A preposition that was one word with the expression's article ('del 3 de mayo')."""
    counted: bool = False
    """Whether a noun behind the figure helps the sentence's grammar: sums of money, which are dollars to it."""
    attribute: bool = False
    """Whether it may stand before a noun that it tells more of: 'a $5 million contract'."""
    name: bool = False
    """Whether it is hidden behind a name, not a figure."""
    adverb: bool = False
    """Whether it says when or where, and is no subject."""
    moved: Value | None = None
    """What it says behind its noun, if that is another."""
    link: str = " of "
    """Between the noun and the expression where the two change places."""


def uncontracted(word: str | None, words: Words) -> str:
    """The preposition of a word that is one and an article, with a space behind it."""
    if not word:
        return ""
    preposition = words.contracted[word.lower()]
    return f"{preposition.capitalize() if word[0].isupper() else preposition} "
