"""What `make deploy` sets up on a Prefect server."""

from __future__ import annotations

import subprocess
import sys
import time
from importlib import import_module
from typing import Any

import httpx
import pytest
import yaml

from tests.pipeline.workshop import ROOT, Workshop, ask

DEPLOYMENTS = {one["name"]: one for one in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]}


def deployed(api: str) -> dict[str, Any]:
    """Every deployment, without what the server notes by itself."""

    def lasting(value: Any) -> Any:
        if isinstance(value, dict):
            passing = {"updated", "last_polled", "status"}
            return {name: lasting(part) for name, part in value.items() if name not in passing}
        return [lasting(part) for part in value] if isinstance(value, list) else value

    return {name: lasting(ask(api, f"/deployments/name/{name}/{name}")) for name in DEPLOYMENTS}


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_deployment_names_a_flow_that_takes_its_parameters(name: str) -> None:
    module, _, attribute = DEPLOYMENTS[name]["entrypoint"].rpartition(".")
    flow = getattr(import_module(module), attribute)
    assert flow.name == name
    for schedule in DEPLOYMENTS[name].get("schedules", ()):
        flow.validate_parameters(schedule.get("parameters", {}))


@pytest.mark.server
def test_deploying_twice_changes_nothing_and_schedules_make_runs(workshop: Workshop) -> None:
    prefect_server = workshop.api
    workshop.deploy()
    watching = ask(prefect_server, "/deployments/name/watch-folder/watch-folder")
    paused = f"{prefect_server}/deployments/{watching['id']}/schedules/{watching['schedules'][0]['id']}"
    httpx.patch(paused, json={"active": False}, timeout=30).raise_for_status()
    before = deployed(prefect_server)
    again = workshop.deploy()
    assert "created the" not in again and "changed the" not in again
    assert deployed(prefect_server) == before
    assert all(len(one["schedules"]) == len(DEPLOYMENTS[name].get("schedules", ())) for name, one in before.items())
    register = [sys.executable, "-m", "prefect", "block", "register", "-m", "blocks"]
    subprocess.run(register, env=workshop.environment(), cwd=ROOT, check=True, timeout=60)
    assert {block["slug"] for block in ask(prefect_server, "/block_types/filter", {})} >= {
        "dubline-media-store",
        "dubline-engine-profile",
        "dubline-watch-folder",
        "dubline-notification",
    }
    assert len(ask(prefect_server, "/automations/filter", {})) == 1

    scheduled = {
        "deployments": {"name": {"any_": ["revive"]}},
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
    }
    deadline = time.monotonic() + 90
    while not ask(prefect_server, "/flow_runs/filter", scheduled):
        assert time.monotonic() < deadline, "the server's scheduler makes no runs"
        time.sleep(1)


GOOD = {"video": "/clip.mp4", "out": "/out", "languages": ["es"]}
WRONG = (
    ("languages", None),
    ("languages", "es"),
    ("languages", []),
    ("languages", ["Spanish"]),
    ("source_language", "english"),
    ("video", "clip.mp4"),
    ("video", "ftp://host/clip.mp4"),
    ("out", "out"),
    ("out", "s3://media"),
    ("out", "https://host/out"),
    ("loudness", 3),
    ("refresh", "nonsense"),
    ("colour", "red"),
)


@pytest.mark.server
def test_wrong_parameters_are_refused_when_a_run_is_asked_for(workshop: Workshop) -> None:
    workshop.deploy()
    deployment = ask(workshop.api, "/deployments/name/translate-video/translate-video")["id"]

    def asked(request: dict[str, Any]) -> None:
        body = {"parameters": {"request": request}, "state": {"type": "PAUSED"}}
        ask(workshop.api, f"/deployments/{deployment}/create_flow_run", body)

    for place in ("/a b/out", "s3://media/out/clip", "s3://media/out/clip/"):
        asked(GOOD | {"out": place, "refresh": "mux", "loudness": -16, "source_language": "zh-hant"})
    for video in ("s3://media/in/clip.mp4", "HTTPS://host/clip.mp4"):
        asked(GOOD | {"video": video})
    for name, value in WRONG:
        request = {key: kept for key, kept in (GOOD | {name: value}).items() if kept is not None}
        with pytest.raises(httpx.HTTPStatusError) as refused:
            asked(request)
        assert refused.value.response.status_code == 409, name
        assert name in refused.value.response.text or str(value) in refused.value.response.text
