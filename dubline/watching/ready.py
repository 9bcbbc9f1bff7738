"""When a dropped file is complete: it has been still for a while, nobody writes to it, and ffprobe accepts it.

Where a file does not say how long it is, ffprobe accepts half of it, too: then it has to be still for much longer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from dubline.watching.folder import Drop, Entry, is_unmarked

AGAIN_S = 1.0
"""When to look again at a still file that could not be taken in at once: somebody has it open, or is at it."""
PUT_OFF_S = 60.0
"""The longest time until a file is examined again that again and again could not be read or submitted."""


class Unsettled(Exception):
    """A file changes still; it is looked at again."""


@dataclass(slots=True)
class _Look:
    stamp: str
    since: float
    """When this stamp was seen first, by the clock that only goes forward."""
    unmarked: bool = False
    """Nothing in the file says where it ends, so half of it looks whole."""
    refused: bool = False
    failures: int = 0
    not_before: float = 0.0


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
        self._texts: dict[str, _Look] = {}

    def see(self, drops: Iterable[Drop], texts: Iterable[Entry] = ()) -> list[Still]:
        """Look once more; the drops that are worth examining now.

        `texts` are files that say how to dub any of them. When one changes, what was refused is examined again.
        """
        drops, before = list(drops), self._texts
        self._texts = {text.name: self._look(before, text.name, text.stamp) for text in texts}
        self._seen = {drop.name: self._look(self._seen, drop.name, drop.stamp) for drop in drops}
        if before != self._texts:
            for look in self._seen.values():
                look.refused = False
        return [still for drop in drops if (still := self._still(drop))]

    def _look(self, known: Mapping[str, _Look], name: str, stamp: str) -> _Look:
        look = known.get(name)
        return look if look and look.stamp == stamp else _Look(stamp, self._clock(), is_unmarked(name))

    def is_still(self, text: str) -> bool:
        """Whether a text, or anything else that is not looked at, has not changed for a while."""
        look = self._texts.get(text)
        return look is None or self._clock() - look.since >= self._still_s

    def _still(self, drop: Drop) -> Still | None:
        look, now = self._seen[drop.name], self._clock()
        if now - look.since < self._still_s or now < look.not_before:
            return None
        # The storage's clock, too: a scan that runs once has no memory of earlier looks.
        quiet_s = max(now - look.since, self._now() - drop.changed)
        over = quiet_s >= self._patience_s
        return Still(drop, over) if over or not (look.refused or look.unmarked) else None

    def refuse(self, drop: Drop) -> None:
        """Do not examine it again until it changes, or its time is over."""
        if drop.name in self._seen:
            self._seen[drop.name].refused = True

    def put_off(self, drop: Drop) -> None:
        """Examine it again later, and later each time."""
        if look := self._seen.get(drop.name):
            look.failures += 1
            look.not_before = self._clock() + min(AGAIN_S * 2**look.failures, PUT_OFF_S)

    def due_s(self) -> float | None:
        """Seconds until the next file may have become still; None where nothing is waited for."""
        waits = [self._wait_s(look) for look in self._seen.values()]
        waits += [wait for look in self._texts.values() if (wait := look.since + self._still_s - self._clock()) > 0]
        return min(waits, default=None)

    def _wait_s(self, look: _Look) -> float:
        age, put_off_s = self._clock() - look.since, look.not_before - self._clock()
        if age < self._still_s:
            return self._still_s - age
        return max(AGAIN_S, put_off_s, self._patience_s - age if look.refused or look.unmarked else 0.0)
