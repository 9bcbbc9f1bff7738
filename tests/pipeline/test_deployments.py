"""What `make deploy` sets up on a Prefect server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import httpx
import pytest
import yaml

from deployments.deploy import FLOWS, crash_zombies
from tasks.revive import QUARANTINED
from tests.pipeline.workshop import ROOT, Workshop, ask
from tests.waiting import until

TIMEOUT_S = 120
TOLD = {"automations": {"name": {"any_": ["tell-failures"]}}}
HOOK = """
import sys
from prefect.blocks.notifications import CustomWebhookNotificationBlock
told = {"text": "{{subject}}: {{body}}"}
CustomWebhookNotificationBlock(name="night-shift", url=sys.argv[1], json_data=told).save("night-shift")
"""
DEPLOYMENTS = {one["name"]: one for one in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]}


def deployed(api: str) -> dict[str, Any]:
    """Every deployment, without what the server notes by itself."""

    def lasting(value: Any) -> Any:
        if isinstance(value, dict):
            passing = {"updated", "last_polled", "status"}
            return {name: lasting(part) for name, part in value.items() if name not in passing}
        # Schedules come in the order of their last change.
        return sorted(map(lasting, value), key=str) if isinstance(value, list) else value

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
    paused = f"/deployments/{watching['id']}/schedules/{watching['schedules'][0]['id']}"
    ask(prefect_server, paused, {"active": False}, "PATCH")
    before = deployed(prefect_server)
    again = workshop.deploy()
    assert "created the" not in again and "changed the" not in again
    assert deployed(prefect_server) == before
    assert all(len(one["schedules"]) == len(DEPLOYMENTS[name].get("schedules", ())) for name, one in before.items())
    register = [sys.executable, "-m", "prefect", "block", "register", "-m", "blocks"]
    subprocess.run(register, env=workshop.environment(), cwd=ROOT, check=True, timeout=300)
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
    until(lambda: ask(prefect_server, "/flow_runs/filter", scheduled), left=lambda: "(the scheduler makes no runs)")


def deploying(**settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deployments.deploy"]
    return subprocess.run(
        command, env=os.environ | settings, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S
    )


@pytest.mark.parametrize(
    ("address", "code", "said"),
    [
        ("http://127.0.0.1:9/api", 10, "The Prefect server at http://127.0.0.1:9/api cannot be reached "),
        ("", 2, "No Prefect server is named; set PREFECT_API_URL"),
    ],
)
def test_a_server_that_is_not_there_is_told_in_a_sentence(address: str, code: int, said: str) -> None:
    done = deploying(PREFECT_API_URL=address)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(said) and done.stderr.count("\n") == 1


@pytest.mark.server
def test_what_operators_chose_stays_and_services_leave_the_videos_pool(workshop: Workshop) -> None:
    workshop.deploy()
    api = workshop.api
    limit, name = "/v2/concurrency_limits/gpu", {"automations": {"name": {"any_": ["crash-zombies"]}}}
    ask(api, limit, {"limit": 3}, "PATCH")
    automation = ask(api, "/automations/filter", name)[0]
    kept = {field: automation[field] for field in ("name", "trigger", "actions")}
    changed = {**kept, "enabled": False, "description": "Of an earlier version."}
    ask(api, f"/automations/{automation['id']}", changed, "PUT")
    # As it was before services had a pool of their own.
    ask(api, "/work_pools/cpu/queues", {"name": "service", "priority": 1})
    revive = ask(api, "/deployments/name/revive/revive")
    former = {"work_pool_name": "cpu", "work_queue_name": "service"}
    ask(api, f"/deployments/{revive['id']}", former, "PATCH")
    assert ask(api, "/deployments/name/revive/revive")["work_pool_name"] == "cpu"

    workshop.deploy()
    assert ask(api, "/v2/concurrency_limits/gpu")["limit"] == 3
    again = ask(api, "/automations/filter", name)[0]
    assert again["description"] == automation["description"]
    assert again["enabled"] is False
    ask(api, f"/automations/{automation['id']}", {"enabled": True}, "PATCH")
    ask(api, limit, {"limit": 1}, "PATCH")
    for service in ("revive", "housekeeping", "quality-report", "watch-folder", "reconcile-folder"):
        found = ask(api, f"/deployments/name/{service}/{service}")
        assert (found["work_pool_name"], found["work_queue_name"]) == ("service", "default")
    assert ask(api, "/deployments/name/translate-video/translate-video")["work_pool_name"] == "cpu"


@pytest.mark.server
def test_a_worker_gets_what_is_urgent_first_and_bulk_last(workshop: Workshop) -> None:
    workshop.deploy()
    api = workshop.api
    for pool, name in (("cpu", "translate-video"), ("gpu", "infer")):
        handed_out = f"/work_pools/{pool}/get_scheduled_flow_runs"
        submit = f"/deployments/{ask(api, f'/deployments/name/{name}/{name}')['id']}/create_flow_run"
        runs = {}
        for queue in ("bulk", "default", "urgent"):
            body = {"work_queue_name": queue, "enforce_parameter_schema": False}
            runs[ask(api, submit, body)["id"]] = queue
        order = [runs[run] for one in ask(api, handed_out, {}) if (run := one["flow_run"]["id"]) in runs]
        assert order == ["urgent", "default", "bulk"]
        (first,) = ask(api, handed_out, {"limit": 1})  # as for a worker with one place left
        assert runs.get(first["flow_run"]["id"]) == "urgent"
        for run in runs:
            ask(api, f"/flow_runs/{run}", method="DELETE")


Change = Callable[..., None]


@pytest.fixture
def change(workshop: Workshop) -> Iterator[Change]:
    """Changes a deployment, or one of its schedules, as an operator does. In the end all deployments are gone."""

    def changed(name: str, *schedule: str, **fields: Any) -> None:
        there = ask(workshop.api, f"/deployments/name/{name}/{name}")
        of = "".join(f"/schedules/{one['id']}" for one in there["schedules"] if one["slug"] in schedule)
        ask(workshop.api, f"/deployments/{there['id']}{of}", fields, "PATCH")

    yield changed
    for one in deployed(workshop.api).values():
        ask(workshop.api, f"/deployments/{one['id']}", method="DELETE")


@pytest.mark.server
def test_what_operators_changed_in_deployments_stays(workshop: Workshop, change: Change) -> None:
    workshop.deploy()
    fresh = deployed(workshop.api)
    env = {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30", "TOKEN": "{{ prefect.blocks.secret.token }}"}
    variables = {"env": env, "working_dir": "/media"}
    change("housekeeping", parameters={"retention_days": 365}, job_variables=variables, paused=True)
    change("translate-video", concurrency_limit=2, concurrency_options={"collision_strategy": "CANCEL_NEW"})
    change("revive", concurrency_options={"collision_strategy": "CANCEL_NEW", "grace_period_seconds": 90})
    change("watch-folder", "stay-up", active=False)
    change("reconcile-folder", "often", active=False)
    change("quality-report", "daily", active=False, parameters={"days": 2}, max_scheduled_runs=2)
    weekly = {"schedule": {"cron": "5 5 * * 1", "timezone": "Europe/Berlin"}, "parameters": {"retention_days": 7}}
    often = {"schedule": {"interval": 7200}, "active": False, "max_scheduled_runs": 3}
    for name in ("watch-folder", "translate-video", "housekeeping"):
        ask(workshop.api, f"/deployments/{fresh[name]['id']}/schedules", [weekly, often])
    before = deployed(workshop.api)
    same = {name for name in DEPLOYMENTS if before[name] == fresh[name]}
    assert same == {"infer"}

    workshop.deploy()
    again = deployed(workshop.api)
    for name in DEPLOYMENTS:
        assert again[name] == before[name]


@pytest.mark.server
def test_what_prefect_yaml_says_reaches_deployments_that_are_there(workshop: Workshop, change: Change) -> None:
    workshop.deploy()
    fresh = deployed(workshop.api)
    former = {
        "version": "0",
        "entrypoint": "flows.former.former",
        "description": "Of an earlier version.",
        "tags": ["former"],
        "pull_steps": [],
        "parameter_openapi_schema": {"type": "object", "properties": {"former": {"type": "string"}}},
        "work_pool_name": "gpu",
        "work_queue_name": "bulk",
        "job_variables": {"env": {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "7"}},
    }
    for name in DEPLOYMENTS:
        change(name, **former)
        gone = {"slug": "former", "schedule": {"interval": 60}}
        ask(workshop.api, f"/deployments/{fresh[name]['id']}/schedules", [gone])
    change("revive", concurrency_limit=9, concurrency_options={"collision_strategy": "ENQUEUE"})
    change("revive", "often", schedule={"interval": 3600, "timezone": "UTC"})
    (missing,) = fresh["watch-folder"]["schedules"]
    ask(workshop.api, f"/deployments/{missing['deployment_id']}/schedules/{missing['id']}", method="DELETE")

    workshop.deploy()
    again = deployed(workshop.api)
    again["watch-folder"]["schedules"][0] |= {name: missing[name] for name in ("id", "created")}
    for name in DEPLOYMENTS:
        assert again[name] == fresh[name]


@pytest.mark.server
def test_a_default_that_does_not_fit_the_flow_is_told_in_a_sentence(workshop: Workshop, change: Change) -> None:
    workshop.deploy()
    earlier = {"type": "object", "properties": {"retention_days": {"type": "string"}}}
    change("housekeeping", parameters={"retention_days": "a month"}, parameter_openapi_schema=earlier)
    done = deploying(PREFECT_API_URL=workshop.api)
    assert done.returncode == 1
    assert done.stderr.startswith("The deployment housekeeping cannot be brought up to date (")
    assert "a month" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.server
def test_another_prefect_yaml_changes_what_it_names_and_gives_every_schedule_a_slug(
    workshop: Workshop, change: Change
) -> None:
    workshop.deploy()
    change("housekeeping", parameters={"retention_days": 365}, concurrency_limit=3, paused=True)
    written = workshop.root / "prefect.yaml"
    command = [sys.executable, "-m", "deployments.prefect_deploy", "--prefect-file", str(written)]

    def deploy(**changed: Any) -> subprocess.CompletedProcess[str]:
        content = {"pull": [], "deployments": [DEPLOYMENTS["housekeeping"] | changed]}
        written.write_text(yaml.safe_dump(content), encoding="utf-8")
        return subprocess.run(
            command, env=workshop.environment(), cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S
        )

    schedules = [{"slug": "weekly", "cron": "5 5 * * 1", "active": False, "parameters": {"retention_days": 9}}]
    assert deploy(parameters={"retention_days": 60}, concurrency_limit=2, schedules=schedules).returncode == 0
    changed = deployed(workshop.api)["housekeeping"]
    assert changed["parameters"] == {"retention_days": 60}
    assert changed["global_concurrency_limit"]["limit"] == 2
    assert changed["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    assert changed["paused"]
    assert [(one["slug"], one["active"], one["parameters"]) for one in changed["schedules"]] == [
        ("weekly", False, {"retention_days": 9})
    ]
    refused = deploy(schedules=[{"cron": "5 5 * * 1"}])
    assert refused.returncode == 1
    assert refused.stderr.startswith("A schedule of housekeeping in prefect.yaml has no slug of its own")
    assert deploy(schedules=[]).returncode == 0
    assert deployed(workshop.api)["housekeeping"]["schedules"] == []


def test_the_automation_of_lost_runs_knows_our_flows_and_no_other_s() -> None:
    entries = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    places = [entry["entrypoint"].rpartition(".") for entry in entries]
    flows = {getattr(import_module(module), function).name for module, _, function in places}
    told = crash_zombies().trigger.match_related.model_dump()
    assert told == {"prefect.resource.role": "flow", "prefect.resource.name": [*FLOWS]}
    assert flows == set(FLOWS)


@pytest.mark.server
def test_who_is_told_of_failures_is_named_by_a_block(workshop: Workshop, hook: tuple[str, list[str]]) -> None:
    workshop.deploy()
    api, (address, heard) = workshop.api, hook
    kind = ask(api, "/block_types/slug/dubline-notification")
    schema = ask(api, "/block_schemas/filter", {"block_schemas": {"block_type_id": {"any_": [kind["id"]]}}})[0]
    data = {"channel": "custom-webhook/night-shift"}
    block = {"name": "dubline", "block_type_id": kind["id"], "block_schema_id": schema["id"], "data": data}
    notification = ask(api, "/block_documents/", block)["id"]
    try:
        ask(api, f"/deployments/{ask(api, '/deployments/name/revive/revive')['id']}", method="DELETE")
        missing = deploying(PREFECT_API_URL=api)
        assert missing.returncode == 2
        assert missing.stderr.startswith("Nobody is told of failures: ") and missing.stderr.count("\n") == 1
        assert "custom-webhook/night-shift" in missing.stderr
        assert ask(api, "/deployments/name/revive/revive"), "the rest is done"
        assert not ask(api, "/automations/filter", TOLD)

        subprocess.run([sys.executable, "-c", HOOK, address], env=workshop.environment(), check=True, timeout=TIMEOUT_S)
        assert "created the automation tell-failures" in workshop.deploy()
        deployment = ask(api, "/deployments/name/translate-video/translate-video")["id"]
        request = {"video": "/clip.mp4", "out": "/out", "languages": ["es"]}
        run = ask(api, f"/deployments/{deployment}/create_flow_run", {"parameters": {"request": request}})["id"]
        state = {"type": "FAILED", "name": QUARANTINED, "message": "It crashed three times."}
        their_flow = ask(api, "/flows/", {"name": "their-flow"})["id"]
        theirs = ask(api, "/deployments/", {"name": "translate-video", "flow_id": their_flow})["id"]
        failed = {"type": "FAILED", "name": "Failed", "message": "Another team's."}
        other = ask(api, f"/deployments/{theirs}/create_flow_run", {})["id"]
        ask(api, f"/flow_runs/{other}/set_state", {"state": failed, "force": True})
        ask(api, f"/flow_runs/{run}/set_state", {"state": state, "force": True})
        until(lambda: heard)
        assert QUARANTINED in heard[0] and "It crashed three times." in heard[0]
    finally:
        ask(api, f"/block_documents/{notification}", method="DELETE")
    assert "removed the automation tell-failures" in workshop.deploy()
    assert not ask(api, "/automations/filter", TOLD)


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
