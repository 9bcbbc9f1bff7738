"""Whisper's timed pieces as words."""

from __future__ import annotations

from collections.abc import Iterable

from dubline.domain.attribution import UNSPACED
from dubline.domain.time import Span
from dubline.domain.transcript import Word

Piece = tuple[str, float, float, float]
"""Text with its white space, start and end in s, probability."""


def words_of(pieces: Iterable[Piece], language: str) -> list[Word]:
    """The words of one segment. A piece that begins without a space goes on with the word before ("o" + "'clock",
    "twenty" + "-five"), but for languages that put none between words."""
    words: list[Word] = []
    for text, start, end, probability in pieces:
        if not text.strip():
            continue
        word = Word(text.strip(), Span.from_seconds(start, max(start, end)), min(max(float(probability), 0.0), 1.0))
        if words and not text[0].isspace() and language not in UNSPACED:
            before = words.pop()
            confidence = min(before.confidence, word.confidence)
            word = Word(before.text + word.text, before.span | word.span, confidence)
        words.append(word)
    return words
