"""A stage that goes ahead of others: they begin once it tells its first progress, and not at all when it fails."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from dubline.domain.errors import EngineFailed
from dubline.storage.results import Script
from dubline.telemetry import progress
from flows.translate_video import hear
from tasks.check import check_media
from tasks.publish import seconds_of
from tasks.stage import Stages, Timing, stage
from tasks.transcribe import transcribe
from tests.waiting import PATIENCE_S


class Played(Stages):
    """Stages that take as long as the test says."""

    def __init__(self, *, here: bool = True, fails: bool = False) -> None:
        super().__init__(here=here)
        self.begun, self.goes_on, self.fails = asyncio.Event(), asyncio.Event(), fails

    async def __call__(self, *_: Any, **__: Any) -> Any:
        with progress.working("transcribe"):
            self.begun.set()
            await self.goes_on.wait()
            if self.fails:
                await asyncio.to_thread(_failed)
            await asyncio.to_thread(progress.teller(), 0.1)
            await asyncio.Event().wait()


def _failed() -> None:
    """As Prefect has it: the body has told its failure some time before the task's state is known."""
    with suppress(EngineFailed), progress.working("transcribe"):
        raise EngineFailed("No.")
    time.sleep(0.3)
    raise EngineFailed("No.")


async def ahead(stages: Stages) -> asyncio.Task[Any]:
    nobody_looks: Any = None
    return await stages.ahead(transcribe, nobody_looks, nobody_looks, nobody_looks)


def test_others_begin_when_it_tells_its_first_progress() -> None:
    async def scenario() -> None:
        stages = Played()
        waiting = asyncio.create_task(ahead(stages))
        await stages.begun.wait()
        for _ in range(10):
            await asyncio.sleep(0)
        assert not waiting.done(), "that it runs is no progress"
        stages.goes_on.set()
        async with asyncio.timeout(PATIENCE_S):
            working = await waiting
        assert not working.done()
        working.cancel()

    asyncio.run(scenario())


def test_its_failure_is_told_before_others_begin() -> None:
    async def scenario() -> None:
        stages = Played(fails=True)
        stages.goes_on.set()
        await ahead(stages)

    with pytest.raises(EngineFailed):
        asyncio.run(scenario())


def test_where_the_recognizer_fails_the_gate_of_the_media_may_still_say_why() -> None:
    opened: list[object] = []

    class Failing(Played):
        async def __call__(self, step: Any, *_: Any, **__: Any) -> Any:
            if step is transcribe:
                raise EngineFailed("No.")

    anything: Any = SimpleNamespace(dubbed_track=0, source_language="en", asr=None)
    gates: Any = SimpleNamespace(open=lambda step, *_: opened.append(step))
    with pytest.raises(EngineFailed):
        asyncio.run(hear(anything, anything, anything, Failing(), gates))
    assert opened == [check_media]


def test_who_tells_nothing_for_long_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.stage.AHEAD_S", 0.01)

    async def scenario() -> None:
        working = await ahead(Played())
        assert not working.done()
        working.cancel()

    asyncio.run(scenario())


def test_who_gives_up_waiting_ends_it() -> None:
    async def scenario() -> None:
        stages = Played()
        waiting = asyncio.create_task(ahead(stages))
        await stages.begun.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(scenario())


def test_elsewhere_it_is_not_waited_for() -> None:
    async def scenario() -> None:
        working = await ahead(Played(here=False))
        assert not working.done(), "those beside it are to be asked for in the same moment"
        working.cancel()

    asyncio.run(scenario())


def test_another_version_of_the_detector_of_speech_makes_its_stages_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    def key() -> str:
        made = stage("attribute", result=Script, packages=("faster-whisper",))(lambda: None)
        return made.key({})

    before = key()
    assert key() == before
    monkeypatch.setattr("importlib.metadata.version", lambda _: "another")
    assert key() != before


def test_a_stage_that_ran_several_times_took_all_of_them_together() -> None:
    ran = (("survey-tracks", 1.25, False), ("mix-es", 0.5, False), ("survey-tracks", 2.0, False), ("mux-es", 3.0, True))
    timings = tuple(Timing(stage=stage, seconds=seconds, cached=cached) for stage, seconds, cached in ran)
    assert seconds_of(timings) == {"survey-tracks": 3.25, "mix-es": 0.5}
