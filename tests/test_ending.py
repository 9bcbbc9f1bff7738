"""A run sees to its own end where nobody else does."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn
from uuid import UUID, uuid4

import httpx
import pytest
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import ObjectNotFound
from prefect.states import (
    AwaitingRetry,
    Cancelled,
    Cancelling,
    Completed,
    Crashed,
    Failed,
    Pending,
    Running,
    Scheduled,
)

from tasks import elsewhere, ending


@dataclass
class Server:
    """One that knows these runs."""

    runs: dict[UUID, FlowRun] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    """Every state that somebody set."""

    def run(self, state: State, count: int = 1) -> FlowRun:
        run = FlowRun(id=uuid4(), flow_id=uuid4(), state=state, run_count=count)
        self.runs[run.id] = run
        return run

    async def hello(self) -> httpx.Response:
        return httpx.Response(200, headers={"date": format_datetime(datetime.now(UTC), usegmt=True)})

    async def read_flow_run(self, run: UUID) -> FlowRun:
        if run not in self.runs:
            raise ObjectNotFound(httpx.HTTPError("404"))
        return self.runs[run]

    async def read_flow_runs(self, **_: Any) -> list[FlowRun]:
        return []

    async def set_flow_run_state(self, run: UUID, state: State, force: bool = False) -> None:
        self.told.append(state.name or "")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    """Where a process that leaves does so by SystemExit, with its exit code."""
    made = Server()

    def client() -> AbstractAsyncContextManager[Server]:
        return nullcontext(made)

    def leave(code: int) -> NoReturn:
        raise SystemExit(code)

    for module in (ending, elsewhere):
        monkeypatch.setattr(module, "get_client", client)
    monkeypatch.setattr(os, "_exit", leave)
    return made


def left(mine: FlowRun, out: Path | None = None) -> int | None:
    """With what exit code the process of a run leaves when it looks; None when it goes on."""
    try:
        asyncio.run(ending._leave_if_over(mine, out))
    except SystemExit as leaving:
        assert isinstance(leaving.code, int)
        return leaving.code
    return None


def test_a_run_that_somebody_deleted_publishes_nothing_more(server: Server, tmp_path: Path) -> None:
    staged = ending.publication.staging(tmp_path)
    staged.mkdir()
    assert left(FlowRun(id=uuid4(), flow_id=uuid4()), tmp_path) == ending.TERMINATED
    assert not staged.exists()


def test_a_run_at_work_goes_on(server: Server) -> None:
    assert left(server.run(Running())) is None


@pytest.mark.parametrize("state", [Completed, Failed, Crashed, Scheduled, AwaitingRetry, Pending])
def test_a_process_whose_run_was_given_up_leaves_without_a_word(server: Server, state: Callable[..., State]) -> None:
    assert left(server.run(state())) == ending.AS_IF_DONE
    assert server.told == []


@pytest.mark.parametrize("state", [Running, Cancelling])
def test_a_process_whose_run_goes_on_elsewhere_leaves_without_a_word(
    server: Server, state: Callable[..., State]
) -> None:
    mine = server.run(state(), count=1)
    server.runs[mine.id] = mine.model_copy(update={"run_count": 2})
    assert left(mine) == ending.AS_IF_DONE
    assert server.told == []


@pytest.mark.parametrize(("ago_s", "told"), [(ending.WORKER_S + 5, ["Cancelled"]), (1, [])])
def test_a_cancelled_run_ends_itself_where_its_worker_does_not(server: Server, ago_s: float, told: list[str]) -> None:
    at = datetime.now(UTC) - timedelta(seconds=ago_s)
    assert left(server.run(Cancelling().model_copy(update={"timestamp": at}))) == (ending.TERMINATED if told else None)
    assert server.told == told


@pytest.fixture
def inference(server: Server, monkeypatch: pytest.MonkeyPatch) -> FlowRun:
    """The run that this process is."""
    run = server.run(Running())
    context = SimpleNamespace(flow_run=run)
    monkeypatch.setattr(ending, "FlowRunContext", SimpleNamespace(get=lambda: context))
    monkeypatch.setattr(ending, "ASKED_BY_S", 0.01)
    monkeypatch.setattr(threading.Timer, "start", lambda timer: None)
    return run


async def at_work(asked_by: UUID, given_back: list[str], works_s: float) -> None:
    async with ending.ended_with(asked_by):
        try:
            await asyncio.sleep(works_s)
        finally:
            given_back.append("slot")


@pytest.mark.parametrize("state", [Cancelling, Cancelled, None])
def test_inference_ends_with_the_run_that_asked_for_it_and_gives_back_what_it_holds(
    server: Server, inference: FlowRun, state: Callable[..., State] | None
) -> None:
    asked_by = server.run(state()).id if state else uuid4()  # the server knows it no more
    given_back: list[str] = []
    with pytest.raises(SystemExit):
        asyncio.run(at_work(asked_by, given_back, 3600))
    assert given_back == ["slot"]
    assert server.told == ["Cancelled"]


@pytest.mark.parametrize("state", [Running, Crashed, AwaitingRetry, Pending])
def test_inference_goes_on_while_the_run_that_asked_for_it_is_resumed(
    server: Server, inference: FlowRun, state: Callable[..., State]
) -> None:
    given_back: list[str] = []
    asyncio.run(at_work(server.run(state()).id, given_back, 0.2))
    assert server.told == []
