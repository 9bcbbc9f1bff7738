"""The real stack: PostgreSQL, Redis, SeaweedFS, Prefect's server and services, and two workers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import s3fs

from infra.loopback import ROOT
from infra.stack import Stack
from tests.pipeline.workshop import ask

TIMEOUT_S = 120
GREETING = {
    "entrypoint": "tests/infra/greeting.py:greet",
    "pull_steps": [{"prefect.deployments.steps.set_working_directory": {"directory": str(ROOT)}}],
}

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack(workers=2) as started:
        yield started


def within(done: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + TIMEOUT_S
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


class Client:
    """Prefect's API, and the store, as an application on yet another machine sees them."""

    def __init__(self, stack: Stack) -> None:
        self.environment = stack.environment()
        keys = {"key": self.environment["AWS_ACCESS_KEY_ID"], "secret": self.environment["AWS_SECRET_ACCESS_KEY"]}
        self.s3 = s3fs.S3FileSystem(
            endpoint_url=self.environment["DUBLINE_S3_ENDPOINT"], use_listings_cache=False, **keys
        )

    def post(self, path: str, **body: object) -> dict:
        return ask(self.environment["PREFECT_API_URL"], path, body)

    def pool(self, name: str) -> None:
        try:
            self.post("/work_pools/", name=name, type="process")
        except httpx.HTTPStatusError as refused:  # its worker has made it
            assert refused.response.status_code == 409

    def deploy(self, pool: str) -> str:
        flow = self.post("/flows/", name="greet")
        return self.post("/deployments/", flow_id=flow["id"], work_pool_name=pool, name=f"on-{pool}", **GREETING)["id"]

    def submit(self, deployment: str, name: str) -> str:
        wanted = {"parameters": {"name": name}, "state": {"type": "SCHEDULED"}, "idempotency_key": name}
        return self.post(f"/deployments/{deployment}/create_flow_run", **wanted)["id"]

    def state(self, run: str) -> str:
        return ask(self.environment["PREFECT_API_URL"], f"/flow_runs/{run}")["state"]["name"]

    def reaches(self, run: str, name: str) -> bool:
        """Whether the run gets into the state of this name in time; a bad end stops the waiting."""
        within(lambda: self.state(run) in {name, "Failed", "Crashed"})
        return self.state(run) == name

    def event_is_recorded(self, run: str, name: str) -> bool:
        wanted = {"event": {"name": [name]}, "resource": {"id": [f"prefect.flow-run.{run}"]}}
        return within(lambda: self.post("/events/filter", filter=wanted)["total"] > 0)

    def greetings(self) -> dict[str, str]:
        folder = f"{self.environment['DUBLINE_STORE'].removeprefix('s3://')}/greetings"
        return {name.rpartition("/")[2]: self.s3.cat(name).decode() for name in self.s3.ls(folder)}


def test_the_ui_is_served_from_where_its_server_may_write(stack: Stack) -> None:
    """In the image Prefect's own folder belongs to root, and Prefect goes without a UI where it cannot copy it."""
    assert httpx.get(stack.url, follow_redirects=True).text.startswith("<!")
    assert {"v1", "v2"} <= {path.name for path in (stack.folder / "prefect-server" / "prefect-ui").iterdir()}


def test_work_goes_on_after_each_part_was_killed_and_started_again(stack: Stack) -> None:
    client = Client(stack)
    client.pool("cpu")
    client.pool("without-workers")
    deployment, waiting = client.deploy("cpu"), client.deploy("without-workers")
    before = client.submit(deployment, "before")
    assert client.reaches(before, "Completed")
    assert set(client.greetings()) == {"before"}

    for part in (stack.redis, stack.postgres, stack.s3, stack.server, stack.workers[0]):
        part.kill()
        assert not part.alive
        part.start()
        part.wait()
    assert all(part.alive for part in stack.processes), [part.name for part in stack.processes if not part.alive]

    assert client.state(before) == "Completed"
    late = client.submit(waiting, "nobody")
    after = client.submit(deployment, "after")
    assert client.reaches(after, "Completed")
    assert set(client.greetings()) == {"before", "after"}
    assert set(client.greetings().values()) <= {str(stack.folder / worker.name) for worker in stack.workers}
    # The services, which were not started again, have found their way back to Redis and PostgreSQL.
    assert client.event_is_recorded(after, "prefect.flow-run.Completed")
    assert client.reaches(late, "Late")


def test_the_store_is_closed_to_others(stack: Stack) -> None:
    answer = httpx.get(f"{stack.environment()['DUBLINE_S3_ENDPOINT']}/dubline")
    assert answer.status_code == 403


def test_a_client_s_command_sees_the_stack(stack: Stack) -> None:
    pools = stack.run("python", "-m", "prefect", "work-pool", "inspect", "cpu")
    assert "process" in pools


def test_a_missing_program_is_told_with_its_package(tmp_path: Path) -> None:
    for name in ("setpriv", "env"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    environment = os.environ | {"PATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "infra.stack"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 6
    assert done.stderr == "The program 'redis-server' is not installed; run: sudo apt-get install redis-server.\n"
