"""The ledger is lost, or replaced by an empty one; Prefect still knows all runs by their keys."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from uuid import uuid4

from tests.watching.shed import Shed


def take_in(shed: Shed) -> None:
    asyncio.run(shed.take_in())


def tick(shed: Shed, *, thorough: bool = False) -> None:
    asyncio.run(shed.tick(thorough=thorough))


def lose_ledger(shed: Shed) -> None:
    shed.database = f"sqlite:///{shed.root.parent / uuid4().hex}.db"
    tick(shed, thorough=True)


def test_finished_results_are_put_into_done(shed: Shed) -> None:
    shed.drop("clip.mp4", languages=["fr"])
    take_in(shed)
    shed.runs.succeed(shed.runs.all[0])
    lose_ledger(shed)
    tick(shed)
    assert shed.listed() == ["done"]
    assert shed.listed("done") == ["clip", "clip.mp4", "clip.mp4.yaml"]
    assert len(shed.runs.all) == 1
    assert not shed.waiting()


def test_a_run_under_way_goes_on_undisturbed(shed: Shed) -> None:
    shed.drop("clip.mp4")
    take_in(shed)
    (run,) = shed.runs.all
    partial = Path(run.submission.out) / "dub.mp4"
    partial.parent.mkdir()
    partial.touch()
    lose_ledger(shed)
    tick(shed, thorough=True)
    assert Path(run.submission.video).exists()
    assert partial.exists()
    shed.runs.succeed(run)
    tick(shed)
    assert shed.listed("done") == ["clip", "clip.mp4"]
    assert len(shed.runs.all) == 1


def test_a_video_that_failed_and_is_dropped_again_is_tried_again(shed: Shed) -> None:
    for _ in range(2):
        shed.drop("clip.mp4")
        take_in(shed)
        shed.runs.fail(shed.runs.all[-1])
        tick(shed)
        (shed.root / "failed/clip.mp4").unlink()
    lose_ledger(shed)
    shed.drop("clip.mp4", languages=["es"])
    take_in(shed)
    assert len(shed.runs.all) == 3
    tick(shed)
    assert shed.listed("failed") == []
    shed.runs.succeed(shed.runs.all[-1])
    tick(shed, thorough=True)
    assert shed.listed("done") == ["clip", "clip.mp4", "clip.mp4.yaml"]
    assert not shed.waiting()


def test_a_video_that_was_done_and_is_dropped_again_is_done_again(shed: Shed) -> None:
    shed.drop("clip.mp4")
    take_in(shed)
    shed.runs.succeed(shed.runs.all[0])
    tick(shed)
    lose_ledger(shed)
    shed.drop("clip.mp4")
    take_in(shed)
    _, second = shed.runs.all
    shed.runs.succeed(second)
    tick(shed)
    assert shed.listed("done") == ["clip", "clip-2", "clip-2.mp4", "clip.mp4"]
    assert shed.listed("failed") == []


def test_a_working_folder_that_says_nothing_of_itself_gives_its_video_back(shed: Shed) -> None:
    shed.drop("clip.mp4", languages=["fr"])
    take_in(shed)
    (note,) = (shed.root / ".dubline").glob("*/taken.json")
    note.write_text("{}")
    lose_ledger(shed)
    assert shed.listed() == ["clip.mp4", "clip.mp4.yaml"]


def test_what_another_folder_took_in_is_given_back(shed: Shed) -> None:
    shed.drop("clip.mp4")
    take_in(shed)
    moved = shed.root.with_name("moved")
    shutil.move(shed.root, moved)
    shed.root = moved
    lose_ledger(shed)
    assert shed.listed() == ["clip.mp4"]
