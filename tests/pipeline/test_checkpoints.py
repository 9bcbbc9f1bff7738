"""Finished work is never done again: at the same request again, for another language, for a lost file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tasks.records import sealed
from tests.pipeline.workshop import Workshop

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, prefect_server: str, video: Path) -> Workshop:
    """A finished run. Whoever takes it apart has it put together again."""
    made = Workshop(tmp_path_factory.mktemp("finished"), prefect_server)
    made.profile()
    assert made.translate(video).returncode == 0
    return made


def published(workshop: Workshop) -> dict[str, str]:
    """sha256 by name of all that does not speak of the run itself."""
    return {f["path"]: f["sha256"] for f in workshop.manifest()["files"] if not f["role"].startswith("report")}


def test_the_same_request_again_calls_no_engine(finished: Workshop, video: Path) -> None:
    calls, stages = finished.engine_calls(), finished.finished_stages()
    assert calls
    again = finished.translate(video)
    assert again.returncode == 0
    assert "clip.es.mp4" in again.stdout
    assert finished.engine_calls() == calls
    assert finished.finished_stages() == stages


def test_results_that_are_gone_are_published_again_without_any_engine(finished: Workshop, video: Path) -> None:
    before, calls = published(finished), finished.engine_calls()
    shutil.rmtree(finished.out)
    assert finished.translate(video).returncode == 0
    assert published(finished) == before
    assert finished.engine_calls() == calls


def test_a_published_file_that_was_changed_is_put_right(finished: Workshop, video: Path) -> None:
    before = published(finished)
    (finished.out / "clip.es.srt").write_text("not what was published")
    assert finished.translate(video).returncode == 0
    assert published(finished) == before
    assert "not what" not in (finished.out / "clip.es.srt").read_text()


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_a_damaged_clip_costs_one_line(finished: Workshop, video: Path, damage: str) -> None:
    before, calls = published(finished), finished.engine_calls()
    digest = finished.manifest()["dubs"][0]["lines"][0]["phrases"][0]["clip_sha256"]
    artifact = finished.home / "artifacts" / digest[:2] / f"{digest}.flac"
    if damage == "gone":
        artifact.unlink()
    else:
        artifact.write_bytes(artifact.read_bytes()[:-1] + b"x")
    shutil.rmtree(finished.out)

    assert finished.translate(video).returncode == 0
    assert published(finished) == before
    more = finished.engine_calls() - calls
    assert sum(more.values()) == 1
    assert next(iter(more)).startswith("speech")


def test_a_record_of_another_shape_counts_as_none(finished: Workshop, video: Path) -> None:
    calls = finished.engine_calls()
    for record in (finished.home / "checkpoints" / "translate").glob("*/*"):
        content, _, _ = record.read_bytes().rpartition(b"\n")
        record.write_bytes(sealed(content.replace(b'\\"language\\"', b'\\"tongue\\"')))
    shutil.rmtree(finished.out)
    assert finished.translate(video).returncode == 0
    more = finished.engine_calls() - calls
    assert [call.split()[0] for call in more] == ["translation"]


def test_another_language_hears_nothing_again(finished: Workshop, video: Path) -> None:
    calls = finished.engine_calls()
    assert finished.translate(video, "--to", "fr").returncode == 0
    more = finished.engine_calls() - calls
    assert {call.split()[0] for call in more} == {"translation", "speech"}
    assert (finished.out / "clip.fr.mp4").exists()


def test_refresh_recomputes_from_a_stage_on_and_nothing_before(finished: Workshop, video: Path) -> None:
    calls = finished.engine_calls()
    assert finished.translate(video, "--refresh", "synthesize").returncode == 0
    more = finished.engine_calls() - calls
    assert {call.split()[0] for call in more} == {"speech"}
    assert sum(more.values()) == len(finished.manifest()["dubs"][0]["lines"])


def test_renaming_the_video_costs_no_engine(finished: Workshop, video: Path, tmp_path: Path) -> None:
    calls = finished.engine_calls()
    renamed = tmp_path / "other name.mp4"
    shutil.copy(video, renamed)
    assert finished.translate(renamed).returncode == 0
    assert (finished.out / "other name.es.mp4").exists()
    assert finished.engine_calls() == calls
