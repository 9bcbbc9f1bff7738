"""Results in a folder or in a bucket: finished when the manifest is there, and all that it names unchanged."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest

from dubline import outputs
from dubline.claims import CLAIM
from dubline.domain.errors import InvalidRequest, OutputUnavailable
from dubline.publication import Manifest
from dubline.settings import settings
from dubline.storage.locations import BucketFile
from dubline.storage.places import LocalPlace, Place
from dubline.storage.s3 import BucketPlace
from tests.s3_server import S3Server

MANIFEST = Manifest(
    key="asked",
    source="s",
    source_sha256="0",
    source_language=None,
    duration_ms=1,
    dubbed_track=None,
    dubs=(),
    files=(),
)


ANOTHER = MANIFEST.model_copy(update={"source_sha256": "1", "source": "/s02/E01.mp4"})


@pytest.fixture
def out(place_kind: str, tmp_path: Path) -> BucketFile | Path:
    return BucketFile(f"s3://dubline/{uuid4().hex}/out") if place_kind == "s3" else tmp_path / "out"


def fill(out: BucketFile | Path, manifest: Manifest = MANIFEST, **clips: str) -> None:
    with outputs.filled(out) as folder:
        folder.add("subtitles-srt", "a b.srt", manifest.source)
        for name, text in clips.items():
            folder.add("clip", f"clips/es/{name}.flac", text)
        folder.commit(manifest)


def place_of(out: BucketFile | Path) -> Place:
    return BucketPlace(out) if isinstance(out, BucketFile) else LocalPlace(out)


def test_what_was_published_is_in_place(out: BucketFile | Path) -> None:
    assert outputs.read(out) is None
    outputs.require_writable(out)
    fill(out, one="1", two="2")
    done = outputs.in_place(out, "asked")
    assert outputs.read(out)
    assert done is not None
    assert {file.path for file in done.files} == {"a b.srt", "clips/es/one.flac", "clips/es/two.flac"}
    assert outputs.in_place(out, "something else") is None
    held = {entry.key for entry in place_of(out).entries()}
    assert held == {file.path for file in done.files} | {"manifest.json"}


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_a_file_that_is_gone_or_was_changed_is_noticed(out: BucketFile | Path, damage: str) -> None:
    fill(out)
    time.sleep(1.1)  # S3 has whole seconds
    if damage == "gone":
        place_of(out).remove("a b.srt")
    else:
        place_of(out).write("a b.srt", b"other")
    assert outputs.in_place(out, "asked") is None


def test_clips_of_an_earlier_run_go(out: BucketFile | Path) -> None:
    fill(out, one="1", two="2")
    fill(out, two="2", three="3")
    clips = {entry.key for entry in place_of(out).entries() if entry.key.startswith("clips/")}
    assert clips == {"clips/es/two.flac", "clips/es/three.flac"}


def test_without_a_commit_nothing_is_published(out: BucketFile | Path) -> None:
    with pytest.raises(ZeroDivisionError), outputs.filled(out) as folder:
        folder.add("subtitles-srt", "a b.srt", "text")
        raise ZeroDivisionError
    assert not list(place_of(out).entries())
    assert not list((settings().cache / "tmp").glob("*"))


def test_a_bucket_that_is_not_there_is_told_before_any_work(in_s3: S3Server) -> None:
    with pytest.raises(OutputUnavailable, match="no bucket"):
        outputs.require_writable(BucketFile("s3://no-such-bucket/out"))


def content(out: BucketFile | Path) -> dict[str, bytes | None]:
    place = place_of(out)
    return {entry.key: place.read(entry.key) for entry in place.entries()}


def test_another_video_s_results_are_never_replaced_or_mixed(out: BucketFile | Path) -> None:
    fill(out, ANOTHER, one="1")
    before = content(out)
    with pytest.raises(InvalidRequest, match=r"has the results of another video, /s02/E01\.mp4; choose another"):
        outputs.require_own(out, MANIFEST.claim)
    with pytest.raises(InvalidRequest, match=r"of another video, /s02/E01\.mp4"):
        fill(out, two="2")
    assert content(out) == before
    fill(out, ANOTHER, three="3")
    assert outputs.in_place(out, "asked")


def test_what_a_killed_run_left_half_is_its_video_s(out: BucketFile | Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException): ...

    def kill(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr("dubline.outputs._put" if isinstance(out, BucketFile) else "pathlib.Path.replace", kill)
        fill(out, ANOTHER)
    assert outputs.held(out) and CLAIM in content(out)
    with pytest.raises(InvalidRequest, match=r"is being filled, or was by a run that was killed, .* /s02/E01\.mp4"):
        fill(out)
    fill(out, ANOTHER)
    assert CLAIM not in content(out)


def put(out: BucketFile | Path, at_once: Any, number: int) -> bool:
    """Whether this one of several videos got the folder."""
    mine = MANIFEST.model_copy(update={"source_sha256": str(number), "source": f"/{number}.mp4"})
    at_once.wait()
    with suppress(InvalidRequest):
        fill(out, mine, **{f"clip{number}": "x"})
        return True
    return False


def test_of_videos_at_the_same_moment_one_gets_the_folder(out: BucketFile | Path) -> None:
    """In a folder of this machine what a process puts there bears its name: they are processes."""
    count = 6
    if isinstance(out, Path):
        fork = get_context("fork")
        with fork.Manager() as shared, ProcessPoolExecutor(count, fork) as pool:
            got = list(pool.map(partial(put, out, shared.Barrier(count)), range(count)))
    else:
        with ThreadPoolExecutor(count) as pool:
            got = list(pool.map(partial(put, out, Barrier(count)), range(count)))
    winner = got.index(True)
    assert sum(got) == 1
    found = content(out)
    assert set(found) == {"a b.srt", f"clips/es/clip{winner}.flac", "manifest.json"}
    assert found["a b.srt"] == f"/{winner}.mp4".encode()


def test_a_session_s_folder_takes_whatever_its_video_holds_by_now(tmp_path: Path) -> None:
    fill(tmp_path, ANOTHER)
    with outputs.filled(tmp_path, of_one_video=False) as folder:
        folder.commit(MANIFEST)
    assert outputs.read(tmp_path).source == "s"
