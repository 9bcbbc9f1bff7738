"""Single processes: what becomes of them and their children, and how a missing program is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from dubline.domain.errors import ModelMissing, ServiceUnavailable
from infra.process import Process, free_ports
from tests.processes import lives
from tests.waiting import until

FAMILY = ("sh", "-c", "sleep 600 & setsid sleep 600 & echo started; wait")
"""A child in the process's group, and one in a session of its own."""


def process(folder: Path, *command: str, **more: object) -> Process:
    return Process("it", command, {"PATH": os.environ["PATH"]}, folder, folder / "logs" / "it.log", **more)


def started(process: Process) -> set[int]:
    """The process and its children, once all are there."""
    process.start()
    deadline = time.monotonic() + 30
    while len(family := {process.pid, *(child.pid for child in psutil.Process(process.pid).children())}) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return family


def living(pids: set[int]) -> set[int]:
    return set(filter(lives, pids))


@pytest.mark.parametrize("end", [Process.kill, Process.stop])
def test_children_go_with_it_whatever_session_they_are_in(tmp_path: Path, end: object) -> None:
    it = process(tmp_path, *FAMILY)
    family = started(it)
    assert living(family) == family
    assert it.memory() > 0
    end(it)
    assert living(family) == set()
    assert not it.alive


def test_orphans_of_a_process_that_ended_by_itself_are_ended_too(tmp_path: Path) -> None:
    it = process(tmp_path, "sh", "-c", "sleep 600 & echo $!")
    it.start()
    assert it.exit_code is None or it.exit_code == 0
    psutil.wait_procs([psutil.Process(it.pid)] if it.alive else [], timeout=30)
    orphan = {int(it.log.read_text())}
    assert living(orphan) == orphan
    it.stop()
    assert living(orphan) == set()


def test_it_can_be_interrupted_where_this_program_cannot(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in a shell's background job
    try:
        it = process(tmp_path, "sleep", "600", stop_signal=signal.SIGINT)
        it.start()
    finally:
        signal.signal(signal.SIGINT, before)
    while psutil.Process(it.pid).name() != "sleep":
        time.sleep(0.02)
    it.stop()
    assert it.exit_code == -signal.SIGINT


def test_it_starts_again_and_goes_on_with_its_log(tmp_path: Path) -> None:
    it = process(tmp_path, "sh", "-c", "echo hello; exec sleep 600")
    for times in (1, 2):
        it.start()
        it.start()  # does nothing while it runs
        while it.log.read_text() != "hello\n" * times:
            assert it.alive
            time.sleep(0.02)
        it.kill()
        assert it.exit_code == -9


def test_it_dies_with_the_program_that_started_it(tmp_path: Path) -> None:
    program = f"""
        import os, signal
        from pathlib import Path
        from threading import Thread
        from infra.process import Process
        it = Process("it", ("sleep", "600"), dict(os.environ), Path("."), Path({str(tmp_path / "log")!r}))
        thread = Thread(target=it.start)
        thread.start()
        thread.join()  # the end of the thread that asked for it is not the end of the process
        print(it.pid, it.alive, flush=True)
        signal.pause()
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True)
    pid, alive = parent.stdout.readline().split()
    assert alive == "True"
    child = psutil.Process(int(pid))
    until(lambda: child.name() == "sleep")  # before, the kernel does not know yet that it is to die
    parent.kill()
    parent.wait()
    psutil.wait_procs([child], timeout=30)
    assert living({int(pid)}) == set()


def test_it_is_ready_when_its_health_check_says_so(tmp_path: Path) -> None:
    it = process(tmp_path, "sh", "-c", "sleep 0.3; touch well; exec sleep 600", healthcheck=("test", "-e", "well"))
    it.start()
    it.wait()
    assert (tmp_path / "well").exists()
    (tmp_path / "well").unlink()
    assert not it.ready()
    it.kill()
    (tmp_path / "well").touch()
    assert not it.ready()


def test_one_that_ends_while_it_starts_is_told_with_its_last_words(tmp_path: Path) -> None:
    it = process(tmp_path, "sh", "-c", "echo no more room; exit 3", healthcheck=("false",))
    it.start()
    with pytest.raises(ServiceUnavailable, match="The process it ended while it started: no more room; its log is"):
        it.wait()


def test_one_that_is_never_ready_is_not_waited_for_without_end(tmp_path: Path) -> None:
    it = process(tmp_path, "sleep", "600", healthcheck=("false",))
    it.start()
    with pytest.raises(ServiceUnavailable, match="took too long to start"):
        it.wait(timeout_s=0.3)
    it.kill()


def test_a_missing_program_is_told_with_its_package(tmp_path: Path) -> None:
    it = process(tmp_path, "redis-server")
    it.environment = {"PATH": str(tmp_path)}
    (tmp_path / "setpriv").symlink_to("/usr/bin/setpriv")
    with pytest.raises(ModelMissing, match="'redis-server' is not installed; run: sudo apt-get install redis-server"):
        it.start()


def test_ports_are_not_those_that_connections_take_by_themselves() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = free_ports(50)
    assert len(set(ports)) == 50
    assert all(port + 10_000 < first for port in ports)
