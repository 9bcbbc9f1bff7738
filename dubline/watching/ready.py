"""When a dropped file is complete: it has been still for a while, nobody writes to it, and ffprobe accepts it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dubline.watching.folder import Drop

AGAIN_S = 1.0
"""When to look again at a still file that could not be taken in at once: somebody has it open, or is at it."""


@dataclass(slots=True)
class _Look:
    stamp: str
    since: float
    """When this stamp was seen first, by the clock that only goes forward."""
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Still:
    """A drop that has not changed for a while; `patience_over` when it was given all the time it gets."""

    drop: Drop
    patience_over: bool


class Looks:
    """Remembers what each file looked like. One look proves nothing: a copy may be under way.

    `still_s`: how long size and times must not change. `patience_s`: how long a still file that is not accepted may
    take to become so; a copy that was interrupted is often resumed.
    """

    def __init__(
        self, still_s: float, patience_s: float, clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._still_s, self._patience_s, self._clock, self._now = still_s, patience_s, clock, now
        self._seen: dict[str, _Look] = {}

    def see(self, drops: Iterable[Drop]) -> list[Still]:
        """Look once more; the drops that are worth examining now."""
        drops = list(drops)
        self._seen = {drop.name: self._look(drop) for drop in drops}
        return [still for drop in drops if (still := self._still(drop))]

    def _look(self, drop: Drop) -> _Look:
        known = self._seen.get(drop.name)
        return known if known and known.stamp == drop.stamp else _Look(drop.stamp, self._clock())

    def _still(self, drop: Drop) -> Still | None:
        look, now = self._seen[drop.name], self._clock()
        if now - look.since < self._still_s:
            return None
        # The storage's clock, too: a scan that runs once has no memory of earlier looks.
        quiet_s = max(now - look.since, self._now() - drop.changed)
        over = quiet_s >= self._patience_s
        return Still(drop, over) if over or not look.refused else None

    def refuse(self, drop: Drop) -> None:
        """Do not examine it again until it changes, or its time is over."""
        if drop.name in self._seen:
            self._seen[drop.name].refused = True

    def due_s(self) -> float | None:
        """Seconds until the next file may have become still; None where nothing is waited for."""
        waits = map(self._wait_s, self._seen.values())
        return min(waits, default=None)

    def _wait_s(self, look: _Look) -> float:
        age = self._clock() - look.since
        if age < self._still_s:
            return self._still_s - age
        return max(AGAIN_S, self._patience_s - age) if look.refused else AGAIN_S
