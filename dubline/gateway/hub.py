"""Followers of sessions. The rows in the database are the truth; one look for all followers finds what is new.

A follower keeps the number of the last event it has, so one that is slow, or comes back, misses nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import suppress

from dubline.domain.errors import ServiceUnavailable
from dubline.storage.database import Database
from dubline.storage.sessions import store
from dubline.storage.sessions.model import Event

LOOK_S = 0.5
"""Between two looks; `wake` makes the next one at once."""
LATEST = 200
"""Events of a session that are kept for its followers, so that many of them cost one question."""


class Hub:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._followers: Counter[str] = Counter()
        self._latest: dict[str, list[Event]] = {}
        self._numbers: dict[str, int] = {}
        self._news = asyncio.Condition()
        self._woken = asyncio.Event()

    async def run(self) -> None:
        """Look, for as long as the gateway lives."""
        while True:
            with suppress(ServiceUnavailable):  # followers wait until the database is back
                await self._look()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._woken.wait()
            self._woken.clear()

    def wake(self) -> None:
        """Somebody says that there is news."""
        self._woken.set()

    async def follow(self, session: str, after: int, idle_s: float) -> AsyncGenerator[list[Event]]:
        """Events with numbers above `after`, as they come; an empty list whenever there was none for so long."""
        self._followers[session] += 1
        try:
            while True:
                if events := await self._since(session, after):
                    after = events[-1].number
                    yield events
                if not await self._changed(session, after, idle_s):
                    yield []
        finally:
            self._followers[session] -= 1
            if not self._followers[session]:
                for known in (self._followers, self._latest, self._numbers):
                    known.pop(session, None)

    async def _look(self) -> None:
        watched = list(self._followers)
        if not watched:
            return
        newest = await store.newest(self._database, watched)
        behind = {
            session: self._numbers.get(session, max(0, number - LATEST))
            for session, number in newest.items()
            if number > self._numbers.get(session, 0)
        }
        if not behind:
            return
        for session, new in (await store.events_of(self._database, behind)).items():
            self._latest[session] = [*self._latest.get(session, []), *new][-LATEST:]
            self._numbers[session] = new[-1].number
        async with self._news:
            self._news.notify_all()

    async def _since(self, session: str, after: int) -> list[Event]:
        latest = self._latest.get(session, [])
        if latest and latest[0].number <= after + 1:
            return [event for event in latest if event.number > after]
        return await store.events(self._database, session, after)

    async def _changed(self, session: str, after: int, idle_s: float) -> bool:
        try:
            async with asyncio.timeout(idle_s), self._news:
                await self._news.wait_for(lambda: self._numbers.get(session, 0) > after)
        except TimeoutError:
            return False
        return True
