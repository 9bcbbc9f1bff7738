"""How well dubbed speech covers the original's: overlap and onset, an island of source speech at a time.

An island is source speech between two pauses. What the dub says between the middles of those pauses is held against it,
so the measure needs no knowledge of lines, and speech that strays to a neighbour counts there as too much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dubline.domain.time import Span, intersection, total_ms


@dataclass(frozen=True, slots=True)
class IslandFit:
    island: Span
    overlap: float
    """Intersection over union of source and dubbed speech, 0..1."""
    onset_ms: int | None
    """Start of the dubbed speech minus start of the island; None where the dub is silent."""


def fit(source: Sequence[Span], dub: Sequence[Span], duration_ms: int) -> tuple[IslandFit, ...]:
    """Compare every island of `source` with the dubbed speech around it. Both are disjoint and in order."""
    inner = [(a.end_ms + b.start_ms) // 2 for a, b in pairwise(source)]
    bounds = [0, *inner, max([duration_ms, *(span.end_ms for span in (*source, *dub))])]
    starts = frozenset(span.start_ms for span in dub)
    return tuple(
        _one(island, intersection(dub, [Span(start, max(start, end))]), starts)
        for island, start, end in zip(source, bounds, bounds[1:], strict=False)
    )


def _one(island: Span, spoken: Sequence[Span], starts: frozenset[int]) -> IslandFit:
    """Where the dub's speech before runs into these bounds, its tail is no onset, but for want of one that begins."""
    if not spoken:
        return IslandFit(island, 0.0, None)
    overlap = total_ms(intersection([island], spoken)) / total_ms([island, *spoken])
    onset = next((span.start_ms for span in spoken if span.start_ms in starts), spoken[0].start_ms)
    return IslandFit(island, overlap, onset - island.start_ms)
