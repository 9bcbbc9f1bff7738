"""Whoever has inference done elsewhere learns how it ended, whatever happened to the runs that did it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Cancelling, Completed, Crashed, Failed, Running, Scheduled

from dubline.domain import errors
from dubline.domain.errors import DublineError, EngineFailed, EngineUnavailable, StoreUnavailable
from tasks import elsewhere
from tasks.elsewhere import LOST_RUNS, Elsewhere

Looks = list[State | Exception]
"""What the server answers, one time after the other; first to who asks for the run."""


@dataclass
class Server:
    """One that knows a run for each attempt; with a run that ends Completed, the checkpoint is there from then on."""

    attempts: list[Looks]
    refresh: bool = False
    computes: bool = True
    leaves: bool = False
    """Whether the checkpoint is there from any run's end on, be it a bad one."""
    recorded: bool = False
    asked: list[str] = field(default_factory=list)
    """The idempotency keys."""
    names: list[str] = field(default_factory=list)
    """Of the runs, in the same order."""
    runs: dict[UUID, Looks] = field(default_factory=dict)
    kept: list[object] = field(default_factory=list)
    """What no collection takes away however long it waits."""
    own: FlowRun = field(
        default_factory=lambda: FlowRun(id=uuid4(), flow_id=uuid4(), deployment_id=uuid4(), tags=["session:1"])
    )

    async def arun_deployment(self, _: str, *, idempotency_key: str, **more: Any) -> FlowRun:
        assert more["parameters"]["asked_by"] == str(self.own.id)
        assert more["tags"] == self.own.tags, "by which a session finds all runs that work for it"
        looks = self.attempts[int(idempotency_key.rpartition("-")[2])]
        if isinstance(looks[0], Exception):
            raise looks.pop(0)
        self.asked.append(idempotency_key)
        self.names.append(more["flow_run_name"])
        run = FlowRun(id=uuid4(), flow_id=uuid4(), name="transcribe", state=looks.pop(0))
        self.runs[run.id] = looks
        return run

    async def read_flow_run(self, run: UUID) -> FlowRun:
        if run == self.own.id:
            return self.own
        look = self.runs[run].pop(0)
        if isinstance(look, Exception):
            raise look
        self.recorded |= (self.computes and look.is_completed()) or (self.leaves and look.is_final())
        return FlowRun(id=run, flow_id=uuid4(), name="transcribe", state=look)

    async def compute(self, *names: str, looked_s: float = 0) -> None:
        """Stages side by side; the last one is looked for so long."""
        names = names or ("transcribe",)
        artifacts: Any = SimpleNamespace(put_value=lambda _: SimpleNamespace(model_dump=lambda mode: {}))
        together = Elsewhere(artifacts)

        async def one(name: str) -> None:
            step: Any = SimpleNamespace(name=name, key=lambda _: f"key of {name}", dumped=dict)

            def looked() -> bool:
                there = self.recorded
                time.sleep(looked_s if name == names[-1] else 0)
                return there

            await together.compute(step, "", {}, self.refresh, looked)

        await asyncio.gather(*map(one, names))


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Server]:
    def make(*attempts: Looks, **more: Any) -> Server:
        server = Server(list(attempts), **more)

        def client() -> AbstractAsyncContextManager[Server]:
            return nullcontext(server)

        context = SimpleNamespace(flow_run=server.own)
        monkeypatch.setattr(elsewhere, "get_client", client)
        monkeypatch.setattr(elsewhere, "keep", server.kept.append)
        monkeypatch.setattr(elsewhere, "arun_deployment", server.arun_deployment)
        monkeypatch.setattr(elsewhere, "FlowRunContext", SimpleNamespace(get=lambda: context))
        monkeypatch.setattr(elsewhere, "get_run_logger", lambda: logging.getLogger("elsewhere"))
        monkeypatch.setattr(elsewhere, "GATHER_S", 0)
        monkeypatch.setattr(elsewhere, "POLL_S", 0)
        return server

    monkeypatch.setattr(elsewhere._asked.retry, "sleep", nothing)
    return make


async def nothing(_: float) -> None:
    """Instead of waiting."""


def away() -> httpx.ConnectError:
    return httpx.ConnectError("away")


def test_a_server_that_is_away_is_asked_again(served: Callable[..., Server]) -> None:
    busy = httpx.HTTPStatusError("busy", request=httpx.Request("GET", "http://here"), response=httpx.Response(503))
    server = served([away(), busy, Scheduled(), Running(), *[away()] * 20, busy, Running(), Completed()])
    asyncio.run(server.compute())
    assert len(server.asked) == len(server.kept) == 1


ERRORS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DublineError)]


