"""Inference on several machines with one slot, and the deployment that looks after lost runs, as workers run it."""

from __future__ import annotations

import os
import signal
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from dubline.stages import INFERENCE
from tasks.revive import SETTLED_S
from tests.faults import strikes
from tests.faults.rig import Rig
from tests.faults.test_gpu import ELSEWHERE
from tests.waiting import until

pytestmark = pytest.mark.stack
REVIVE = "revive/revive"


def test_two_videos_take_turns_on_one_slot_though_the_server_is_killed_meanwhile(rig: Rig) -> None:
    with rig.worker("gpu", "gpu-worker-2"), rig.worker("gpu", "gpu-worker-3"):
        strikes.place(rig.strikes, "transcribe", "during", "hold")
        videos = [rig.video("first of two"), rig.video("second of two")]
        runs = [rig.submit(video, **ELSEWHERE) for video in videos]
        until(lambda: not strikes.left(rig.strikes))
        until(lambda: [one["state"]["name"] for one in rig.runs("infer")].count("Running") == 2)
        assert rig.slots_taken() == 1
        rig.stack.server.kill()
        strikes.release(rig.strikes, "transcribe")  # and its slot is given back to a server that is away
        time.sleep(5)
        rig.stack.server.start()
        rig.stack.server.wait()
        for run in runs:
            rig.wait(run, "Completed")
            assert "Crashed" not in rig.states(run)
    at_work: dict[int, list[float]] = {}
    for event in rig.ledger.events:
        if event["event"] in ("begun", "finished") and event["stage"].partition("-es")[0] in INFERENCE:
            at_work.setdefault(event["pid"], []).append(event["at"])
    spans = sorted((min(at), max(at)) for at in at_work.values())
    assert len(spans) >= 2 * 3, "at least hearing, translating and speaking of two videos"
    assert all(before[1] <= after[0] for before, after in pairwise(spans)), spans
    rig.ended_well(*videos, runs=runs)


def test_inference_of_a_cancelled_video_needs_no_worker_to_end(rig: Rig) -> None:
    with rig.worker("gpu", "gpu-worker-4") as alone:
        strikes.place(rig.strikes, "synthesize-es", "before", "hang")
        run = rig.submit(rig.video("cancelled, no worker"), **ELSEWHERE)
        until(lambda: not strikes.left(rig.strikes))
        inference = rig.runs("infer")[0]["id"]
        os.kill(alone.pid, signal.SIGSTOP)
        rig.set_state(run, "CANCELLING")
        until(lambda: not rig.processes_of(inference))
        assert rig.slots_taken() == 0, "it gave its slot back first"
        assert "asked for it" in rig.wait(inference, "Cancelled")["message"]
        os.kill(alone.pid, signal.SIGCONT)
        rig.wait(run, "Cancelled")
    rig.ended_well(runs=[run])


def test_the_deployment_that_looks_after_lost_runs_resumes_one_and_ends_a_cancelled_one(rig: Rig) -> None:
    strikes.place(rig.strikes, "ingest", "before")
    cancelled = rig.submit(rig.video("cancelled while it waits"))
    rig.wait(cancelled, "Crashed")
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    rig.set_state(cancelled, "SCHEDULED", "AwaitingRetry", scheduled_time=later)  # no worker takes it meanwhile
    rig.set_state(cancelled, "CANCELLING")
    assert rig.state(cancelled)["name"] == "Cancelling", "the server believes that it has a process"

    strikes.place(rig.strikes, "mux-es", "after")
    video = rig.video("looked after")
    run = rig.submit(video)
    rig.wait(run, "Crashed")
    time.sleep(SETTLED_S + 1)
    with rig.worker("service", "service-worker-1"):
        rig.wait(rig.start(REVIVE, {}), "Completed")
        rig.wait(run, "Completed")
        while rig.state(cancelled)["name"] == "Cancelling":
            rig.wait(rig.start(REVIVE, {}), "Completed")
    assert "AwaitingRetry" in rig.states(run)
    assert "no process" in rig.wait(cancelled, "Cancelled")["message"]
    rig.ended_well(video, runs=[run, cancelled])
