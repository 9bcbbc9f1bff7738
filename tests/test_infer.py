"""Inference in a run of its own: what is done with its slot, and how whoever asked learns of its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from prefect.client.schemas.objects import State
from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError

from dubline.domain.errors import ModelMissing
from flows import infer as inference
from tasks.elsewhere import StageCall, StageCalls


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Run the flow's stages, each of them a given coroutine function; what happened, in order."""

    def made(**stages: Callable[[], Any]) -> list[str]:
        events: list[str] = []

        @asynccontextmanager
        async def slot() -> AsyncIterator[None]:
            events.append("slot taken")
            try:
                yield
            finally:
                events.append("slot given back")

        async def compute(call: StageCall) -> None:
            await stages[call.stage]()
            events.append(f"{call.stage} done")

        async def nothing() -> None:
            pass

        calls = StageCalls(calls=tuple(StageCall(stage=name, inputs={}) for name in stages))
        replaced = {
            "gpu_slot": slot,
            "compute": compute,
            "artifacts": lambda: SimpleNamespace(load_value=lambda *_: calls),
            "use_media_store": nothing,
            "use_store_of": lambda _: None,
            "reap": lambda: None,
            "end_when_told": lambda: None,
            "progress_shown": lambda *_: nullcontext(),
        }
        for name, value in replaced.items():
            monkeypatch.setattr(inference, name, value)
        ended = asyncio.run(inference.infer.fn(SimpleNamespace()))  # type: ignore[arg-type]  # what is loaded above
        events.append(told(ended))
        return events

    return made


def told(state: State[None] | None) -> str:
    return f"{state.type.value} {state.name}: {state.message}" if state else "done"


async def fine() -> None:
    await asyncio.sleep(0.1)


def failing(error: Exception) -> Callable[[], Any]:
    async def fails() -> None:
        raise error

    return fails


def test_the_slot_is_held_until_every_stage_has_ended(run: Callable[..., list[str]]) -> None:
    events = run(transcribe=failing(ModelMissing("No weights.")), diarize=fine)
    assert events == ["slot taken", "diarize done", "slot given back", "FAILED Failed: ModelMissing: No weights."]


@pytest.mark.parametrize("error", [httpx.ConnectError("away"), ConcurrencySlotAcquisitionError("away")])
def test_a_server_that_is_away_makes_it_a_lost_run(run: Callable[..., list[str]], error: Exception) -> None:
    assert run(transcribe=failing(error))[-1].startswith("CRASHED Crashed: ")


def test_a_slot_that_cannot_be_given_back_keeps_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    taken: list[str] = []

    @asynccontextmanager
    async def concurrency(name: str, **_: object) -> AsyncIterator[None]:
        taken.append(name)
        try:
            yield
        finally:
            raise httpx.ConnectError("away")

    async def held() -> None:
        async with asyncio.timeout(60), inference.gpu_slot():
            await fine()

    monkeypatch.setattr(inference, "concurrency", concurrency)
    monkeypatch.setattr(inference, "settings", lambda: SimpleNamespace(gpu_limit="gpu"))
    monkeypatch.setattr(inference, "get_run_logger", logging.getLogger)
    asyncio.run(held())
    assert taken == ["gpu"]
    assert "could not be given back (away)" in caplog.text


def test_a_slot_is_given_back_whoever_cancels_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    @asynccontextmanager
    async def concurrency(name: str, **_: object) -> AsyncIterator[None]:
        try:
            yield
        finally:
            told.append("giving back")
            await asyncio.sleep(0.2)
            told.append("given back")

    async def held() -> None:
        async with inference.gpu_slot():
            told.append("held")
            await asyncio.sleep(60)

    async def cancelled() -> None:
        run = asyncio.create_task(held())
        for moment in ("held", "giving back"):
            while moment not in told:
                await asyncio.sleep(0.01)
            run.cancel()
        await asyncio.wait((run,))
        while "given back" not in told:
            await asyncio.sleep(0.01)

    monkeypatch.setattr(inference, "concurrency", concurrency)
    monkeypatch.setattr(inference, "settings", lambda: SimpleNamespace(gpu_limit="gpu"))
    monkeypatch.setattr(inference, "get_run_logger", logging.getLogger)
    asyncio.run(cancelled())
    assert told == ["held", "giving back", "given back"]


def test_an_error_that_nobody_foresaw_is_a_bug_with_its_traceback(run: Callable[..., list[str]]) -> None:
    with pytest.raises(KeyError):
        run(transcribe=failing(KeyError(7)))
