"""What a run stands on is lost: its servers, its worker, its store's answers, its disk."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.faults import strikes
from tests.faults.rig import Rig, until

pytestmark = pytest.mark.stack


def begun(rig: Rig, run: str) -> None:
    """Wait until a run is at its first stages."""
    rig.wait(run, "Running")
    before = len(rig.ledger.events)
    until(lambda: len(rig.ledger.events) > before)


def as_undisturbed(rig: Rig, video: Path) -> bool:
    return rig.published(video.stem) == rig.undisturbed([video])[video.stem]


def test_a_prefect_server_killed_in_mid_run_is_waited_for(rig: Rig) -> None:
    video = rig.video("server", 410)
    run = rig.submit(video)
    begun(rig, run)
    for process in (rig.stack.server, rig.stack.services):
        process.kill()
    time.sleep(3)
    for process in (rig.stack.server, rig.stack.services):
        process.start()
        process.wait()
    rig.wait(run, "Completed")
    assert rig.ledger.computed_again() == []
    assert as_undisturbed(rig, video)


def test_a_store_that_answers_503_drops_connections_and_flips_bits_costs_nothing_but_time(rig: Rig) -> None:
    faults = ["unavailable", "flip-request", "drop", "flip", "unavailable", "drop", "flip"]
    rig.proxy.clear()
    rig.proxy.spoiled.clear()
    rig.proxy.spoil(*faults)
    video = rig.video("spoiled", 420)
    rig.wait(rig.submit(video), "Completed")
    assert rig.proxy.spoiled == faults
    assert rig.ledger.computed_again() == []
    assert as_undisturbed(rig, video)


def test_a_full_disk_is_told_and_retry_goes_on_when_there_is_room(rig: Rig) -> None:
    with ExitStack() as full:
        for worker in rig.stack.workers:
            full.enter_context(tiny(rig.stack.folder / worker.name / "cache"))
        video = rig.video("full", 430)
        run = rig.submit(video)
        state = rig.wait(run, "Failed")
        assert "make room" in state["message"]
    rig.set_state(run, "SCHEDULED", "AwaitingRetry")
    rig.wait(run, "Completed")
    assert as_undisturbed(rig, video)
    assert not rig.leftovers()


@contextmanager
def tiny(folder: Path) -> Iterator[None]:
    """A file system of 40 KiB there for a while."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a small file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_run_whose_worker_is_gone_can_be_cancelled(rig: Rig) -> None:
    strikes.place(rig.strikes, "translate-es", "before", "hang")
    run = rig.submit(rig.video("orphan", 435))
    until(lambda: not strikes.left(rig.strikes))
    for worker in rig.stack.workers:
        os.kill(worker.pid, signal.SIGKILL)  # it alone: what it started lives on
        until(lambda worker=worker: not worker.alive)
        worker.start()
        worker.wait()
    assert rig.processes()
    rig.set_state(run, "CANCELLING")
    until(lambda: not rig.processes())
    assert "worker was gone" in rig.wait(run, "Cancelled")["message"]
    assert not rig.leftovers()


def test_all_machines_lose_power_and_come_back(rig: Rig) -> None:
    strikes.place(rig.strikes, "translate-es", "before", "hang")
    video = rig.video("power", 440)
    run = rig.submit(video)
    until(lambda: not strikes.left(rig.strikes))
    for process in reversed(rig.stack.processes):
        process.kill()
    assert not rig.processes()
    for process in rig.stack.processes:
        process.start()
        process.wait()
    # Its heart has stopped: the automation finds that, on what the servers remember.
    assert "heartbeat" in rig.wait(run, "Crashed")["message"]
    time.sleep(11)
    rig.revive()
    rig.wait(run, "Completed")
    assert rig.ledger.computed_again() == []
    assert as_undisturbed(rig, video)
