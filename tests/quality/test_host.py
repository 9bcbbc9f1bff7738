"""The process that holds Great Expectations: right answers, and no way to outlive or to stop the caller."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from suite_cases import BROKEN, CLEAN

from dubline.domain.errors import InvalidRequest
from quality_suites.host import GateHost
from tests.processes import lives

PATIENCE_S = 240


@pytest.fixture(scope="module")
def host():
    host = GateHost()
    host.start()
    yield host
    host.stop()


def _child_pid():
    (child,) = multiprocessing.active_children()
    return child.pid


def _gone(pid):
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if not lives(pid):
            return True
        time.sleep(0.05)
    return False


def test_threads_that_share_the_host_get_each_their_own_answer(host):
    jobs = [(name, rule) for name in ("media", "speech") for rule in BROKEN[name]]
    with ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(lambda job: host.check(job[0], BROKEN[job[0]][job[1]]), jobs))
    assert [[finding.rule for finding in verdict.findings] for verdict in verdicts] == [[rule] for _, rule in jobs]


def test_errors_of_a_validation_reach_the_caller(host):
    with pytest.raises(InvalidRequest, match="segments"):
        host.check("segments", {})


def test_an_interrupt_from_the_keyboard_does_not_end_the_child(host):
    host.check("media", CLEAN["media"])
    pid = _child_pid()
    os.kill(pid, signal.SIGINT)
    # The signal may wait until the main thread wakes for the next piece of work, and so strike one call later.
    for _ in range(3):
        assert host.check("media", CLEAN["media"]).findings == ()
    assert _child_pid() == pid


def test_stop_ends_a_child_in_the_middle_of_its_import():
    before = set(multiprocessing.active_children())
    host = GateHost()
    host.start()
    (child,) = set(multiprocessing.active_children()) - before
    host.stop()
    assert _gone(child.pid)
    host.stop()


PARENT = """
import multiprocessing, os, signal, sys, time
from dubline.domain.errors import EngineUnavailable
from quality_suites import catalogue, gates
from quality_suites.host import GateHost
facts = dict(duration_ms=1, has_picture=True, has_sound=True, size_plausible=True, frame_rate=25.0, short_frames=0.0)
host = GateHost()
host.start()
(child,) = multiprocessing.active_children()
print(child.pid, flush=True)
"""

KILLED_CHILD = """
os.kill(child.pid, signal.SIGKILL)
try:
    host.check('media', {'whole': [facts]})
except EngineUnavailable as error:
    print(error.retryable)
print(host.check('media', {'whole': [facts]}).findings)
print([name for name in ('great_expectations', 'pandas') if name in sys.modules])
"""


def _parent(then):
    return subprocess.Popen([sys.executable, "-c", PARENT + then], stdout=subprocess.PIPE, text=True)


def test_a_killed_child_is_worth_a_retry_the_next_call_works_and_the_caller_imports_nothing_slow():
    output, _ = _parent(KILLED_CHILD).communicate(timeout=PATIENCE_S)
    assert output.splitlines()[1:] == ["True", "()", "[]"]


def test_the_child_ends_with_a_parent_that_exits_without_stopping_it():
    parent = _parent("")
    output, _ = parent.communicate(timeout=PATIENCE_S)
    assert parent.returncode == 0
    assert _gone(int(output))


def test_the_child_ends_with_a_parent_that_is_killed():
    parent = _parent("time.sleep(600)")
    pid = int(parent.stdout.readline())
    assert psutil.pid_exists(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()  # not read to its end: a child that lives on would hold it open
    assert _gone(pid)


def test_the_child_does_not_import_the_callers_main_program(tmp_path):
    main = tmp_path / "main.py"
    main.write_text(
        "from quality_suites.host import GateHost\n"
        "print(__name__)\n"
        "host = GateHost()\n"
        "print(host._running().last.result() > 0)\n"
        "host.stop()\n"
    )
    command = [sys.executable, main]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(Path.cwd())}, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["__main__", "True"], done.stderr
