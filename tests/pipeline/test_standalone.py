"""What `dubline serve` starts beside its gateway."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from dubline.settings import settings
from tests.pipeline.workshop import ask
from tests.waiting import until

TIMEOUT_S = 120
BLOCK = "import sys; from dubline.standalone import _prefect\nwith _prefect(print): sys.stdin.read()"

pytestmark = pytest.mark.server


def online(api: str, pool: str) -> list[str]:
    """Names of the pool's workers; none while there is no such pool."""
    if pool not in {one["name"] for one in ask(api, "/work_pools/filter", {})}:
        return []
    found = ask(api, f"/work_pools/{pool}/workers/filter", {})
    return [worker["name"] for worker in found if worker["status"] == "ONLINE"]


def test_videos_and_services_have_a_worker_each_which_ends_with_it(prefect_server: str, tmp_path: Path) -> None:
    """It is started in a folder of which nothing may be imported."""
    for name in ("deployments", "flows", "prefect"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('somebody else wrote this')")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    serving = subprocess.Popen(
        [sys.executable, "-P", "-c", BLOCK], env=environment, cwd=tmp_path, stdin=subprocess.PIPE
    )
    try:
        names = {f"serve-{pool}-{serving.pid}" for pool in ("cpu", "service")}
        until(lambda: names <= {name for pool in ("cpu", "service") for name in online(prefect_server, pool)})
        workers = psutil.Process(serving.pid).children()
        limits = {one.cmdline()[one.cmdline().index("--pool") + 1]: one.cmdline()[-1] for one in workers}
        assert limits == {"cpu": str(settings().runs_at_once), "service": "6"}
        serving.communicate(timeout=TIMEOUT_S)
        assert serving.returncode == 0
        assert not any(worker.is_running() for worker in workers)
    finally:
        serving.kill()
        serving.wait(60)
