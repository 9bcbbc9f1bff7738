"""What was taken in, in a database: one row for a content, its options and an attempt.

The unique constraint decides between scanners that look at the same moment: who inserts the row submits the run. No
decision rests on a read and a later write in one transaction, so SQLite and PostgreSQL behave alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from enum import StrEnum
from itertools import count

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Executable, RowMapping, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from dubline.storage.database import Database, now
from dubline.storage.tables import watched_videos as _rows
from dubline.watching.options import Options

CHUNK = 500
"""Values in one IN (...); SQLite takes 32766, older ones 999."""


class State(StrEnum):
    NEW = "new"
    """Taken in; whether its run was created is not known."""
    SUBMITTED = "submitted"
    DONE = "done"
    FAILED = "failed"


class Identity(BaseModel):
    """What makes two drops the same: folder, content and options."""

    model_config = ConfigDict(frozen=True)

    folder: str
    content: str
    """sha256 of the video."""
    options: Options

    def work(self, attempt: int) -> str:
        """Name of the working folder: the same for every scanner, different for any other identity."""
        rest = hashlib.sha256(f"{self.folder}\n{self.content}\n{self.options.digest()}".encode()).hexdigest()
        return f"{self.content[:12]}-{rest[:20]}-{attempt}"


class Row(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: int
    folder: str
    content: str
    attempt: int
    options: Options
    work: str
    name: str
    """The file's name when it was taken in."""
    state: State
    run: str | None
    """Id of the flow run."""
    result: str | None
    """Where results or the failed video are put, decided once."""
    reason: str | None
    created: datetime

    @property
    def identity(self) -> Identity:
        return Identity(folder=self.folder, content=self.content, options=self.options)

    @property
    def key(self) -> str:
        """The idempotency key of its run."""
        return f"watched-{self.work}"


class Ledger:
    """All methods raise ServiceUnavailable when the database cannot be reached."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str | None = None) -> AsyncIterator[Ledger]:
        """The ledger in the database at a SQLAlchemy URL, or where the settings say."""
        async with Database.opened(url) as database:
            yield cls(database)

    async def folders(self, since: datetime) -> list[str]:
        """Those of which a video changed its state since then."""
        found = await self._database.rows(select(_rows.c.folder).where(_rows.c.changed > since).distinct())
        return [row["folder"] for row in found]

    async def latest(self, identity: Identity) -> Row | None:
        """The last attempt at it."""
        same = (
            (_rows.c.folder == identity.folder)
            & (_rows.c.content == identity.content)
            & (_rows.c.options_digest == identity.options.digest())
        )
        found = await self._select(select(_rows).where(same).order_by(_rows.c.attempt.desc()).limit(1))
        return found[0] if found else None

    async def insert(self, identity: Identity, attempt: int, name: str) -> Row | None:
        """Begin an attempt; None where another scanner did so first."""
        at = now()
        values = {
            "folder": identity.folder,
            "content": identity.content,
            "options_digest": identity.options.digest(),
            "attempt": attempt,
            "options": identity.options.model_dump_json(),
            "work": identity.work(attempt),
            "name": name,
            "state": State.NEW,
            "created": at,
            "changed": at,
        }
        try:
            await self._execute(insert(_rows).values(values))
        except IntegrityError:
            return None
        return (await self.of_work([identity.work(attempt)])).get(identity.work(attempt))

    async def begin_anew(self, row: Row) -> Row | None:
        """Make a row without a run the next attempt that no row is; None where another scanner was quicker."""
        unchanged = (_rows.c.id == row.id) & (_rows.c.attempt == row.attempt) & (_rows.c.state == State.NEW)
        for attempt in count(row.attempt + 1):
            values = {"attempt": attempt, "work": row.identity.work(attempt)}
            try:
                changed = await self._execute(update(_rows).where(unchanged).values(**values, changed=now()))
            except IntegrityError:
                continue
            return row.model_copy(update=values) if changed else None
        raise AssertionError("numbers do not end")

    async def open_rows(self, folder: str) -> list[Row]:
        """All that is new or submitted, oldest first."""
        unfinished = _rows.c.state.in_((State.NEW, State.SUBMITTED))
        return await self._select(select(_rows).where(_rows.c.folder == folder, unfinished).order_by(_rows.c.id))

    async def of_work(self, names: Sequence[str]) -> dict[str, Row]:
        """Name of a working folder -> its row."""
        found: list[Row] = []
        for start in range(0, len(names), CHUNK):
            wanted = _rows.c.work.in_(names[start : start + CHUNK])
            found += await self._select(select(_rows).where(wanted))
        return {row.work: row for row in found}

    async def submitted(self, row: Row, run: str) -> bool:
        """Note the flow run; whether this call did."""
        return await self._update(row, (State.NEW,), state=State.SUBMITTED, run=run)

    async def finished(self, row: Row, state: State, reason: str | None = None) -> bool:
        """Note how it ended; whether this call did. A failed run that was retried may end well after all."""
        before = (State.NEW, State.SUBMITTED, State.FAILED) if state is State.DONE else (State.NEW, State.SUBMITTED)
        return await self._update(row, before, state=state, reason=reason, result=None)

    async def settled_at(self, row: Row, place: str) -> Row | None:
        """Decide where its outcome is put. The row as decided, by this call or an earlier one; None where another
        row has that place."""
        undecided = update(_rows).where(_rows.c.id == row.id, _rows.c.result.is_(None))
        try:
            await self._execute(undecided.values(result=place))
        except IntegrityError:
            return None
        return (await self._select(select(_rows).where(_rows.c.id == row.id)))[0]

    async def settled_to(self, folder: str, place: str) -> Row | None:
        """The row whose outcome has that place."""
        found = await self._select(select(_rows).where(_rows.c.folder == folder, _rows.c.result == place))
        return found[0] if found else None

    async def release(self, row: Row) -> None:
        """Let another row have its place: what was put there was taken away."""
        await self._execute(update(_rows).where(_rows.c.id == row.id, _rows.c.result == row.result).values(result=None))

    async def forget(self, row: Row) -> bool:
        """Remove a row whose video went before its run was created."""
        return await self._execute(delete(_rows).where(_rows.c.id == row.id, _rows.c.state == State.NEW)) > 0

    async def _update(self, row: Row, before: Sequence[State], **values: str | None) -> bool:
        change = update(_rows).where(_rows.c.id == row.id, _rows.c.state.in_(before))
        return await self._execute(change.values(**values, changed=now())) > 0

    async def _execute(self, statement: Executable) -> int:
        return await self._database.change(statement)

    async def _select(self, statement: Executable) -> list[Row]:
        return [_row(values) for values in await self._database.rows(statement)]


def _row(values: RowMapping) -> Row:
    known = {name: values[name] for name in Row.model_fields}
    return Row(**known | {"options": Options.model_validate_json(values["options"])})
