"""Who looks after runs that are lost: how often one crashed, and what is done with it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelling, Crashed, Failed, Pending, Running, Scheduled

from tasks.revive import QUARANTINED, SILENT_S, Revived, crashes, end_cancelled, mark_lost, resume_lost

STATES = {
    "scheduled": Scheduled,
    "pending": Pending,
    "running": Running,
    "crashed": Crashed,
    "quarantined": partial(Failed, name=QUARANTINED),
}


@pytest.mark.parametrize(
    ("names", "times"),
    [
        ("scheduled pending running", 0),
        ("scheduled pending running crashed", 1),
        ("scheduled pending crashed", 1),
        ("scheduled pending running crashed scheduled crashed", 1),
        ("scheduled pending running scheduled crashed", 1),
        ("scheduled pending running crashed crashed scheduled pending running crashed", 2),
        ("scheduled pending running crashed quarantined scheduled pending running crashed", 1),
    ],
)
def test_a_crash_that_is_reported_twice_is_one(names: str, times: int) -> None:
    states: list[State] = []
    for number, name in enumerate(names.split()):
        state = STATES[name](message=str(number))
        states.append(state.model_copy(update={"timestamp": datetime.now(UTC) + timedelta(seconds=number)}))
    assert len(crashes(reversed(states))) == times


@dataclass
class Server:
    """A Prefect server with runs, whose clock is `behind` this machine's."""

    behind: timedelta = timedelta(0)
    runs: dict[UUID, FlowRun] = field(default_factory=dict)
    heard: dict[UUID, list[datetime]] = field(default_factory=dict)
    """When each run told its progress, as seen at one look after the other; the last one stays."""
    deleted: set[UUID] = field(default_factory=set)
    """Runs that are gone by the time that somebody wants to change them."""
    children: dict[UUID, UUID] = field(default_factory=dict)
    """Run -> the inference that it asked for."""
    deployments: dict[UUID, str] = field(default_factory=dict)
    """Run -> flow/deployment."""

    @property
    def now(self) -> datetime:
        return datetime.now(UTC) - self.behind

    def run(
        self, name: str, state: State, since_s: float, *heard_s: float, of: str = "translate-video/translate-video"
    ) -> UUID:
        """A run of flow/deployment that has been in a state for so long, and told its progress so long ago."""
        at = {"timestamp": self.now - timedelta(seconds=since_s)}
        run = FlowRun(id=uuid4(), flow_id=uuid4(), name=name, state=state.model_copy(update=at))
        self.runs[run.id], self.deployments[run.id] = run, of
        self.heard[run.id] = [self.now - timedelta(seconds=ago_s) for ago_s in heard_s]
        return run.id

    def name_of(self, run: UUID) -> str | None:
        state = self.runs[run].state
        return state.name if state else None

    async def hello(self) -> httpx.Response:
        return httpx.Response(200, headers={"date": format_datetime(self.now, usegmt=True)})

    async def read_flow_runs(
        self, flow_run_filter: Any, flow_filter: Any = None, deployment_filter: Any = None, offset: int = 0, **_: Any
    ) -> list[FlowRun]:
        wanted = flow_run_filter.state.type.any_
        if parents := flow_run_filter.parent_flow_run_id:
            return [self.runs[self.children[parent]] for parent in parents.any_ if parent in self.children]
        found = [run for run in self.runs.values() if run.state and run.state.type in wanted]
        for part, names in enumerate((flow_filter, deployment_filter)):
            found = [run for run in found if not names or self.deployments[run.id].split("/")[part] in names.name.any_]
        return found[offset:]

    async def read_artifacts(self, artifact_filter: Any) -> list[SimpleNamespace]:
        told = self.heard[artifact_filter.flow_run_id.any_[0]]
        return [SimpleNamespace(updated=told.pop(0) if len(told) > 1 else told[0])] if told else []

    async def read_flow_run_states(self, run: UUID) -> list[State]:
        state = self.runs[run].state
        return [Running(), state] if state else []

    async def set_flow_run_state(self, run: UUID, state: State, force: bool = False) -> None:
        if run in self.deleted:
            raise ObjectNotFound(httpx.HTTPError("404"))
        noted = state.model_copy(update={"timestamp": self.now})
        self.runs[run] = self.runs[run].model_copy(update={"state": noted})


def client(server: Server) -> Any:
    return server


@pytest.mark.parametrize("fast_s", [-300, 0, 300])
def test_a_clock_that_is_wrong_takes_no_run_that_lives_for_a_silent_one_nor_a_silent_one_for_alive(
    fast_s: float,
) -> None:
    server = Server(behind=timedelta(seconds=fast_s))
    alive = server.run("alive", Running(), 1000, 5)
    silent = server.run("silent", Running(), 1000, SILENT_S + 30)
    assert asyncio.run(mark_lost(client(server), sure_s=0)) == ("silent",)
    assert server.name_of(alive) == "Running"
    assert server.name_of(silent) == "Crashed"
    assert asyncio.run(resume_lost(client(server), settled_s=60)).resumed == (), "it crashed only now"


def test_a_run_that_somebody_deletes_meanwhile_keeps_no_other_from_being_looked_after() -> None:
    server = Server()
    server.deleted = {server.run("gone", Running(), 1000), server.run("gone too", Crashed(), 1000)}
    silent, crashed = server.run("silent", Running(), 1000), server.run("crashed", Crashed(), 1000)
    assert asyncio.run(mark_lost(client(server), sure_s=0)) == ("silent",)
    assert asyncio.run(resume_lost(client(server))).resumed == ("crashed",)
    assert server.name_of(silent) == "Crashed"
    assert server.name_of(crashed) == "AwaitingRetry"


@pytest.mark.parametrize("of", ["their-flow/translate-video", "their-model/infer"])
def test_another_teams_runs_are_left_alone_though_their_deployment_is_called_like_ours(of: str) -> None:
    server = Server()
    states = {"Running": Running(), "Pending": Pending(), "Crashed": Crashed(), "Cancelling": Cancelling()}
    theirs = {name: server.run(name, state, 1000, of=of) for name, state in states.items()}
    assert asyncio.run(mark_lost(client(server), sure_s=0)) == ()
    assert asyncio.run(resume_lost(client(server))) == Revived((), ())
    assert asyncio.run(end_cancelled(client(server), sure_s=0)) == ()
    assert {name: server.name_of(run) for name, run in theirs.items()} == {name: name for name in states}


def test_a_cancelled_run_without_a_process_is_ended_and_what_it_asked_for_with_it() -> None:
    server = Server()
    never = server.run("waited to be resumed", Cancelling(), 60)
    lost = server.run("its machine is gone", Cancelling(), 60, 90)
    just = server.run("told just now", Cancelling(), 5)
    ending = server.run("ends just now", Cancelling(), 60, 11, 1)
    server.children[lost] = server.run("its inference", Running(), 60, 1)
    ended = asyncio.run(end_cancelled(client(server), sure_s=0))
    assert ended == ("waited to be resumed", "its machine is gone")
    assert {server.name_of(run) for run in (never, lost)} == {"Cancelled"}
    assert {server.name_of(run) for run in (just, ending)} == {"Cancelling"}
    assert server.name_of(server.children[lost]) == "Cancelling"
