"""Phrases: what a speaker says between two pauses, and how a translation is shared out over them.

A pause is a closed mouth; the dub keeps it. So a line is spoken in as many pieces as its source has phrases, and its
words are parted where the language allows a break and the pieces take about as long as their source (prosodic
alignment; Federico et al., "Evaluating and Optimizing Prosodic Alignment for Automatic Dubbing", Interspeech 2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

from dubline.domain.cues import CueLimits
from dubline.domain.linebreaks import Token, break_cost, joined, tokens
from dubline.domain.time import Span, merged
from dubline.domain.transcript import Segment

PAUSE_MS = 300
"""Silences of this length and more are kept as pauses in the dub."""
_BREAK_COST = 50.0
"""For each step of `break_cost`, against the misfit in ms: a phrase of a second is a third too long or too short sooner
than an article stands alone before a pause, which listeners cannot follow."""
_EMPTY_COST, _EMPTY_START_COST = 1000.0, 2000.0
"""A phrase of the source during which the dub is silent; twice as bad where a mouth opens after the others' talk."""


def slots(segment: Segment) -> tuple[Span, ...]:
    """The spans of a segment's phrases in order: its words, with pauses of PAUSE_MS and more between."""
    return merged((word.span for word in segment.words), gap_ms=PAUSE_MS - 1) or (segment.span,)


def phrased(text: str, spans: Sequence[Span], language: str, spoken_ms: float) -> tuple[str, ...]:
    """Cut a text into one piece for each of the source's phrases; a piece is empty where there are too few words.

    `spoken_ms` is how long the whole text takes at its natural pace. Nothing is lost: the pieces' characters, white
    space aside, are the text's.
    """
    if len(spans) == 1:
        return (text,)
    words = _spoken(tokens(text, CueLimits.of(language)))
    ends = [0, *accumulate(_letters(word) for word in words)]
    times = [spoken_ms * end / max(ends[-1], 1) for end in ends]
    bounds = _best_cuts(words, times, spans, language)
    return tuple(joined(words[start:stop]) for start, stop in pairwise(bounds))


def _spoken(words: Sequence[Token]) -> list[Token]:
    """The words, with dashes and quotes that stand alone joined to a neighbour: alone they cannot be said."""
    result: list[Token] = []
    for word in words:
        if result and not (_letters(word) and _letters(result[-1])):
            result[-1] = replace(result[-1], text=joined((result[-1], word)))
        else:
            result.append(word)
    return result


def _letters(word: Token) -> int:
    return sum(character.isalnum() for character in word.text)


def _best_cuts(words: Sequence[Token], times: Sequence[float], spans: Sequence[Span], language: str) -> list[int]:
    """Places of the cuts, both ends included, by dynamic programming: piece after piece, word after word."""
    best = [0.0, *[float("inf")] * len(words)]
    came: list[list[int]] = []
    for number, span in enumerate(spans):
        costs, sources = [], []
        for stop in range(len(words) + 1):
            cut = _cut_cost(words, stop, language) if number < len(spans) - 1 else 0.0
            options = [
                (best[start] + _misfit(times[stop] - times[start], span.len_ms, first=number == 0) + cut, start)
                for start in range(stop + 1)
            ]
            cost, source = min(options)
            costs.append(cost)
            sources.append(source)
        best = costs
        came.append(sources)
    bounds = [len(words)]
    for sources in reversed(came):
        bounds.append(sources[bounds[-1]])
    return bounds[::-1]


def _cut_cost(words: Sequence[Token], stop: int, language: str) -> float:
    return _BREAK_COST * break_cost(words[stop - 1], words[stop], language) if 0 < stop < len(words) else 0.0


def _misfit(spoken_ms: float, slot_ms: int, first: bool) -> float:
    """Convex, so that what is too much is shared out over the phrases instead of falling to one."""
    if not spoken_ms:
        return (_EMPTY_START_COST if first else _EMPTY_COST) + slot_ms
    return (spoken_ms - slot_ms) ** 2 / (spoken_ms + slot_ms)
