"""Runs on the real stack that are cancelled, in every stage and with an ffmpeg that hangs, leave nothing behind."""

from __future__ import annotations

import time

import pytest

from tests.faults import strikes
from tests.faults.rig import Rig, until

pytestmark = pytest.mark.stack


@pytest.mark.parametrize("stages", [strikes.STAGES[:8], strikes.STAGES[8:]], ids=["first half", "second half"])
def test_runs_cancelled_in_every_stage_leave_nothing_behind(rig: Rig, stages: tuple[str, ...]) -> None:
    # Each run is held up by the first of these that it comes by; one may take two that are side by side, and leave
    # none for another.
    for stage in stages:
        strikes.place(rig.strikes, stage, "before", "hang")
    runs = [rig.submit(rig.video(f"cancelled-{stage}", 700 + 5 * strikes.STAGES.index(stage))) for stage in stages]
    until(lambda: not strikes.left(rig.strikes))
    for run in runs:
        rig.set_state(run, "CANCELLING")
    rig.none_left()
    states = [rig.wait(run, "Cancelled", "Completed")["name"] for run in runs]
    assert states.count("Cancelled") >= len(stages) - 1
    ended = time.time()
    assert not rig.leftovers()
    time.sleep(2)
    assert not rig.ledger.after(ended)


def test_an_ffmpeg_that_hangs_is_ended_and_its_stage_tried_again(rig: Rig) -> None:
    hang = rig.strikes / "ffmpeg@hang"
    hang.touch()
    video = rig.video("hung", 350)
    rig.wait(rig.submit(video), "Completed")
    assert not hang.exists()
    assert rig.published("hung") == rig.undisturbed([video])["hung"]
    assert not rig.leftovers()


def test_cancelling_ends_an_ffmpeg_that_hangs(rig: Rig) -> None:
    hang = rig.strikes / "ffmpeg@hang"
    hang.touch()
    run = rig.submit(rig.video("hung for ever", 355))
    until(lambda: not hang.exists())
    rig.set_state(run, "CANCELLING")
    rig.none_left()
    rig.wait(run, "Cancelled")
    assert not rig.leftovers()
