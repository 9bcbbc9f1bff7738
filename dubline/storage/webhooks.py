"""Calls that tell somebody of a session's end: made until one succeeds, or for a day."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.sql.elements import ColumnElement

from dubline.storage.database import Database, now
from dubline.storage.tables import webhook_calls
from dubline.storage.value import Value

WAITS = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 3600, 21600, 57600))
"""Before each further try; after the last of them it is given up."""
LEASE = timedelta(minutes=2)
"""Who takes a call has so long to make it, before another gateway does."""


class Call(Value):
    session: str
    event: int
    tries: int
    next: datetime | None
    answer: str | None

    @property
    def id(self) -> str:
        """The same for every try, so that who is called can tell a repetition."""
        return f"{self.session}-{self.event}"


async def due(database: Database) -> list[Call]:
    found = select(webhook_calls).where(webhook_calls.c.next <= now()).order_by(webhook_calls.c.next).limit(100)
    return [Call.model_validate(dict(row)) for row in await database.rows(found)]


async def take(database: Database, call: Call) -> bool:
    """Whether it is this process that makes the call now."""
    free = _mine(call) & (webhook_calls.c.tries == call.tries) & (webhook_calls.c.next == call.next)
    return await database.change(update(webhook_calls).where(free).values(next=now() + LEASE)) > 0


async def done(database: Database, call: Call, answer: str) -> None:
    await _note(database, call, None, answer)


async def failed(database: Database, call: Call, answer: str) -> None:
    """It is tried again, less and less often."""
    again = now() + WAITS[call.tries] if call.tries < len(WAITS) else None
    await _note(database, call, again, answer)


async def _note(database: Database, call: Call, again: datetime | None, answer: str) -> None:
    values = {"next": again, "tries": call.tries + 1, "answer": answer[:300]}
    await database.change(update(webhook_calls).where(_mine(call)).values(**values))


def _mine(call: Call) -> ColumnElement[bool]:
    return (webhook_calls.c.session == call.session) & (webhook_calls.c.event == call.event)
