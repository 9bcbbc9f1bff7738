"""What runs on schedules, on a worker as it would at night, and runs whose engines and store are named by blocks."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prefect.client.orchestration import PrefectClient

from flows.housekeeping import outputs_given_up
from tasks.report_on_runs import RunFacts, ended_runs
from tasks.revive import mark_lost
from tasks.runs import TRANSLATE
from tests.pipeline.workshop import ENGINES, ROOT, Workshop, ask

pytestmark = pytest.mark.server
BLOCKS = """
import json, sys
from blocks import EngineProfile, MediaStore
engines = {name: {"engine": f"tests.fakes:{kind}"} for name, kind in json.loads(sys.argv[1]).items()}
EngineProfile(summary="Fakes.", **engines).save("house", overwrite=True)
MediaStore(url=sys.argv[2]).save("shared", overwrite=True)
"""
QUEUE = "urgent"
"""Not the one in which the server puts what is due on its schedule."""
LONG_AGO_S = 40 * 86_400


def start(api: str, name: str, **parameters: Any) -> str:
    deployment = ask(api, f"/deployments/name/{name}/{name}")["id"]
    body = {"parameters": parameters, "work_queue_name": QUEUE, "idempotency_key": uuid4().hex}
    run: str = ask(api, f"/deployments/{deployment}/create_flow_run", body)["id"]
    return run


def finished(api: str, run: str) -> dict[str, str]:
    """The artifacts by key of a run that must end well, as they are shown."""
    deadline = time.monotonic() + 240
    while (state := ask(api, f"/flow_runs/{run}")["state"])["type"] != "COMPLETED":
        assert state["type"] not in ("FAILED", "CRASHED", "CANCELLED") and time.monotonic() < deadline, state
        time.sleep(0.5)
    shown = ask(api, "/artifacts/filter", {"flow_runs": {"id": {"any_": [run]}}})
    by_key = {artifact["key"]: str(artifact["data"]) for artifact in shown}
    assert len(by_key) == len(shown), "one of each"
    return by_key


def files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def age(folder: Path) -> None:
    """Nobody has used what is there for long."""
    then = time.time() - LONG_AGO_S
    for name in files(folder):
        os.utime(folder / name, (then, then))


def test_blocks_name_engines_and_store_and_at_night_it_is_looked_after(workshop: Workshop, video: Path) -> None:
    store, api = workshop.root / "store", workshop.api
    workshop.deploy()
    command = [sys.executable, "-c", BLOCKS, json.dumps(ENGINES), str(store)]
    subprocess.run(command, env=workshop.environment(), cwd=ROOT, check=True, timeout=120)
    queue, settings = ("--work-queue", QUEUE), {"DUBLINE_MEDIA_STORE": "shared", "DUBLINE_INFERENCE": "deployment"}
    ask(api, "/work_pools/service/queues", {"name": QUEUE})
    with (
        workshop.worker("cpu", *queue, **settings),
        workshop.worker("gpu", *queue, **settings),
        workshop.worker("service", *queue, **settings),
    ):
        basics = {"languages": ["es"], "source_language": "en", "profile": "house"}
        request = {"video": str(video), "out": str(workshop.out), **basics}
        run = start(api, "translate-video", request=request)
        shown = finished(api, run)
        assert set(shown) == {"progress", "files", "quality", "stages"}
        assert f"({(workshop.out / 'report.html').as_uri()})" in shown["files"]
        asked = ask(api, "/flow_runs/filter", {"flow_runs": {"parent_flow_run_id": {"any_": [run]}}})
        assert asked and {one["work_queue_name"] for one in asked} == {QUEUE}
        calls = workshop.engine_calls()
        again = finished(api, start(api, "translate-video", request=request))
        assert again == {"progress": "100", "files": shown["files"]} and workshop.engine_calls() == calls
        assert set(ask(api, f"/flow_runs/{run}")["tags"]) == {"dubline", "house", "es"}
        records, artifacts = files(store / "checkpoints"), files(store / "artifacts")
        assert records and artifacts and not (workshop.home / "artifacts").exists()

        report = start(api, "quality-report")
        page = finished(api, report)["quality-report-page"]
        assert ask(api, f"/flow_runs/{report}")["name"].startswith("quality-report ")
        (folder,) = (store / "quality").iterdir()
        assert (folder / "index.html").as_uri() in page
        assert video.name in (folder / "index.html").read_text()
        assert f"\n{video.name},es," in (folder / "dubs.csv").read_text()
        assert "onsets_on_time" in (folder / "data_docs.html").read_text()

        finished(api, start(api, "housekeeping"))
        assert (files(store / "checkpoints"), files(store / "artifacts")) == (records, artifacts), "they are in use"
        published = files(workshop.out)
        age(store)
        finished(api, start(api, "housekeeping"))
        assert files(store / "checkpoints") == {Path("expired", name) for name in records}
        mentioned = "".join((store / "checkpoints" / name).read_text() for name in files(store / "checkpoints"))
        kept = {name for name in artifacts if name.stem in mentioned}
        assert files(store / "artifacts") == kept != set(), "a run that began before may still need them"
        age(store)
        finished(api, start(api, "housekeeping"))
        assert not files(store / "checkpoints")
        finished(api, start(api, "housekeeping"))
        assert not files(store / "artifacts")
        assert files(workshop.out) == published


def test_inference_that_was_taken_and_never_started_is_lost(workshop: Workshop) -> None:
    workshop.deploy()
    parameters = {"calls": {"uri": "file:///nowhere", "sha256": "0" * 64, "size": 0}}
    taken, due = start(workshop.api, "infer", **parameters), start(workshop.api, "infer", **parameters)
    ask(workshop.api, f"/flow_runs/{taken}/set_state", {"state": {"type": "PENDING"}})

    async def looked() -> None:
        async with PrefectClient(workshop.api) as client:
            await mark_lost(client, starting_s=-60)  # the server tells its time to the second, and late when it is busy

    asyncio.run(looked())
    states = {run: ask(workshop.api, f"/flow_runs/{run}")["state"]["type"] for run in (taken, due)}
    assert states == {taken: "CRASHED", due: "SCHEDULED"}


def test_another_teams_deployments_of_our_names_are_not_ours(workshop: Workshop) -> None:
    api = workshop.api
    flow = ask(api, "/flows/", {"name": "their-flow"})["id"]
    runs = {}
    for name, state in (("infer", "RUNNING"), ("infer", "PENDING"), ("translate-video", "COMPLETED")):
        deployment = ask(api, "/deployments/", {"name": name, "flow_id": flow})["id"]
        runs[state] = ask(api, f"/deployments/{deployment}/create_flow_run", {})["id"]
        ask(api, f"/flow_runs/{runs[state]}/set_state", {"state": {"type": state}, "force": True})
    now = datetime.now(UTC)

    async def looked() -> list[RunFacts]:
        async with PrefectClient(api) as client:
            await mark_lost(client, silent_s=-60, starting_s=-60, sure_s=0)
            return await ended_runs(client, TRANSLATE, now - timedelta(hours=1), now + timedelta(hours=1))

    reported = {run.name for run in asyncio.run(looked())}
    assert {state: ask(api, f"/flow_runs/{run}")["state"]["type"] for state, run in runs.items()} == {
        s: s for s in runs
    }
    assert ask(api, f"/flow_runs/{runs['COMPLETED']}")["name"] not in reported


def test_whose_uploads_are_left_is_known_by_how_runs_ended(workshop: Workshop) -> None:
    workshop.deploy()
    for state in ("CANCELLED", "FAILED", "CRASHED", "COMPLETED", "RUNNING"):
        request = {"video": "/v.mp4", "languages": ["es"], "out": f"s3://bucket/{workshop.root.name}/{state}"}
        run = start(workshop.api, "translate-video", request=request)
        ask(workshop.api, f"/flow_runs/{run}/set_state", {"state": {"type": state}, "force": True})

    async def looked() -> set[str]:
        async with PrefectClient(workshop.api) as client:
            found = await outputs_given_up(client)
        return {out.name for out in found if out.startswith(f"s3://bucket/{workshop.root.name}/")}

    assert asyncio.run(looked()) == {"CANCELLED", "FAILED", "CRASHED"}
