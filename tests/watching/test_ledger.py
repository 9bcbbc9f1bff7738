"""The ledger decides between scanners, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from dubline.domain.errors import ServiceUnavailable
from dubline.watching.ledger import Identity, Ledger, State
from dubline.watching.options import Options
from tests.watching.shed import Shed

SCANNERS = 8


def identity() -> Identity:
    return Identity(folder=f"/videos/{uuid4().hex}", content="0" * 64, options=Options(languages=("es",)))


def test_of_many_that_insert_at_once_one_does(database: str) -> None:
    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            opening = [stack.enter_async_context(Ledger.opened(database)) for _ in range(SCANNERS)]
            ledgers = await asyncio.gather(*opening)  # each makes the table, too
            same = identity()
            made = await asyncio.gather(*(ledger.insert(same, 1, "clip.mp4") for ledger in ledgers))
            assert sum(row is not None for row in made) == 1
            assert await ledgers[0].insert(same, 2, "clip.mp4") is not None
            latest = await ledgers[1].latest(same)
            assert latest is not None and latest.attempt == 2

    asyncio.run(scenario())


def test_an_outcome_is_noted_once_and_has_a_place_of_its_own(database: str) -> None:
    async def scenario() -> None:
        async with Ledger.opened(database) as ledger:
            first = identity()
            second = first.model_copy(update={"content": "1" * 64})
            one, other = await ledger.insert(first, 1, "clip.mp4"), await ledger.insert(second, 1, "clip.mp4")
            assert one and other
            assert await ledger.submitted(one, "run-1")
            assert not await ledger.submitted(one, "run-2")
            assert await ledger.finished(one, State.DONE)
            assert not await ledger.finished(one, State.FAILED, "too late")
            settled = await ledger.settled_at(one, "done/clip")
            assert settled and settled.result == "done/clip"
            again = await ledger.settled_at(one, "done/clip-2")
            assert again and again.result == "done/clip"
            assert await ledger.settled_at(other, "done/clip") is None
            assert not await ledger.forget(one)
            assert await ledger.forget(other)
            assert await ledger.open_rows(first.folder) == []

    asyncio.run(scenario())


def test_a_folder_is_watched_with_any_database(database: str, shed: Shed) -> None:
    shed.database = database
    shed.drop("clip.mp4")
    asyncio.run(shed.take_in())
    shed.runs.succeed(shed.runs.all[0])
    asyncio.run(shed.tick(thorough=True))
    assert shed.listed("done") == ["clip", "clip.mp4"]


def test_a_database_that_does_not_answer_is_told_with_its_setting(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Ledger.opened("postgresql://nobody@127.0.0.1:1/none"):
            pass

    with pytest.raises(ServiceUnavailable, match="DUBLINE_DATABASE"):
        asyncio.run(scenario())
