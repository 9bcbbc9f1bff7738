"""What the gateway tells Prefect of a session's runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Cancelled, Cancelling, Completed, Crashed, Failed, Pending, Running, Scheduled

from dubline.gateway import runs
from dubline.gateway.runs import Runs


@dataclass
class Server:
    found: list[FlowRun]
    told: list[tuple[str | None, bool]] = field(default_factory=list)
    """States that were set, and whether by force."""

    async def read_flow_run(self, run: UUID) -> FlowRun:
        return next(one for one in self.found if one.id == run)

    async def read_flow_runs(self, flow_run_filter: Any, limit: int, offset: int) -> list[FlowRun]:
        return self.found[offset : offset + limit]

    async def set_flow_run_state(self, run: UUID, state: State, force: bool = False) -> None:
        self.told.append((state.name, force))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server([])

    def client() -> AbstractAsyncContextManager[Server]:
        return nullcontext(made)

    monkeypatch.setattr(runs, "get_client", client)
    return made


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (Scheduled, [("Cancelling", False)]),
        (Pending, [("Cancelling", False)]),
        (Running, [("Cancelling", False)]),
        (Crashed, [("Cancelled", True)]),  # or it would be resumed
        (Cancelling, []),
        (Cancelled, []),
        (Completed, []),
        (Failed, []),
    ],
)
def test_cancelling_a_run(server: Server, state: Callable[[], State], told: list[tuple[str, bool]]) -> None:
    run = FlowRun(id=uuid4(), flow_id=uuid4(), state=state())
    server.found = [run]
    asyncio.run(Runs().cancel(str(run.id)))
    assert server.told == told


def test_all_runs_of_a_session_are_found_however_many_they_are(server: Server) -> None:
    server.found = [FlowRun(id=uuid4(), flow_id=uuid4()) for _ in range(2 * runs.BATCH + 1)]
    assert asyncio.run(Runs().of_session("one")) == [str(run.id) for run in server.found]
