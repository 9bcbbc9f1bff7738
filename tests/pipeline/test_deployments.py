"""What `make deploy` sets up on a Prefect server."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from importlib import import_module
from typing import Any

import httpx
import pytest
import yaml

from tests.pipeline.workshop import ROOT

DEPLOYMENTS = {one["name"]: one for one in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]}


def deploy(api: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "deployments.deploy"],
        env=os.environ | {"PREFECT_API_URL": api},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def ask(api: str, path: str, body: Any = None) -> Any:
    answer = httpx.request("GET" if body is None else "POST", f"{api}{path}", json=body, timeout=30)
    answer.raise_for_status()
    return answer.json()


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_deployment_names_a_flow_that_takes_its_parameters(name: str) -> None:
    module, _, attribute = DEPLOYMENTS[name]["entrypoint"].rpartition(".")
    flow = getattr(import_module(module), attribute)
    assert flow.name == name
    for schedule in DEPLOYMENTS[name].get("schedules", ()):
        flow.validate_parameters(schedule.get("parameters", {}))


@pytest.mark.server
def test_deploying_twice_changes_nothing_and_schedules_make_runs(prefect_server: str) -> None:
    assert "created the work pool gpu" in deploy(prefect_server)
    before = {name: ask(prefect_server, f"/deployments/name/{name}/{name}") for name in DEPLOYMENTS}
    again = deploy(prefect_server)
    assert "created the" not in again and "changed the" not in again

    for name, deployed in before.items():
        after = ask(prefect_server, f"/deployments/name/{name}/{name}")
        ignored = {"updated", "last_polled", "status", "schedules"}
        assert {k: v for k, v in after.items() if k not in ignored} == {
            k: v for k, v in deployed.items() if k not in ignored
        }
        assert len(after["schedules"]) == len(DEPLOYMENTS[name].get("schedules", ()))
    assert {block["slug"] for block in ask(prefect_server, "/block_types/filter", {})} >= {
        "dubline-media-store",
        "dubline-engine-profile",
        "dubline-watch-folder",
        "dubline-notification",
    }
    assert len(ask(prefect_server, "/automations/filter", {})) == 1

    scheduled = {
        "deployments": {"name": {"any_": ["housekeeping"]}},
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
    }
    deadline = time.monotonic() + 90
    while not ask(prefect_server, "/flow_runs/filter", scheduled):
        assert time.monotonic() < deadline, "the server's scheduler makes no runs"
        time.sleep(1)


@pytest.mark.server
def test_wrong_parameters_are_refused_when_a_run_is_asked_for(prefect_server: str) -> None:
    deploy(prefect_server)
    deployment = ask(prefect_server, "/deployments/name/translate-video/translate-video")["id"]
    for request in ({"video": "/clip.mp4", "out": "/out"}, {"video": "/c.mp4", "out": "/o", "languages": "es"}):
        with pytest.raises(httpx.HTTPStatusError) as refused:
            ask(prefect_server, f"/deployments/{deployment}/create_flow_run", {"parameters": {"request": request}})
        assert refused.value.response.status_code == 409
        assert "languages" in refused.value.response.text
