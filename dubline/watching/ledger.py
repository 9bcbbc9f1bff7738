"""What was taken in, in a database: one row for a content, its options and an attempt.

The unique constraint decides between scanners that look at the same moment: who inserts the row submits the run. No
decision rests on a read and a later write in one transaction, so SQLite and PostgreSQL behave alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict
from sqlalchemy import (
    Column,
    DateTime,
    Executable,
    Index,
    Integer,
    MetaData,
    RowMapping,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    event,
    func,
    insert,
    make_url,
    select,
    update,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.schema import CreateIndex, CreateTable

from dubline.domain.errors import ServiceUnavailable
from dubline.settings import settings
from dubline.watching.options import Options

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
BUSY_S = 60
"""How long SQLite waits for another writer."""
CHUNK = 500
"""Values in one IN (...); SQLite takes 32766, older ones 999."""


CREATION = 0x6475626C
"""The advisory lock under which PostgreSQL's table is made; any number that nobody else uses."""


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
    def key(self) -> str:
        """The idempotency key of its run."""
        return f"watched-{self.work}"


_metadata = MetaData()
_rows = Table(
    "watched_videos",
    _metadata,
    Column("id", Integer, primary_key=True),
    Column("folder", String(1024), nullable=False),
    Column("content", String(64), nullable=False),
    Column("options_digest", String(64), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("options", Text, nullable=False),
    Column("work", String(64), nullable=False, unique=True),
    Column("name", String(1024), nullable=False),
    Column("state", String(16), nullable=False),
    Column("run", String(64)),
    Column("result", String(1100)),
    Column("reason", Text),
    Column("created", DateTime(timezone=True), nullable=False),
    Column("changed", DateTime(timezone=True), nullable=False),
    UniqueConstraint("folder", "content", "options_digest", "attempt", name="watched_videos_identity"),
    UniqueConstraint("folder", "result", name="watched_videos_result"),
)

_open = Index("watched_videos_open", _rows.c.folder, _rows.c.state)


class Ledger:
    """All methods raise ServiceUnavailable when the database cannot be reached."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str | None = None) -> AsyncIterator[Ledger]:
        """The ledger at a SQLAlchemy URL, or where the settings say; its table is made where there is none."""
        ledger = cls(_engine(url or settings().database or f"sqlite:///{settings().home / 'dubline.db'}"))
        try:
            await ledger._create()
            yield ledger
        finally:
            await ledger._engine.dispose()

    async def _create(self) -> None:
        async with _reachable(), self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":  # there, two that create it at once collide
                await connection.execute(select(func.pg_advisory_xact_lock(CREATION)))
            await connection.execute(CreateTable(_rows, if_not_exists=True))
            await connection.execute(CreateIndex(_open, if_not_exists=True))

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
        now = datetime.now(UTC)
        values = {
            "folder": identity.folder,
            "content": identity.content,
            "options_digest": identity.options.digest(),
            "attempt": attempt,
            "options": identity.options.model_dump_json(),
            "work": identity.work(attempt),
            "name": name,
            "state": State.NEW,
            "created": now,
            "changed": now,
        }
        try:
            await self._execute(insert(_rows).values(values))
        except IntegrityError:
            return None
        return (await self.of_work([identity.work(attempt)])).get(identity.work(attempt))

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

    async def forget(self, row: Row) -> bool:
        """Remove a row whose video went before its run was created."""
        return await self._execute(delete(_rows).where(_rows.c.id == row.id, _rows.c.state == State.NEW)) > 0

    async def _update(self, row: Row, before: Sequence[State], **values: str | None) -> bool:
        change = update(_rows).where(_rows.c.id == row.id, _rows.c.state.in_(before))
        return await self._execute(change.values(**values, changed=datetime.now(UTC))) > 0

    async def _execute(self, statement: Executable) -> int:
        """One statement, one transaction; how many rows it changed."""
        async with _reachable(), self._engine.begin() as connection:
            return (await connection.execute(statement)).rowcount

    async def _select(self, statement: Executable) -> list[Row]:
        async with _reachable(), self._engine.connect() as connection:
            found = (await connection.execute(statement)).mappings().all()
        return [_row(values) for values in found]


def _row(values: RowMapping) -> Row:
    created = values["created"].replace(tzinfo=UTC)  # SQLite forgets the zone; it was UTC
    known = {name: values[name] for name in Row.model_fields}
    return Row(**known | {"options": Options.model_validate_json(values["options"]), "created": created})


def _engine(url: str) -> AsyncEngine:
    parsed = make_url(url)
    parsed = parsed.set(drivername=DRIVERS.get(parsed.drivername, parsed.drivername))
    if not parsed.drivername.startswith("sqlite"):
        return create_async_engine(parsed, pool_pre_ping=True)
    settings().home.mkdir(parents=True, exist_ok=True)
    # One connection: SQLite lets one write, and those that wait for it only sleep and look again.
    engine = create_async_engine(parsed, connect_args={"timeout": BUSY_S}, pool_size=1, max_overflow=0)
    event.listen(engine.sync_engine, "connect", _write_ahead)
    return engine


def _write_ahead(connection: DBAPIConnection, _: object) -> None:
    """A write is one append, and readers do not wait. What a power failure takes back, a later look finds again."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


@asynccontextmanager
async def _reachable() -> AsyncIterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except (SQLAlchemyError, OSError) as error:
        first = str(error).splitlines()[0]
        raise ServiceUnavailable(
            f"The ledger of watched folders cannot be used ({first}); check DUBLINE_DATABASE and its server."
        ) from error
