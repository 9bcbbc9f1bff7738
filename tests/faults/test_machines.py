"""What a run stands on is lost: its servers, its worker, its store's answers, its disk."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from infra.process import Process
from tests.faults import strikes
from tests.faults.rig import Rig
from tests.lacking import small_disk
from tests.waiting import until

pytestmark = pytest.mark.stack


@pytest.fixture
def zombies_are_found(rig: Rig) -> Iterator[None]:
    rig.look_for_zombies(True)
    yield
    rig.look_for_zombies(False)


@pytest.mark.usefixtures("zombies_are_found")
def test_all_machines_lose_power_and_come_back(rig: Rig) -> None:
    strikes.place(rig.strikes, "translate-es", "before", "hang")
    video = rig.video("power")
    run = rig.submit(video)
    until(lambda: not strikes.left(rig.strikes))
    for process in reversed(rig.stack.processes):
        process.kill()
    rig.none_left()
    for process in rig.stack.processes:
        process.start()
        process.wait()
    rig.undisturbed([video])  # there is time for that
    # Its heart has stopped: the automation finds that, on what the servers remember.
    assert "heartbeat" in rig.wait(run, "Crashed")["message"]
    rig.resume(run)
    rig.wait(run, "Completed")
    rig.ended_well(video, runs=[run])


def test_servers_killed_in_the_middle_of_a_stage_are_waited_for(rig: Rig) -> None:
    stack, video = rig.stack, rig.video("servers")
    struck: dict[str, tuple[Process, ...]] = {
        "transcribe": (stack.postgres,),
        "translate-es": (stack.redis,),
        "synthesize-es": (stack.s3,),
        "mix-es": (stack.server, stack.services),
    }
    for stage in struck:
        strikes.place(rig.strikes, stage, "during", "hold")
    run = rig.submit(video)
    for stage, servers in struck.items():
        until(lambda stage=stage: f"{stage}@during@hold@0" not in strikes.left(rig.strikes))
        for server in servers:
            server.kill()
        strikes.release(rig.strikes, stage)
        time.sleep(3)  # so the stage's end, its record and its report meet none
        for server in servers:
            server.start()
            server.wait()
    rig.wait(run, "Completed")
    assert rig.states(run).count("Running") == 1
    rig.ended_well(video, runs=[run])


def test_a_store_that_answers_503_drops_connections_and_flips_bits_costs_nothing_but_time(rig: Rig) -> None:
    faults = ["unavailable", "flip-request", "drop", "flip", "unavailable", "drop", "flip"]
    rig.proxy.spoil(*faults)
    video = rig.video("spoiled")
    run = rig.submit(video)
    rig.wait(run, "Completed")
    assert rig.proxy.spoiled == faults
    rig.ended_well(video, runs=[run])


def test_a_full_disk_is_told_and_retry_goes_on_when_there_is_room(rig: Rig) -> None:
    with ExitStack() as full:
        for worker in rig.stack.workers:
            full.enter_context(small_disk(rig.stack.folder / worker.name / "cache"))
        video = rig.video("full")
        run = rig.submit(video)
        state = rig.wait(run, "Failed")
        assert "make room" in state["message"]
    rig.set_state(run, "SCHEDULED", "AwaitingRetry")
    rig.wait(run, "Completed")
    assert not rig.leftovers()
    rig.ended_well(video, runs=[run])


def test_runs_whose_worker_was_killed_go_on_and_can_be_cancelled(rig: Rig) -> None:
    video, unwanted = rig.video("orphan"), rig.video("unwanted orphan")
    stage = "translate-es"
    struck = [
        rig.lain_in_wait(one.stem, (stage, "before"), action=action)
        for one, action in ((video, "hold"), (unwanted, "hang"))
    ]
    folders = [Path(one["DUBLINE_STRIKES"]) for one in struck]
    runs = [rig.submit(one, **lain) for one, lain in zip((video, unwanted), struck, strict=True)]
    until(lambda: not any(map(strikes.left, folders)))
    for worker in rig.stack.workers:
        os.kill(worker.pid, signal.SIGKILL)  # it alone: what it started lives on
        until(lambda worker=worker: not worker.alive)
        worker.start()
        worker.wait()
    assert all(map(rig.processes_of, runs))
    rig.set_state(runs[1], "CANCELLING")
    strikes.release(folders[0], stage)
    rig.wait(runs[0], "Completed")
    assert "worker was gone" in rig.wait(runs[1], "Cancelled")["message"]
    until(lambda: not rig.processes())
    assert not rig.leftovers()
    (process,) = {event["pid"] for event in rig.ledger.events if event["run"] == runs[0]}
    assert rig.states(runs[0]).count("Running") == 1, process
    rig.ended_well(video, runs=runs)
