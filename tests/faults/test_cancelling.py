"""Runs on the real stack that are cancelled, in every stage and with an ffmpeg that hangs, leave nothing behind."""

from __future__ import annotations

import pytest

from tests.faults import strikes
from tests.faults.rig import Rig, until

pytestmark = pytest.mark.stack


def test_runs_cancelled_in_every_stage_leave_nothing_behind_and_lose_nothing(rig: Rig) -> None:
    video = rig.video("cancelled", 700)
    for stage in strikes.STAGES:
        strikes.place(rig.strikes, stage, "before", "hang")
    # Every run goes on where the one before was cancelled, and the next stage holds it up, or the next that are side by
    # side.
    cancelled = []
    while ahead := strikes.left(rig.strikes):
        run = rig.submit(video, key=f"cancelled, {len(ahead)} ahead")
        until(lambda ahead=ahead: strikes.left(rig.strikes) != ahead)
        rig.set_state(run, "CANCELLING")
        rig.none_left()
        rig.wait(run, "Cancelled")
        assert not rig.leftovers()
        cancelled.append(run)
    told = rig.ledger.events
    rig.revive()
    assert {rig.state(run)["name"] for run in cancelled} == {"Cancelled"}, "nobody resumes what a person ended"
    assert rig.ledger.events == told
    rig.wait(rig.submit(video, key="not cancelled"), "Completed")
    assert rig.ledger.computed_again() == []
    assert rig.published("cancelled") == rig.undisturbed([video])["cancelled"]


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
