"""The loop that stays up: what it says, how often, and that one file's trouble is no other's."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dubline.domain.errors import ServiceUnavailable
from dubline.watching import watch, watcher
from dubline.watching.following import Told
from dubline.watching.local import LocalFolder
from tests.watching.shed import PATIENCE_S, STILL_S, Shed


@dataclass
class Scripted:
    """A watcher whose looks lead to what is written down, and that is cancelled at the end."""

    script: list[Told | ServiceUnavailable]
    thorough: list[bool] = field(default_factory=list)

    @property
    def looks(self) -> Scripted:
        return self

    def due_s(self) -> None:
        return None

    async def tick(self, *, thorough: bool = False) -> Told:
        self.thorough.append(thorough)
        if not self.script:
            raise asyncio.CancelledError
        step = self.script.pop(0)
        if isinstance(step, Told):
            return step
        raise step


async def never() -> bool:
    return False


def watched(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> tuple[list[list[str]], list[str]]:
    """Problems as told after each look, and complaints."""
    monkeypatch.setattr(watch, "POLL_S", 0.0)
    monkeypatch.setattr(watch, "ERROR_S", 0.0)
    told: list[list[str]] = []
    complaints: list[str] = []
    with suppress(asyncio.CancelledError):
        asyncio.run(watch.watch(scripted, lambda one: told.append(one.problems), complaints.append, never))
    return told, complaints


def test_a_problem_is_told_once_and_looked_into_once(monkeypatch: pytest.MonkeyPatch) -> None:
    problems = [["a"], ["a"], ["a", "b"], ["b"], [], ["b"]]
    scripted = Scripted([Told(problems=one) for one in problems])
    told, _ = watched(scripted, monkeypatch)
    assert told == [["a"], [], ["b"], [], [], ["b"]]
    assert scripted.thorough == [True, True, False, True, False, False, True]


def test_a_server_that_stays_away_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    away = ServiceUnavailable("Nobody answers.")
    told, complaints = watched(Scripted([away, away, Told(), away]), monkeypatch)
    assert complaints == ["Nobody answers."] * 2
    assert told == [[]]


def test_reconcile_looks_until_nothing_is_left() -> None:
    scripted = Scripted([Told(), Told(left=3), Told(left=1), Told()])
    asyncio.run(watch.reconcile(scripted, 0.0, lambda _: None))
    assert not scripted.script


def test_a_look_that_had_no_time_for_more_puts_away_what_has_ended(shed: Shed, monkeypatch: pytest.MonkeyPatch) -> None:
    shed.drop("first.mp4")
    asyncio.run(shed.take_in())
    shed.runs.succeed(shed.runs.all[0])
    shed.drop("second.mp4", b"another END")
    with monkeypatch.context() as patched:
        patched.setattr(watcher, "INTAKE_S", -1.0)
        told = asyncio.run(shed.take_in())
    assert (told.left, told.submitted) == (1, [])
    assert shed.listed("done") == ["first", "first.mp4"]
    assert asyncio.run(shed.tick()).submitted == ["second.mp4"]


def test_a_file_that_cannot_be_read_is_read_less_and_less_often(shed: Shed, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []
    opened = LocalFolder.local

    @contextmanager
    def faulty(folder: LocalFolder, name: str) -> Iterator[Path]:
        reads.append(name)
        if name == "clip.mp4":
            raise OSError(5, "Input/output error")
        with opened(folder, name) as path:
            yield path

    monkeypatch.setattr(LocalFolder, "local", faulty)
    shed.drop("clip.mp4")
    asyncio.run(shed.take_in())
    for _ in range(60):
        shed.now += 1
        asyncio.run(shed.tick())
    assert reads.count("clip.mp4") == 5  # at 0, 2, 6, 14 and 30 s
    shed.drop("other.mp4", b"another END")
    asyncio.run(shed.take_in())
    assert reads.count("other.mp4") == 1


@pytest.mark.parametrize(("name", "wait_s"), [("clip.mp4", STILL_S), ("clip.ts", PATIENCE_S), ("CLIP.MPG", PATIENCE_S)])
def test_a_file_that_does_not_say_how_long_it_is_has_to_be_still_for_longer(
    shed: Shed, name: str, wait_s: float
) -> None:
    shed.drop(name)
    asyncio.run(shed.tick())
    shed.now += wait_s - 1
    asyncio.run(shed.tick())
    assert shed.looks.due_s() == 1
    assert not shed.runs.all
    shed.now += 1
    asyncio.run(shed.tick())
    assert len(shed.runs.all) == 1


def test_a_folder_that_is_replaced_is_watched_on(shed: Shed) -> None:
    asyncio.run(shed.tick())
    shed.root.rename(shed.root.with_name("old"))
    shed.root.mkdir()
    shed.drop("clip.mp4")
    asyncio.run(shed.take_in())
    assert len(shed.runs.all) == 1


def test_names_that_are_no_text_can_be_logged() -> None:
    from flows.watch_folder import _listed

    assert _listed([os.fsdecode(b"caf\xe9.mp4")]).encode()
