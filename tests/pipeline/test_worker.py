"""`python -m deployments.worker`: what it refuses, and processes that would keep their place for ever."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.pipeline.workshop import ROOT, Workshop, ask

TIMEOUT_S = 120
FLOW = {
    "entrypoint": "tests/pipeline/freezing.py:freeze_unless",
    "pull_steps": [{"prefect.deployments.steps.set_working_directory": {"directory": str(ROOT)}}],
}


@pytest.mark.parametrize("options", [(), ("--pool", "cpu", "--with-healthcheck")])
def test_a_worker_without_a_limit_is_refused(options: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "deployments.worker", *options]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("A worker needs --limit, ") and done.stderr.count("\n") == 1


def test_a_worker_tells_its_options() -> None:
    command = [sys.executable, "-m", "deployments.worker", "--help"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == 0
    assert "--work-queue" in done.stdout


@pytest.mark.server
def test_a_frozen_process_whose_run_was_given_up_makes_room_for_another(workshop: Workshop) -> None:
    api, left = workshop.api, workshop.root / "pid"
    ask(api, "/work_pools/", {"name": "one-place", "type": "process"})
    flow = ask(api, "/flows/", {"name": "freeze-unless"})
    made = {"flow_id": flow["id"], "work_pool_name": "one-place", "name": "freezing", **FLOW}
    submit = f"/deployments/{ask(api, '/deployments/', made)['id']}/create_flow_run"
    body = {"parameters": {"path": str(left)}, "state": {"type": "SCHEDULED"}}
    with workshop.worker("one-place", limit=1):
        frozen = ask(api, submit, body)["id"]
        until_there(left)
        process = psutil.Process(int(left.read_text()))
        ask(api, f"/flow_runs/{frozen}/set_state", {"state": {"type": "CRASHED"}, "force": True})
        waiting = ask(api, submit, body)["id"]
        deadline = time.monotonic() + TIMEOUT_S
        while ask(api, f"/flow_runs/{waiting}")["state"]["type"] != "COMPLETED":
            assert time.monotonic() < deadline, "the frozen process keeps its place"
            time.sleep(0.5)
        assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def until_there(path: Path) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.5)
