"""Watchers of folders are started as soon as they should be up, once, and again after they have ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import StateType

from blocks import WatchFolder
from deployments import watchers
from deployments.watchers import rest_s, start_missing
from tasks.runs import WATCHED_BLOCK
from tests.pipeline.workshop import ask
from tests.waiting import until

BRIEFLY, LONG = 5, 3600


def ended(how: StateType, lived_s: float) -> Any:
    return SimpleNamespace(state_type=how, total_run_time=timedelta(seconds=lived_s))


def test_a_watcher_that_ends_badly_at_once_is_started_again_ever_later() -> None:
    fault, crash = ended(StateType.FAILED, BRIEFLY), ended(StateType.CRASHED, BRIEFLY)
    assert [rest_s([fault, crash] * count) for count in (0, 1, 2, 9)] == [0, 30, 120, 900]
    assert rest_s([ended(StateType.CRASHED, LONG), fault, fault]) == 0, "it worked, and its machine was lost"
    assert rest_s([ended(StateType.COMPLETED, BRIEFLY), fault]) == 0, "there was no block"
    assert rest_s([fault, ended(StateType.CRASHED, LONG), fault]) == 15


class Watched:
    """A deployment of `watch-folder` in a work pool of its own."""

    def __init__(self, api: str) -> None:
        self.api, self.pool, self.block = api, f"pool-{uuid4().hex[:8]}", f"block-{uuid4().hex[:8]}"
        ask(api, "/work_pools/", {"name": self.pool, "type": "process"})
        flow = ask(api, "/flows/", {"name": "watch-folder"})["id"]
        schedule = {"schedule": {"interval": 86_400}, "active": True, "slug": "stay-up"}
        made = {"name": self.pool, "flow_id": flow, "work_pool_name": self.pool, "schedules": [schedule]}
        self.deployment = ask(api, "/deployments/", made | {"parameters": {"watched": self.block}})["id"]

    def save(self) -> None:
        """Make its block, or change it."""

        async def saved() -> None:
            await WatchFolder(folder="/videos", languages=["es"]).save(self.block, overwrite=True)

        from prefect.settings import PREFECT_API_URL, temporary_settings

        with temporary_settings({PREFECT_API_URL: self.api}):
            asyncio.run(saved())

    def look(self) -> bool:
        """Whether it was found missing, and started."""

        async def looked() -> list[str]:
            async with PrefectClient(self.api) as client:
                return await start_missing(client, self.pool)

        return asyncio.run(looked()) == [self.pool]

    def runs(self) -> list[str]:
        """Those that are not of the schedule."""
        found = ask(self.api, "/flow_runs/filter", {"deployments": {"id": {"any_": [self.deployment]}}})
        return [run["id"] for run in found if not run["auto_scheduled"]]

    def becomes(self, run: str, state: str) -> None:
        ask(self.api, f"/flow_runs/{run}/set_state", {"state": {"type": state}, "force": True})


@pytest.fixture
def watched(prefect_server: str) -> Watched:
    return Watched(prefect_server)


@pytest.mark.server
def test_a_watcher_is_started_when_its_block_is_there_and_when_it_is_no_more(watched: Watched) -> None:
    assert WatchFolder.get_block_type_slug() == WATCHED_BLOCK
    assert not watched.look(), "there is no block"
    watched.save()
    assert watched.look()
    assert not watched.look(), "one is due"
    (run,) = watched.runs()
    for state in ("PENDING", "RUNNING", "CANCELLING"):
        watched.becomes(run, state)
        assert not watched.look(), state
    watched.becomes(run, "CANCELLED")
    assert watched.look()
    assert len(watched.runs()) == 2


@pytest.mark.server
def test_what_ended_badly_is_not_started_again_before_it_can_help(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchers, "REST_S", 900.0)
    watched.save()
    assert watched.look()
    (run,) = watched.runs()
    watched.becomes(run, "RUNNING")
    watched.becomes(run, "FAILED")
    assert not watched.look(), "another would fail like it"
    watched.save()
    assert watched.look(), "somebody has put the block right"
    watched.becomes(next(one for one in watched.runs() if one != run), "CRASHED")
    assert not watched.look()
    monkeypatch.setattr(watchers, "REST_S", 0.0)
    until(watched.look)  # its time has come, by the server's clock, which tells whole seconds


@pytest.mark.server
@pytest.mark.parametrize(
    "left_alone",
    [
        lambda watched: ask(watched.api, f"/deployments/{watched.deployment}/pause_deployment", {}),
        lambda watched: [
            ask(watched.api, f"/deployments/{watched.deployment}/schedules/{one['id']}", {"active": False}, "PATCH")
            for one in ask(watched.api, f"/deployments/{watched.deployment}")["schedules"]
        ],
    ],
)
def test_a_deployment_that_is_paused_or_has_no_schedule_is_left_alone(
    watched: Watched, left_alone: Callable[[Watched], Any]
) -> None:
    watched.save()
    left_alone(watched)
    assert not watched.look()
