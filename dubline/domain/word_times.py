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
"""How much speech beside a word may be added to it; what lies further off was said by somebody else, or not
recognized. Attention-based word times are mostly right within 200 to 400 ms (the collars of Bain et al., WhisperX,
Interspeech 2023). Silence inside a word's time is taken off whatever its length: recognizers stretch a last word over a
pause."""
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
            before = result[-1].span.end_ms if result else 0
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
    start, end = max(span.start_ms, run.start_ms), min(span.end_ms, run.end_ms)
    if before <= run.start_ms < start <= run.start_ms + REACH_MS:
        start = run.start_ms  # speech between two words belongs to the earlier one, so only after a silence
    reachable = min(run.end_ms, after)
    if end < reachable <= end + REACH_MS:
        end = reachable
    shortest = min(SHORTEST_MS, span.len_ms)
    if end - start >= shortest:
        return Span(start, end)
    return (
        Span(span.start_ms, span.start_ms + shortest)
        if start == span.start_ms
        else Span(min(max(end - shortest, before), end), end)
    )