@pytest.mark.parametrize("kind", ERRORS)
def test_the_error_is_the_one_that_was_raised_there(served: Callable[..., Server], kind: type[DublineError]) -> None:
    with pytest.raises(kind) as raised:
        asyncio.run(served([Scheduled(), Failed(message=f"{kind.__name__}: so: it is")]).compute())
    assert type(raised.value) is kind
    assert str(raised.value) == "so: it is"


def test_an_error_that_nobody_foresaw_is_the_engines(served: Callable[..., Server]) -> None:
    with pytest.raises(EngineFailed, match="KeyError: 7"):
        asyncio.run(served([Scheduled(), Failed(message="KeyError: 7")]).compute())


def test_a_run_that_is_lost_is_asked_for_again_a_limited_number_of_times(served: Callable[..., Server]) -> None:
    gone = ObjectNotFound(httpx.HTTPError("404"))
    server = served([Scheduled(), Running(), Crashed()], [Scheduled(), gone], [Scheduled(), Completed()])
    asyncio.run(server.compute())
    assert len(server.asked) == 3
    with pytest.raises(EngineUnavailable, match=f"lost {LOST_RUNS} times"):
        asyncio.run(served(*[[Scheduled(), Crashed()] for _ in range(LOST_RUNS)]).compute())


def test_a_bad_end_does_not_matter_where_the_checkpoint_is_there(served: Callable[..., Server]) -> None:
    for end in (Crashed(), Failed(message="StoreUnavailable: away")):
        server = served([Scheduled(), end], leaves=True)
        asyncio.run(server.compute())
        assert len(server.asked) == 1
    with pytest.raises(StoreUnavailable):  # what is there may be what was to be made afresh
        asyncio.run(
            served([Scheduled(), Failed(message="StoreUnavailable: away")], recorded=True, refresh=True).compute()
        )


def test_nobody_is_asked_for_what_is_there(served: Callable[..., Server]) -> None:
    server = served(recorded=True)
    asyncio.run(server.compute())
    assert not server.asked


def test_stages_that_are_asked_for_together_are_one_run_however_slow_the_store_is(
    served: Callable[..., Server],
) -> None:
    server = served([Scheduled(), Completed()])
    asyncio.run(server.compute("transcribe", "diarize", looked_s=0.3))
    assert server.names == ["transcribe+diarize"]


def test_a_run_that_leaves_nothing_where_it_is_looked_for_is_an_error(served: Callable[..., Server]) -> None:
    with pytest.raises(EngineUnavailable, match="DUBLINE_STORE"):
        asyncio.run(served([Scheduled(), Completed()], computes=False).compute())


@pytest.mark.parametrize(
    "past", [[Completed()], [Failed(message="ModelMissing: none")], [Crashed()], [Cancelling(), Cancelled()]]
)
def test_what_had_ended_before_is_asked_for_again(served: Callable[..., Server], past: Looks) -> None:
    server = served(list(past), [Scheduled(), Completed()])
    asyncio.run(server.compute())
    assert len(server.asked) == 2


def test_what_was_made_afresh_before_a_run_was_resumed_is_not_made_once_more(served: Callable[..., Server]) -> None:
    server = served([Completed()], recorded=True, refresh=True)
    asyncio.run(server.compute())
    assert len(server.asked) == 1


def test_inference_that_a_person_cancelled_fails_the_video(served: Callable[..., Server]) -> None:
    with pytest.raises(EngineFailed, match="Cancelled"):
        asyncio.run(served([Scheduled(), Running(), Cancelled()]).compute())


def test_a_video_that_is_being_cancelled_does_not_fail_of_its_inference(served: Callable[..., Server]) -> None:
    server = served([Scheduled(), Running(), Cancelled()])
    server.own.state = Cancelling()

    async def waited() -> None:
        async with asyncio.timeout(0.5):
            await server.compute()

    with pytest.raises(TimeoutError):
        asyncio.run(waited())


def test_the_log_says_what_is_waited_for(
    served: Callable[..., Server], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = served([Scheduled(), Scheduled(), Crashed(message="killed")], [Running(), Completed()])
    monkeypatch.setattr(elsewhere, "TAKEN_S", -1)
    caplog.set_level(logging.INFO)
    asyncio.run(server.compute())
    said = [record.getMessage().partition(" (")[0] for record in caplog.records if record.name == "elsewhere"]
    assert said == [
        "Waiting for the flow run 'transcribe'",
        "No worker has taken the flow run 'transcribe' for -1 s.",
        "The flow run 'transcribe' was lost",
        "Waiting for the flow run 'transcribe'",
    ]


def test_a_resumed_run_waits_for_the_inference_that_it_had_started(served: Callable[..., Server]) -> None:
    server = served([Running(), Running(), Completed()])
    asyncio.run(server.compute())
    assert len(server.asked) == 1
