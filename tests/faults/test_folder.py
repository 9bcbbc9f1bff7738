"""A watched folder on the real stack, and its watcher killed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dubline import publication
from tests.faults.rig import Rig, files_below, until

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def rig(rig: Rig) -> Iterator[Rig]:
    """With a worker for services."""
    with rig.worker("service", "service-worker-2"):
        yield rig


def test_a_dropped_video_comes_out_done_though_the_watcher_was_killed(rig: Rig, tmp_path: Path) -> None:
    folder = rig.root / "inbox"
    folder.mkdir()
    watched = {"folder": str(folder), "languages": ["es"], "profile": "fake", "still_s": 2}
    run = rig.start("watch-folder/watch-folder", {"watched": watched})
    rig.wait(run, "Running")
    shutil.copyfile(rig.video("dropped"), folder / "first.mp4")
    until(lambda: not (folder / "first.mp4").exists())
    (process,) = rig.processes_of(run)
    process.kill()
    rig.wait(run, "Crashed")
    assert list((folder / ".dubline").rglob("first.mp4")), "it was taken in"

    shutil.copyfile(rig.video("dropped too"), folder / "second.mp4")
    again = rig.start("watch-folder/watch-folder", {"watched": watched})
    until(lambda: (folder / "done" / "second.mp4").exists() and (folder / "done" / "first.mp4").exists())
    for name in ("first", "second"):
        assert publication.read(folder / "done" / name) is not None
    until(lambda: not [*files_below(folder / ".dubline")])
    mine = [one for one in rig.runs("translate-video") if str(folder) in one["parameters"]["request"]["video"]]
    assert len(mine) == 2
    rig.set_state(again, "CANCELLING")
    rig.wait(again, "Cancelled")
