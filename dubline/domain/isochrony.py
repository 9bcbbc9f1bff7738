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
    return tuple(
        _one(island, intersection(dub, [Span(start, max(start, end))]))
        for island, start, end in zip(source, bounds, bounds[1:], strict=False)
    )


def _one(island: Span, spoken: Sequence[Span]) -> IslandFit:
    if not spoken:
        return IslandFit(island, 0.0, None)
    overlap = total_ms(intersection([island], spoken)) / total_ms([island, *spoken])
    return IslandFit(island, overlap, spoken[0].start_ms - island.start_ms)
