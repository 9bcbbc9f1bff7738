"""Results in a folder or in a bucket: finished when the manifest is there, and all that it names unchanged."""

from __future__ import annotations

import time
from pathlib import Path
from uuid import uuid4

import pytest

from dubline import outputs
from dubline.domain.errors import OutputUnavailable
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


@pytest.fixture
def out(place_kind: str, tmp_path: Path) -> BucketFile | Path:
    return BucketFile(f"s3://dubline/{uuid4().hex}/out") if place_kind == "s3" else tmp_path / "out"


def fill(out: BucketFile | Path, **clips: str) -> None:
    with outputs.filled(out) as folder:
        folder.add("subtitles-srt", "a b.srt", "text")
        for name, text in clips.items():
            folder.add("clip", f"clips/es/{name}.flac", text)
        folder.commit(MANIFEST)


def place_of(out: BucketFile | Path) -> Place:
    return BucketPlace(out) if isinstance(out, BucketFile) else LocalPlace(out)


def test_what_was_published_is_in_place(out: BucketFile | Path) -> None:
    assert not outputs.exists(out)
    outputs.require_writable(out)
    fill(out, one="1", two="2")
    done = outputs.in_place(out, "asked")
    assert outputs.exists(out)
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
