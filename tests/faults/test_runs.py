"""Runs on the real stack that are killed, frozen, submitted twice: finished work stays, nothing else is left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psutil
import pytest

from tests.faults import strikes
from tests.faults.rig import BUCKET, Rig
from tests.waiting import until

pytestmark = pytest.mark.stack
SILENT_S = 20
"""Twice as long as a run that lives ever is."""


def test_a_killed_run_goes_on_after_its_last_checkpoint(rig: Rig) -> None:
    video = rig.video("killed")
    strikes.place(rig.strikes, "mux-es", "after")
    run = rig.submit(video)
    assert "SIGKILL" in rig.wait(run, "Crashed")["message"]
    rig.resume(run)
    rig.wait(run, "Completed")
    assert "AwaitingRetry" in rig.states(run)
    assert rig.states(run).count("Crashed") == 1, "its worker reports it once"
    rig.ended_well(video, runs=[run])


def test_a_run_killed_while_its_results_are_put_in_a_bucket_puts_them_all(rig: Rig) -> None:
    video = rig.video("put")
    out = f"{BUCKET}/results/put"
    strikes.place(rig.strikes, "publish", "putting")
    run = rig.submit(video, asked={"out": f"s3://{out}"})
    rig.wait(run, "Crashed")
    there = rig.bucket().find(out)
    assert there and f"{out}/manifest.json" not in there, "nobody takes it for finished"
    rig.resume(run)
    rig.wait(run, "Completed")
    rig.bucket().get(out, str(rig.out(video)), recursive=True)
    rig.ended_well(video, runs=[run])


def test_one_key_submitted_twice_at_once_is_one_run_and_its_video_again_starts_no_stage(rig: Rig) -> None:
    video = rig.video("one key")
    with ThreadPoolExecutor(4) as people:
        runs = set(people.map(lambda _: rig.submit(video, key="one key"), range(4)))
    (run,) = runs
    rig.wait(run, "Completed")
    rig.ended_well(video, runs=runs)
    before = rig.ledger.events
    again = rig.submit(video, key="one key, once more")
    rig.wait(again, "Completed")
    assert rig.ledger.events == before


def test_two_submissions_of_one_video_at_once_publish_the_same(rig: Rig) -> None:
    video = rig.video("twice")
    runs = [rig.submit(video, key=f"twice {number}") for number in range(2)]
    for run in runs:
        rig.wait(run, "Completed")
    rig.ended_well(video, runs=runs, raced=True)


def test_a_video_that_ends_its_process_every_time_is_quarantined_with_its_reason(rig: Rig) -> None:
    strikes.place(rig.strikes, "attribute", "before", times=3)
    video = rig.video("poison")
    run = rig.submit(video)
    for _ in range(3):
        rig.wait(run, "Crashed")
        rig.resume(run)
    state = rig.wait(run, "Quarantined")
    assert state["type"] == "FAILED"
    assert "lost 3 times" in state["message"]
    # A person who has mended the cause chooses Retry.
    rig.set_state(run, "SCHEDULED", "AwaitingRetry")
    rig.wait(run, "Completed")
    rig.ended_well(video, runs=[run])


def test_a_stage_that_finds_no_memory_is_tried_again(rig: Rig) -> None:
    video = rig.video("memory")
    strikes.place(rig.strikes, "transcribe", "before", "memory")
    run = rig.submit(video)
    rig.wait(run, "Completed")
    assert not strikes.left(rig.strikes)
    assert "Crashed" not in rig.states(run)
    rig.ended_well(video, runs=[run])


def test_a_run_whose_process_is_frozen_is_found_by_its_silence_and_taken_up(rig: Rig) -> None:
    # A stage that nothing is done beside: what was looked for and not yet begun would be begun by both.
    strikes.place(rig.strikes, "synthesize-es", "before", "freeze")
    video = rig.video("frozen")
    run = rig.submit(video)
    until(lambda: not strikes.left(rig.strikes))
    frozen = rig.stopped()
    rig.revive()
    assert rig.state(run)["name"] == "Running", "it has been silent for some seconds only"
    until(lambda: rig.revive(SILENT_S, sure_s=3) or rig.state(run)["name"] != "Running")
    assert "silent" in next(s["message"] for s in rig.history(run) if s["name"] == "Crashed")
    rig.resume(run)
    rig.wait(run, "Completed")
    with suppress(psutil.NoSuchProcess):  # its worker may have ended it
        frozen.resume()  # what wakes up then finds all done, and harms nothing
    rig.ended_well(video, runs=[run], raced=True)
