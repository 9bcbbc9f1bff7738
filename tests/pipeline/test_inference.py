"""Inference on the GPU work pool: other processes compute, the run goes on from their checkpoints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dubline.domain.errors import ServiceUnavailable
from tests.pipeline.workshop import Workshop, ask

pytestmark = pytest.mark.server
INFERENCE = {"asr", "diarization", "separation", "translation", "speech"}


@pytest.fixture
def gpu_worker(workshop: Workshop) -> Iterator[int]:
    """A worker of the pool `gpu`; its process id."""
    workshop.deploy()
    with workshop.worker("gpu") as process:
        yield process


def test_models_work_in_runs_of_their_own_and_the_result_is_the_same(
    workshop: Workshop, video: Path, tmp_path: Path, gpu_worker: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    inline = Workshop(tmp_path / "inline", workshop.api)
    inline.root.mkdir()
    inline.profile()
    glossary = tmp_path / "terms.yaml"
    glossary.write_text("evening: {es: quetzalcoatlus}\n")
    assert inline.translate(video, "--glossary", str(glossary)).returncode == 0

    monkeypatch.setenv("DUBLINE_INFERENCE", "deployment")
    result = workshop.translate(video, "--glossary", str(glossary))
    assert result.returncode == 0, result.stderr
    events = [json.loads(line) for line in workshop.ledger.read_text(encoding="utf-8").splitlines()]
    mine = next(event["pid"] for event in events if event.get("stage") == "extract-audio")
    calls = [event for event in events if event["event"] == "engine"]
    assert {call["capability"] for call in calls} == INFERENCE
    assert mine not in {call["pid"] for call in calls}
    heard = {call["pid"] for call in calls if call["capability"] in ("asr", "diarization", "separation")}
    assert len(heard) == 1, "stages that are asked for together are one run"
    assert workshop.engine_calls() == inline.engine_calls()
    files = [
        {file["path"]: file["sha256"] for file in one.manifest()["files"] if not file["role"].startswith("report")}
        for one in (inline, workshop)
    ]
    assert files[0] == files[1]

    edits = workshop.root / "edits.yaml"
    edits.write_text("- {segment: 0002, source_text: Who is that}\n")
    result = workshop.translate(video, "--glossary", str(glossary), "--edits", str(edits))
    assert result.returncode == 0, result.stderr
    events = [json.loads(line) for line in workshop.ledger.read_text(encoding="utf-8").splitlines()][len(events) :]
    edited = {event["capability"]: event["pid"] for event in events if event["event"] == "engine"}
    mine = next(event["pid"] for event in events if event.get("stage") == "mend-source")
    assert set(edited) == {"translation", "speech"}
    assert mine not in edited.values()
    runs = ask(workshop.api, "/flow_runs/filter", {"flows": {"name": {"any_": ["infer"]}}})
    assert any("speak-again" in run["name"] for run in runs)
    for text in ("Who is that", "quetzalcoatlus"):
        assert text not in json.dumps(runs), "parameters hold no text"


def test_a_gpu_limit_that_is_missing_is_said_and_nothing_is_computed(
    workshop: Workshop, video: Path, gpu_worker: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(workshop.api, "/v2/concurrency_limits/gpu", method="DELETE")
    monkeypatch.setenv("DUBLINE_INFERENCE", "deployment")
    result = workshop.translate(video)
    assert result.returncode == ServiceUnavailable.exit_code, result.stderr
    assert "no limit 'gpu'" in result.stderr
    assert not workshop.engine_calls()
