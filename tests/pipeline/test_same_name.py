"""Videos of one name: each has its results, in a folder of its own, and none takes another's place."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dubline import publication
from dubline.claims import CLAIM, Claim
from dubline.storage.artifacts import sha256_of
from tests import forked
from tests.pipeline.workshop import Workshop, ask, make_video

pytestmark = pytest.mark.server


@pytest.fixture
def videos(tmp_path: Path) -> list[Path]:
    """Two videos of one name, and a third with another ending."""
    made = []
    for folder, name, pitch in (("s01", "E01.mp4", 300), ("s02", "E01.mp4", 400), ("s03", "E01.mkv", 500)):
        (tmp_path / folder).mkdir()
        made.append(make_video(tmp_path / folder / name, "-f", "lavfi", "-i", f"sine=f={pitch}:d=2"))
    return made


def translated(workshop: Workshop, video: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """`dubline translate` in the workshop's folder, without --out."""
    asked = ["translate", str(video), "--from", "en", "--to", "es", "--profile", "fake", *more]
    done = forked.run(asked, workshop.environment(), folder=workshop.root)
    assert done.returncode == 0, done.stderr
    return done


def source_of(folder: Path) -> str:
    manifest = publication.read(folder)
    assert manifest and not (folder / CLAIM).exists()
    return manifest.source_sha256


def test_each_video_has_a_folder_of_its_own_and_keeps_it(workshop: Workshop, videos: list[Path]) -> None:
    folders = [workshop.root / "out" / name for name in ("E01", "E01-2", "E01-3")]
    told = [translated(workshop, videos[0]).stderr, translated(workshop, videos[1]).stderr]
    told += [translated(workshop, videos[2], "--to", "fr").stderr]
    assert [source_of(folder) for folder in folders] == list(map(sha256_of, videos))
    notes = [f"out/E01 is another video's; the results are in {folder}" for folder in folders]
    assert [note in said for note, said in zip(notes, told, strict=True)] == [False, True, True]
    runs = ask(workshop.api, "/flow_runs/filter", {"flow_runs": {"name": {"any_": [videos[2].name]}}})
    assert [set(run["tags"]) for run in runs] == [{"fake", "es", "fr"}]

    calls = workshop.engine_calls()
    translated(workshop, videos[1].rename(workshop.root / "E01.mp4"))
    assert workshop.engine_calls() == calls, "the same video again is no run"
    assert len(list((workshop.root / "out").iterdir())) == 3


def test_a_folder_that_was_named_and_has_another_video_s_results_is_refused(
    workshop: Workshop, videos: list[Path]
) -> None:
    assert workshop.translate(videos[0]).returncode == 0
    before = {path.name: path.stat().st_mtime_ns for path in workshop.out.iterdir()}
    for more in ((), ("--refresh", "mix")):
        refused = workshop.translate(videos[1], *more)
        assert refused.returncode == 2
        assert f"{workshop.out} has the results of another video, {videos[0]}; choose another folder" in refused.stderr
    assert {path.name: path.stat().st_mtime_ns for path in workshop.out.iterdir()} == before
    assert set(workshop.engine_calls().values()) == {1}


def test_a_folder_that_is_being_filled_or_was_left_half_is_its_video_s(workshop: Workshop, videos: list[Path]) -> None:
    default = workshop.root / "out" / "E01"
    default.mkdir(parents=True)
    left = Claim(source_sha256=sha256_of(videos[1]), source=str(videos[1]))
    (default / CLAIM).write_text(left.model_dump_json(), encoding="utf-8")
    translated(workshop, videos[0])
    translated(workshop, videos[1])
    assert source_of(default) == sha256_of(videos[1])
    assert source_of(default.with_name("E01-2")) == sha256_of(videos[0])


def test_a_request_that_fails_keeps_no_folder(workshop: Workshop, videos: list[Path]) -> None:
    asked = ["translate", str(videos[0]), "--to", "es", "--from", "en", "--profile", "fake", "--voice", "S9=bass"]
    assert forked.run(asked, workshop.environment(), folder=workshop.root).returncode == 2
    assert not (workshop.root / "out" / "E01" / CLAIM).exists()
