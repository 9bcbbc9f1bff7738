"""Machines that share a bucket share finished work."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from tests.pipeline.workshop import Workshop, make_video
from tests.s3_server import S3Server

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("video") / "clip.mp4")


class Machine(Workshop):
    """A workshop with a home and an output of its own that keeps its artifacts in the bucket."""

    def __init__(self, root: Path, api: str, store: dict[str, str]) -> None:
        super().__init__(root, api)
        self.store = store
        root.mkdir()
        self.profile()

    def environment(self) -> dict[str, str]:
        return super().environment() | self.store


def published(machine: Workshop) -> dict[str, str]:
    """sha256 by name of all that does not speak of the run itself."""
    return {f["path"]: f["sha256"] for f in machine.manifest()["files"] if not f["role"].startswith("report")}


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, prefect_server: str, s3_server: S3Server, video: Path
) -> Machine:
    """A machine that has finished the video."""
    machine = Machine(tmp_path_factory.mktemp("first") / "m", prefect_server, s3_server.environment("shared"))
    done = machine.translate(video)
    assert done.returncode == 0, done.stderr
    assert machine.engine_calls()
    return machine


def test_another_machine_calls_no_engine_for_what_one_has_finished(
    finished: Machine, tmp_path: Path, video: Path
) -> None:
    assert not (finished.home / "artifacts").exists()
    assert not (finished.home / "checkpoints").exists()
    second = Machine(tmp_path / "second", finished.api, finished.store)
    done = second.translate(video)
    assert done.returncode == 0, done.stderr
    assert not second.engine_calls()
    assert set(second.finished_stages()) == {"ingest", "publish"}, "all else is Prefect's cache, from the bucket"
    assert published(second) == published(finished)


def test_a_damaged_object_costs_what_made_it(
    finished: Machine, s3_server: S3Server, tmp_path: Path, video: Path
) -> None:
    digest = finished.manifest()["dubs"][0]["lines"][0]["phrases"][0]["clip_sha256"]
    address = f"{finished.store['DUBLINE_STORE']}/artifacts/{digest[:2]}/{digest}.flac"
    s3_server.files.pipe_file(address, b"x" * s3_server.files.size(address))

    third = Machine(tmp_path / "third", finished.api, finished.store)
    refused = third.translate(video)
    assert refused.returncode == 10
    assert digest in refused.stderr
    assert third.translate(video).returncode == 0
    assert [call.split()[0] for call in third.engine_calls().elements()] == ["speech"]
    assert published(third) == published(finished)


def test_a_run_that_was_killed_goes_on_where_it_was_on_another_machine(
    finished: Machine, tmp_path: Path, s3_server: S3Server, video: Path
) -> None:
    store = s3_server.environment("moved")
    first, second = (Machine(tmp_path / name, finished.api, store) for name in ("first", "second"))
    assert first.translate(video, strike="synthesize-es@after").returncode == -9
    done = second.translate(video)
    assert done.returncode == 0, done.stderr
    assert not second.engine_calls(), "every engine had done its work before the kill"
    assert published(second) == published(finished)


def test_video_and_results_may_lie_in_a_bucket(
    tmp_path: Path, prefect_server: str, s3_server: S3Server, video: Path
) -> None:
    machine = Machine(tmp_path / "machine", prefect_server, s3_server.environment("both"))
    s3_server.files.put_file(str(video), f"{s3_server.bucket}/in/clip.mp4")
    there = [f"s3://{s3_server.bucket}/in/clip.mp4", "--out", f"s3://{s3_server.bucket}/done/clip"]
    basics = ["translate", *there, "--from", "en", "--to", "es", "--profile", "fake"]
    done = machine.run(*basics)
    assert done.returncode == 0, done.stderr
    assert f"s3://{s3_server.bucket}/done/clip/clip.es.mp4" in done.stdout
    manifest = json.loads(s3_server.files.cat_file(f"{s3_server.bucket}/done/clip/manifest.json"))
    for file in manifest["files"]:
        content = s3_server.files.cat_file(f"{s3_server.bucket}/done/clip/{file['path']}")
        assert sha256(content).hexdigest() == file["sha256"], file["path"]

    stages = machine.finished_stages()
    assert machine.run(*basics).returncode == 0
    assert machine.finished_stages() == stages, "the same request again is no run"


def test_machines_may_share_a_folder_instead(tmp_path: Path, prefect_server: str, video: Path) -> None:
    store = {"DUBLINE_STORE": str(tmp_path / "shared")}
    first, second = (Machine(tmp_path / name, prefect_server, store) for name in ("first", "second"))
    assert first.translate(video).returncode == 0
    assert not (first.home / "artifacts").exists()
    assert second.translate(video).returncode == 0
    assert not second.engine_calls()
    assert published(second) == published(first)
