"""Runs on the real stack that are killed, frozen, submitted twice: finished work stays, nothing else is left."""

from __future__ import annotations

import time
from contextlib import suppress

import psutil
import pytest

from tests.faults import strikes
from tests.faults.rig import Rig, until

pytestmark = pytest.mark.stack


def test_a_killed_run_goes_on_after_its_last_checkpoint(rig: Rig) -> None:
    video = rig.video("killed", 310)
    strikes.place(rig.strikes, "mux-es", "after")
    run = rig.submit(video)
    assert "SIGKILL" in rig.wait(run, "Crashed")["message"]
    time.sleep(11)  # before, a worker's own late report could overwrite it
    rig.revive()
    rig.wait(run, "Completed")
    assert "AwaitingRetry" in rig.states(run)
    assert rig.ledger.computed_again() == []
    assert rig.published("killed") == rig.undisturbed([video])["killed"]


def test_a_finished_video_submitted_again_starts_no_stage(rig: Rig) -> None:
    video = rig.video("again", 320)
    rig.wait(rig.submit(video), "Completed")
    before = rig.ledger.events
    second = rig.submit(video, key="again, once more")
    rig.wait(second, "Completed")
    assert rig.ledger.events == before


def test_the_same_idempotency_key_is_the_same_run(rig: Rig) -> None:
    video = rig.video("again", 320)
    run = rig.submit(video, key="one key")
    assert rig.submit(video, key="one key") == run
    rig.wait(run, "Completed")


def test_a_video_that_ends_its_process_every_time_is_quarantined_with_its_reason(rig: Rig) -> None:
    strikes.place(rig.strikes, "attribute", "before", times=3)
    run = rig.submit(rig.video("poison", 330))
    for _ in range(3):
        rig.wait(run, "Crashed")
        time.sleep(11)
        rig.revive()
    state = rig.wait(run, "Quarantined")
    assert state["type"] == "FAILED"
    assert "lost 3 times" in state["message"]
    # A person who has mended the cause chooses Retry.
    rig.set_state(run, "SCHEDULED", "AwaitingRetry")
    rig.wait(run, "Completed")


def test_a_stage_that_finds_no_memory_is_tried_again(rig: Rig) -> None:
    strikes.place(rig.strikes, "transcribe", "before", "memory")
    run = rig.submit(rig.video("memory", 370))
    rig.wait(run, "Completed")
    assert not strikes.left(rig.strikes)
    assert "Crashed" not in rig.states(run)


def test_two_submissions_of_one_video_at_once_publish_the_same(rig: Rig) -> None:
    video = rig.video("twice", 380)
    runs = [rig.submit(video, key=f"twice {number}") for number in range(2)]
    for run in runs:
        rig.wait(run, "Completed")
    assert rig.published("twice") == rig.undisturbed([video])["twice"]
    assert not rig.leftovers()


def test_a_run_whose_process_is_frozen_is_found_by_its_silence_and_taken_up(rig: Rig) -> None:
    strikes.place(rig.strikes, "mix-es", "before", "freeze")
    video = rig.video("frozen", 385)
    run = rig.submit(video)
    until(lambda: not strikes.left(rig.strikes))
    (frozen,) = [process for process in rig.processes() if process.status() == psutil.STATUS_STOPPED]
    rig.revive()
    assert rig.state(run)["name"] == "Running", "it has been silent for some seconds only"
    time.sleep(25)
    rig.revive(20)
    assert "silent" in next(s["message"] for s in rig.history(run) if s["name"] == "Crashed")
    time.sleep(11)
    rig.revive(20)
    rig.wait(run, "Completed")
    with suppress(psutil.NoSuchProcess):  # its worker may have ended it
        frozen.resume()  # what wakes up then finds all done, and harms nothing
    assert rig.published("frozen") == rig.undisturbed([video])["frozen"]
    rig.none_left()
