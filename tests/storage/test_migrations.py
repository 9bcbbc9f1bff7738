"""Migrations make the tables that the code names, in a new database and in one of before there were migrations."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, select
from sqlalchemy.schema import CreateTable

from dubline.storage.database import VERSIONS, Database
from dubline.storage.tables import metadata, sessions, watched_videos


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from dubline.settings import settings

    monkeypatch.setenv("DUBLINE_HOME", str(tmp_path))
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


def differences(connection: Connection) -> list[object]:
    ours = MigrationContext.configure(connection, opts={"version_table": VERSIONS})
    return compare_metadata(ours, metadata)


def test_migrations_make_the_tables_that_the_code_names(database: str) -> None:
    async def looked() -> list[object]:
        async with Database.opened(database) as opened, opened.begin() as connection:
            return await connection.run_sync(differences)

    assert asyncio.run(looked()) == []


def test_a_database_may_be_prefects_as_well(database: str) -> None:
    async def shared() -> None:
        from sqlalchemy import text

        from dubline.storage.database import _engines

        other, _ = _engines(database)
        async with other.begin() as connection:
            await connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
            await connection.execute(text("INSERT INTO alembic_version VALUES ('somebody-elses')"))
        await other.dispose()
        async with Database.opened(database) as opened:
            await opened.rows(select(sessions))

    asyncio.run(shared())


def test_several_processes_may_migrate_at_once(database: str) -> None:
    async def opened() -> None:
        async with Database.opened(database) as one:
            await one.rows(select(sessions))

    async def together() -> None:
        await asyncio.gather(*(opened() for _ in range(5)))

    asyncio.run(together())


def test_a_ledger_of_before_keeps_its_rows(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    row = {
        "folder": "/inbox", "content": "c", "options_digest": "d", "attempt": 1, "options": "{}", "work": "w",
        "name": "talk.mp4", "state": "done",
    }  # fmt: skip

    async def aged() -> int:
        from dubline.storage.database import _engines, now

        old, _ = _engines(url)
        async with old.begin() as connection:
            await connection.execute(CreateTable(watched_videos))
            await connection.execute(watched_videos.insert().values(**row, created=now(), changed=now()))
        await old.dispose()
        async with Database.opened(url) as opened:
            return len(await opened.rows(select(watched_videos)))

    assert asyncio.run(aged()) == 1
