"""Correct a recognizer's word times by when somebody is heard to speak.

Recognizers place words by attention: inside running speech to some ten milliseconds, but beside a pause a word takes in
a part of the silence, and most words end too early. A detector of speech knows the edges of pauses better and nothing
of words; each corrects the other where it is the better witness.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

from dubline.domain.time import Span, merged
from dubline.domain.transcript import Word

REACH_MS = 400
"""How far a word's edge may lie from the edge of the speech that it belongs to; beyond, the two speak of other things.
Attention-based word times are mostly right within 200 to 400 ms (the collars of Bain et al., WhisperX, Interspeech
2023)."""
SHORTEST_MS = 60
"""No word is trimmed to less: a fast monosyllable."""


def corrected(words: Sequence[Word], speech: Sequence[Span]) -> tuple[Word, ...]:
    """The words in their order, with edges moved to the edges of the detected `speech`.

    A word that runs into silence ends with the speech; speech that goes on between a word and a silence, or between it
    and the next word, belongs to that word. Words that no speech was detected at stay as they are.
    """
    runs = merged(speech)
    starts = [run.start_ms for run in runs]
    result: list[Word] = []
    for index, word in enumerate(words):
        run = _run_of(word.span, runs, starts)
        if run:
            before = words[index - 1].span.end_ms if index else 0
            after = words[index + 1].span.start_ms if index + 1 < len(words) else run.end_ms
            word = replace(word, span=_fitted(word.span, run, before, after))
        result.append(word)
    return tuple(result)


def _run_of(span: Span, runs: Sequence[Span], starts: Sequence[int]) -> Span | None:
    """The stretch of speech that shares most time with a word; None where none does."""
    first = max(bisect_right(starts, span.start_ms) - 1, 0)
    near = runs[first : bisect_right(starts, span.end_ms)]
    best = max(near, key=span.overlap_ms, default=None)
    return best if best and span.overlap_ms(best) else None


def _fitted(span: Span, run: Span, before: int, after: int) -> Span:
    """`before` is the end of the word before, `after` the start of the next one (ms)."""
    start = _near(max(run.start_ms, before), span.start_ms) if before <= span.start_ms else span.start_ms
    if run.start_ms < before:
        start = span.start_ms  # speech between two words belongs to the earlier one
    end = _near(min(run.end_ms, after), span.end_ms) if after >= span.end_ms else span.end_ms
    shortest = min(SHORTEST_MS, span.len_ms)
    if end - start >= shortest:
        return Span(start, end)
    return Span(start, start + shortest) if start == span.start_ms else Span(end - shortest, end)


def _near(wanted: int, edge: int) -> int:
    return wanted if abs(wanted - edge) <= REACH_MS else edge
