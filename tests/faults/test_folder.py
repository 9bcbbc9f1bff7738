"""A watched folder on the real stack, and its watcher killed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.rig import Rig
from tests.files import files_below
from tests.waiting import until

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
    first, second = rig.video("first dropped"), rig.video("second dropped")
    shutil.copyfile(first, folder / first.name)
    until(lambda: not (folder / first.name).exists())
    (process,) = rig.processes_of(run)
    process.kill()
    rig.wait(run, "Crashed")
    assert first.name in {path.name for path in files_below(folder / ".dubline")}, "it was taken in"

    shutil.copyfile(second, folder / second.name)
    again = rig.start("watch-folder/watch-folder", {"watched": watched})
    done = folder / "done"
    until(lambda: (done / first.name).exists() and (done / second.name).exists())
    until(lambda: not [*files_below(folder / ".dubline")])
    mine = [one for one in rig.runs("translate-video") if str(folder) in one["parameters"]["request"]["video"]]
    assert sorted(one["name"] for one in mine) == [first.name, second.name]
    rig.set_state(again, "CANCELLING")
    rig.wait(again, "Cancelled")
    rig.ended_well(first, second, runs=[one["id"] for one in mine], outs=[done / first.stem, done / second.stem])
