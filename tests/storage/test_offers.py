"""What machines tell of their profiles, and for how long it counts."""

from __future__ import annotations

import asyncio
import sys
import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from deployments import offers as telling
from dubline.gateway.catalog import catalog
from dubline.storage import offers
from dubline.storage.database import Database, now
from dubline.storage.offers import FRESH, Offer
from dubline.storage.tables import offers as table
from tests.waiting import until

COMPLETE = Offer(profile=next(one for one in catalog().profiles if one.name == "offline"))
LACKING = COMPLETE.model_copy(update={"missing": ("whisper-base",)})

pytestmark = pytest.mark.usefixtures("settle")


def known(*told: tuple[str, Offer, timedelta], left: tuple[str, ...] = ()) -> list[str]:
    """The profiles that are offered after each machine told that long ago, and some of them ended."""

    async def asked() -> list[str]:
        async with Database.opened() as database:
            for machine, offer, ago in told:
                await offers.tell(database, machine, [offer])
                async with database.begin() as connection:
                    at = update(table).where(table.c.machine == machine).values(at=now() - ago)
                    await connection.execute(at)
            for machine in left:
                await offers.leave(database, machine)
            found = await offers.known(database)
            assert found
            return [one.name for one in found.offered]

    return asyncio.run(asked())


SOON = timedelta(seconds=1)


def test_a_machine_that_ended_does_not_count_beside_another() -> None:
    old, new = ("old", LACKING, timedelta(0)), ("new", COMPLETE, timedelta(0))
    assert known(old, new) == []
    assert known(old, new, left=("old",)) == ["offline"]


def test_a_machine_counts_as_long_as_it_may_tell_again() -> None:
    assert timedelta(seconds=2 * telling.AGAIN_S) == FRESH
    new = ("new", COMPLETE, timedelta(0))
    assert known(("old", LACKING, FRESH - 5 * SOON), new) == []
    assert known(("old", LACKING, FRESH + SOON), new) == ["offline"]


def test_where_all_are_silent_the_last_that_was_heard_of_counts() -> None:
    assert known(("old", LACKING, timedelta(days=3)), ("last", COMPLETE, timedelta(days=1))) == ["offline"]
    assert known(("last", LACKING, timedelta(0)), left=("last",)) == [], "not what is shipped"


def test_a_worker_that_ends_takes_its_machine_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(_tell("old", LACKING))  # of the home, whatever the host is called
    asyncio.run(_tell("new", COMPLETE))
    monkeypatch.setattr(telling, "machine", lambda: "old")
    told = threading.Event()
    monkeypatch.setattr(telling, "_told", lambda _: not told.set())
    with telling.telling("cpu"):
        until(told.is_set)
        assert known() == []
    assert known() == ["offline"]


def test_a_worker_of_another_pool_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(_tell(telling.machine(), LACKING))
    monkeypatch.setattr(telling, "_told", lambda _: pytest.fail("told"))
    with telling.telling("service"):
        pass
    asyncio.run(_tell("new", COMPLETE))
    assert known() == []


def test_a_worker_that_ends_does_not_wait_for_what_looks_at_the_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    ended.set()
    monkeypatch.setattr(sys, "executable", "/usr/bin/yes")  # it never ends
    monkeypatch.setattr(telling.subprocess, "Popen", _silent(telling.subprocess.Popen))
    assert not telling._told(ended)


def _silent(popen: Any) -> Any:
    return lambda command, **more: popen(command, stdout=telling.subprocess.DEVNULL, **more)


def test_a_container_made_anew_is_the_same_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling.platform, "node", lambda: "3f2a")
    before = telling.machine()
    monkeypatch.setattr(telling.platform, "node", lambda: "9c1b")
    assert telling.machine() == before


async def _tell(machine: str, offer: Offer) -> None:
    async with Database.opened() as database:
        await offers.tell(database, machine, [offer])
