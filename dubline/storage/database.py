"""Dubline's own database: SQLite for one machine, PostgreSQL for several. Alembic's migrations make its schema.

A statement is a transaction of its own unless several stand in one `begin`. No decision rests on a read and a later
write, so SQLite and PostgreSQL behave alike: what must happen once is a unique row, or an update that says from what.
"""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    DateTime,
    Dialect,
    Executable,
    RowMapping,
    TypeDecorator,
    event,
    func,
    make_url,
    select,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from dubline.domain.errors import ServiceUnavailable
from dubline.settings import settings

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
BUSY_S = 60
"""How long SQLite waits for another writer."""
READERS = 4
"""Connections that read SQLite at a time."""
MIGRATION = 0x6475626C
"""The advisory lock under which PostgreSQL's schema is changed; any number that nobody else uses."""
VERSIONS = "dubline_version"
"""Table with the schema's version: the database may be Prefect's as well, which has Alembic's usual one."""
MIGRATIONS = Path(__file__).parent / "migrations"


class Moment(TypeDecorator[datetime]):
    """A time with its zone. SQLite forgets the zone, so what is stored there is UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


class Database:
    """All methods raise ServiceUnavailable when the database cannot be used, IntegrityError where a row is there."""

    def __init__(self, engine: AsyncEngine, reading: AsyncEngine | None = None) -> None:
        self.engine = engine
        self._reading = reading or engine

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str | None = None) -> AsyncIterator[Database]:
        """The database at a SQLAlchemy URL, or where the settings say, with its schema up to date."""
        database = cls(*_engines(url or settings().database or f"sqlite:///{settings().home / 'dubline.db'}"))
        try:
            await database._upgrade()
            yield database
        finally:
            await database.engine.dispose()
            await database._reading.dispose()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: all of it, or nothing."""
        async with _reachable(), self.engine.begin() as connection:
            yield connection

    async def change(self, statement: Executable) -> int:
        """How many rows it changed."""
        async with self.begin() as connection:
            return (await connection.execute(statement)).rowcount

    async def rows(self, statement: Executable) -> Sequence[RowMapping]:
        async with _reachable(), self._reading.connect() as connection:
            return (await connection.execute(statement)).mappings().all()

    async def row(self, statement: Executable) -> RowMapping | None:
        found = await self.rows(statement)
        return found[0] if found else None

    async def _upgrade(self) -> None:
        """Several processes may start at once: one migrates, the others wait and find it done."""
        async with _reachable():
            if self.engine.dialect.name == "sqlite":
                with await asyncio.to_thread(_locked, settings().home / "dubline.db.lock"):
                    await self._migrate()
            else:
                await self._migrate()

    async def _migrate(self) -> None:
        async with self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(select(func.pg_advisory_xact_lock(MIGRATION)))
            await connection.run_sync(_to_head)


def now() -> datetime:
    return datetime.now(UTC)


def _to_head(connection: Connection) -> None:
    from alembic import command  # only where a process opens the database
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    newest = ScriptDirectory.from_config(config).get_current_head()
    known = MigrationContext.configure(connection, opts={"version_table": VERSIONS})
    if known.get_current_revision() != newest:
        command.upgrade(config, "head")


def _locked(path: Path) -> Any:
    """An open file that is locked until it is closed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def _engines(url: str) -> tuple[AsyncEngine, AsyncEngine]:
    """For changes, and for questions. SQLite lets one write, and who waits for it only sleeps and looks again: so there
    one connection writes, and others read beside it, whom no writer holds up."""
    parsed = make_url(url)
    parsed = parsed.set(drivername=DRIVERS.get(parsed.drivername, parsed.drivername))
    if not parsed.drivername.startswith("sqlite"):
        engine = create_async_engine(parsed, pool_pre_ping=True)
        return engine, engine
    settings().home.mkdir(parents=True, exist_ok=True)
    return _sqlite(parsed, 1), _sqlite(parsed, READERS)


def _sqlite(url: URL, connections: int) -> AsyncEngine:
    engine = create_async_engine(url, connect_args={"timeout": BUSY_S}, pool_size=connections, max_overflow=0)
    event.listen(engine.sync_engine, "connect", _write_ahead)
    return engine


def _write_ahead(connection: DBAPIConnection, _: object) -> None:
    """A write is one append, and readers do not wait. What a power failure takes back, a later look finds again."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten
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
            f"The database cannot be used ({first}); check DUBLINE_DATABASE and its server."
        ) from error
