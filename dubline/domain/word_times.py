"""Correct a recognizer's word times by when somebody is heard to speak.

Recognizers place words by attention: inside running speech to some ten milliseconds, but beside a pause a word takes in
a part of the silence, and most words end too early. A detector of speech knows the edges of pauses better and nothing
of words; each corrects the other where it is the better witness.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace

from dubline.domain.attribution import ends_sentence
from dubline.domain.time import Span, merged
from dubline.domain.transcript import Word

REACH_MS = 400
"""Less speech than this beside a word is added to it: attention-based word times are mostly right within 200 to 400 ms
(the collars of Bain et al., WhisperX, Interspeech 2023). More was said by somebody else, or not recognized: of that the
last word of a sentence alone gets some, no more than its letters take drawn out, and half of this. Silence inside a
word's time is taken off whatever its length: recognizers stretch a last word over a pause."""
SHORTEST_MS = 60
"""No word is trimmed to less: a fast monosyllable."""
LETTER_MS, SYLLABLE_MS = 70, 180
"""What a letter takes, and the least that a word does. Speakers of seven languages say 5 to 8 syllables a second
(Pellegrino et al., "A cross-language perspective on speech information rate", Language 2011), of 2 to 3 letters."""
IMPLAUSIBLE = 3.0
"""A word so many times as long as its letters take has something else in it. Hesitation and emphasis stay below."""
DRAWN_OUT = 1.5
"""How long such a word is taken to be, against its letters: the last one before a pause is drawn out by half (Wightman
et al., "Segmental durations in the vicinity of prosodic phrase boundaries", JASA 1992)."""
_SYLLABLE, _SPELT, _NAMED = 3, 3, 5
"""Letters that an ideograph or kana, a capital of an abbreviation, and a digit or sign count for, as they are said."""


def corrected(words: Sequence[Word], speech: Sequence[Span]) -> tuple[Word, ...]:
    """The words in their order, with edges moved to the edges of the detected `speech`.

    A word that runs into silence ends with the speech; speech that goes on between a word and a silence, or between it
    and the next word, belongs to that word. Words that no speech was detected at stay as they are. A word much longer
    than its letters can take, which a recognizer stretched over what it did not write down, is cut to what they take.
    """
    runs = merged(speech)
    starts = [run.start_ms for run in runs]
    result: list[Word] = []
    for index, word in enumerate(words):
        run = _run_of(word.span, runs, starts)
        if run:
            before = result[-1].span.end_ms if result else 0
            after = words[index + 1].span.start_ms if index + 1 < len(words) else run.end_ms
            word = replace(word, span=_fitted(word, run, before, after))
        result.append(word)
    return tuple(_plausible(result))


def _plausible(words: Sequence[Word]) -> Iterator[Word]:
    """Cut the words that are IMPLAUSIBLE: at their end, but for one that leads into the next and follows none."""
    for index, word in enumerate(words):
        takes_ms = natural_ms(word.text)
        if word.span.len_ms > IMPLAUSIBLE * takes_ms:
            start, end, length = word.span.start_ms, word.span.end_ms, round(DRAWN_OUT * takes_ms)
            follows = index > 0 and start - words[index - 1].span.end_ms < SHORTEST_MS
            leads = index + 1 < len(words) and words[index + 1].span.start_ms - end < SHORTEST_MS
            span = Span(end - length, end) if leads and not follows else Span(start, start + length)
            word = replace(word, span=span)
        yield word


def natural_ms(text: str) -> int:
    """How long a word takes that is said without haste, by its letters."""
    spelt = text.isupper() and sum(map(str.isalpha, text)) > 1
    return max(SYLLABLE_MS, LETTER_MS * sum(_letters(character, spelt) for character in text))


def _letters(character: str, spelt: bool) -> int:
    if character.isdigit() or unicodedata.category(character)[0] == "S" or character in "%&@#/":
        return _NAMED
    if unicodedata.east_asian_width(character) in "WF":
        return _SYLLABLE
    return (_SPELT if spelt else 1) if character.isalpha() else 0


def _run_of(span: Span, runs: Sequence[Span], starts: Sequence[int]) -> Span | None:
    """The stretch of speech that shares most time with a word; None where none does."""
    first = max(bisect_right(starts, span.start_ms) - 1, 0)
    near = runs[first : bisect_right(starts, span.end_ms)]
    best = max(near, key=span.overlap_ms, default=None)
    return best if best and span.overlap_ms(best) else None


def _fitted(word: Word, run: Span, before: int, after: int) -> Span:
    """`before` is the end of the word before, `after` the start of the next one (ms)."""
    span = word.span
    start, end = max(span.start_ms, run.start_ms), min(span.end_ms, run.end_ms)
    if before <= run.start_ms < start < run.start_ms + REACH_MS:
        start = run.start_ms  # speech between two words belongs to the earlier one, so only after a silence
    reachable = min(run.end_ms, after)
    if end < reachable < end + REACH_MS:
        end = reachable
    elif end < reachable and ends_sentence(word.text):
        drawn_out = round(DRAWN_OUT * natural_ms(word.text))
        end = max(end, min(start + drawn_out, end + REACH_MS // 2, reachable))
    shortest = min(SHORTEST_MS, span.len_ms)
    if end - start >= shortest:
        return Span(start, end)
    return (
        Span(span.start_ms, span.start_ms + shortest)
        if start == span.start_ms
        else Span(min(max(end - shortest, before), end), end)
    )
