"""Phrases while they are fitted: their slots, the passages they form, and the hard rules to the millisecond."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from dubline.domain.time import Span
from dubline.domain.timeline import PlannedLine, PlannedPhrase
from dubline.domain.transcript import NOBODY, Segment

_LONG_GAP_MS = 2_000
"""Lines on either side of such a silence are fitted apart."""


@dataclass(frozen=True, slots=True)
class Item:
    """A phrase while it is fitted."""

    key: tuple[int, int]
    """Number of the line, number of the phrase in it."""
    slot: Span
    speaker: str
    lasts: tuple[float, ...]
    """Natural duration in ms for each wording of the line; 0 where that wording has nothing to say here."""
    slowest: float
    fastest: float
    """Tempo that may be given to it."""
    fixed: bool = False
    """The original's sound, which cannot be moved."""
    unheard: bool = False
    """Such sound in which nothing was recognized."""

    def may_overlap(self, other: Item) -> bool:
        """Two people may speak at once in the dub only where they did so in the source."""
        return self.speaker != other.speaker and bool(self.slot & other.slot)


@dataclass(frozen=True, slots=True)
class Fit:
    span: Span
    tempo: float


def spoken_items(
    number: int,
    segment: Segment,
    line: PlannedLine,
    lasts: Mapping[str, float],
    tempo: Callable[[PlannedPhrase], tuple[float, float]],
) -> tuple[Item, ...]:
    """The phrases of a line that was spoken; the whole line as one, fixed, where one of them was not or there are none.

    `lasts` has the phrases' durations in ms, `tempo` says how slow and how fast each may become.
    """
    if not line.phrases or not all(phrase.id in lasts for phrase in line.phrases):
        slot = segment.span
        return (Item((number, 0), slot, segment.speaker, (slot.len_ms,), 1.0, 1.0, fixed=True),)
    return tuple(
        Item((number, place), phrase.slot, segment.speaker, (lasts[phrase.id],), *tempo(phrase))
        for place, phrase in enumerate(line.phrases)
    )


def unheard_item(number: int, span: Span) -> Item:
    """Clear speech that is in no line, as a line of its own in which the original's sound stays."""
    return Item((number, 0), span, NOBODY, (span.len_ms,), 1.0, 1.0, fixed=True, unheard=True)


def original(line: Sequence[Item]) -> Item:
    """The original's sound in the place of a line."""
    slot = line[0].slot | line[-1].slot
    return Item(line[0].key, slot, line[0].speaker, (slot.len_ms,), 1.0, 1.0, fixed=True)


def passages(lines: Sequence[tuple[Item, ...]], most: int | None = None) -> list[Sequence[tuple[Item, ...]]]:
    """Lines in passages that long silences part; those of more than `most` lines are parted further."""
    reached, silences = -_LONG_GAP_MS, []
    for line in lines:
        silences.append(line[0].slot.start_ms - reached)
        reached = max(reached, line[-1].slot.end_ms)
    cuts = [0, *(n for n, silence in enumerate(silences) if n and silence >= _LONG_GAP_MS), len(lines)]
    blocks: list[Sequence[tuple[Item, ...]]] = []
    pending = [(start, stop) for start, stop in pairwise(cuts) if stop > start]
    while pending:
        start, stop = pending.pop(0)
        if most and stop - start > most:
            quarter = (stop - start) // 4
            middle = max(range(start + quarter, stop - quarter), key=lambda n: silences[n])
            pending[:0] = [(start, middle), (middle, stop)]
        else:
            blocks.append(lines[start:stop])
    return blocks


def settled(items: Sequence[tuple[Item, ...]], fits: Mapping[tuple[int, int], Fit]) -> dict[tuple[int, int], Fit]:
    """Move phrases to the right until none overlaps that may not: rounding left some 1 ms off, and an original that
    stays in the way is passed, but for speech in which nothing was recognized: that may be long, and what is pushed
    behind it would be said to another picture. Nothing moves where nothing overlaps."""
    ordered = sorted((item for line in items for item in line), key=lambda item: (item.slot.start_ms, item.key))
    walls = [item for item in ordered if item.fixed and not item.unheard]
    occupied = _Occupied()
    result = {}
    for item in ordered:
        fit = fits[item.key]
        if not item.fixed:
            span = fit.span.shifted(max(0, occupied.until(item) - fit.span.start_ms))
            for wall in walls:
                if span & wall.slot and not wall.may_overlap(item):
                    span = span.shifted(wall.slot.end_ms - span.start_ms)
            fit = replace(fit, span=span)
            occupied.add(item, span.end_ms)
        result[item.key] = fit
    return result


class _Occupied:
    """Until when each speaker's phrases so far reach, to be asked for those that a further one may not overlap."""

    def __init__(self) -> None:
        self._slot_ends: dict[str, list[int]] = {}
        self._reached: dict[str, list[int]] = {}

    def add(self, item: Item, end_ms: int) -> None:
        reached = self._reached.setdefault(item.speaker, [])
        self._slot_ends.setdefault(item.speaker, []).append(item.slot.end_ms)
        reached.append(max(end_ms, reached[-1] if reached else 0))

    def until(self, item: Item) -> int:
        """The end of the last phrase that `item` may not overlap. A speaker's slots come in order, without overlap."""
        latest = 0
        for speaker, reached in self._reached.items():
            own = speaker == item.speaker
            count = len(reached) if own else bisect_right(self._slot_ends[speaker], item.slot.start_ms)
            latest = max(latest, reached[count - 1] if count else 0)
        return latest
