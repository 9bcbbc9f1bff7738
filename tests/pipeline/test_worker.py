"""`python -m deployments.worker`: what it refuses, and processes that would keep their place for ever."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from deployments.worker import limit_of, pool, spelled
from dubline.settings import settings
from tests.pipeline.workshop import ROOT, Workshop, ask
from tests.processes import lives
from tests.waiting import until

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


@pytest.mark.parametrize(
    ("options", "meant"),
    [
        (["-pcpu", "-l3"], ["--pool", "cpu", "--limit", "3"]),
        (["-p=cpu", "-l=3"], ["--pool", "cpu", "--limit", "3"]),
        (["-p", "cpu", "-l", "3"], ["--pool", "cpu", "--limit", "3"]),
        (["--pool=cpu", "--limit=3"], ["--pool", "cpu", "--limit", "3"]),
        (["-lauto", "-q", "late", "--prefetch-seconds=3"], ["--limit", "auto", "-q", "late", "--prefetch-seconds=3"]),
    ],
)
def test_a_limit_and_a_pool_are_understood_in_every_form(options: list[str], meant: list[str]) -> None:
    assert spelled(options) == meant
    assert limit_of(list(meant)) == (settings().runs_at_once if "auto" in meant else 3)
    assert pool(meant) == ("cpu" if "cpu" in meant else "")


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
        until(lambda: left.exists() and left.read_text())
        process = int(left.read_text())
        ask(api, f"/flow_runs/{frozen}/set_state", {"state": {"type": "CRASHED"}, "force": True})
        waiting = ask(api, submit, body)["id"]
        until(
            lambda: ask(api, f"/flow_runs/{waiting}")["state"]["type"] == "COMPLETED",
            left=lambda: f"beside the frozen process {process}",
        )
        assert not lives(process)


REPORTED = """
import asyncio
from types import SimpleNamespace
from uuid import uuid4
import httpx
from prefect.states import Crashed, Pending, Running, Scheduled
from deployments import worker

async def ended(self, flow_run):
    return worker.ProcessWorkerResult(status_code=137, identifier="1")

async def reported(answer):
    async def read(run):
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(state=answer)
    one = object.__new__(worker.Worker)
    one._client = SimpleNamespace(read_flow_run=read)
    return (await one.run(SimpleNamespace(id=uuid4()))).status_code

worker.ProcessWorker.run = ended
for answer in (Crashed(), Scheduled(name="AwaitingRetry"), Running(), Pending(), httpx.ConnectError("away")):
    print(asyncio.run(reported(answer)))
"""


def test_a_crash_that_the_server_knows_of_is_not_reported_again() -> None:
    done = subprocess.run([sys.executable, "-c", REPORTED], cwd=ROOT, env=os.environ, capture_output=True, text=True)
    assert done.stdout.split() == ["0", "0", "137", "137", "137"], done.stderr


STARTED = """
import sys
from deployments import worker
from prefect.settings import PREFECT_WORKER_QUERY_SECONDS

async def start(self, **options):
    print("looks every", PREFECT_WORKER_QUERY_SECONDS.value())

worker.ProcessWorker.start = start
sys.argv = ["worker", "--pool", "cpu", "--limit", "1"]
worker.main()
"""


@pytest.mark.server
def test_a_worker_looks_for_work_more_often_than_prefects_own(workshop: Workshop) -> None:
    environment = {
        name: value for name, value in workshop.environment().items() if name != "PREFECT_WORKER_QUERY_SECONDS"
    }
    done = subprocess.run([sys.executable, "-c", STARTED], env=environment, cwd=ROOT, capture_output=True, text=True)
    assert "looks every 3.0\n" in done.stdout, done.stderr
