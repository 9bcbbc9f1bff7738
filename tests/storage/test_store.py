"""Artifacts in local files and in S3 behave alike."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from dubline.settings import settings
from dubline.storage.artifacts import ArtifactStore, local_path
from dubline.storage.chosen import artifact_store, checkpoint_place, reap
from dubline.storage.places import DAY_S, Place, owner
from dubline.storage.results import ArtifactRef
from tests.s3_server import S3Server


@pytest.fixture
def store(place_kind: str) -> ArtifactStore:
    return artifact_store()


@pytest.fixture
def place(place_kind: str) -> Place:
    return checkpoint_place()


def key(ref: ArtifactRef) -> str:
    return f"{ref.sha256[:2]}/{Path(ref.uri).name}"


def test_what_was_adopted_is_read_back(store: ArtifactStore, place_kind: str) -> None:
    with store.workspace() as folder:
        path = folder / "sound.flac"
        path.write_bytes(b"sound")
        ref = store.adopt(path)
        assert not path.exists()
    assert ref.uri.startswith("s3://dubline/" if place_kind == "s3" else "file:///")
    assert ref.uri.endswith(f"/{ref.sha256[:2]}/{ref.sha256}.flac")
    assert local_path(ref).read_bytes() == b"sound"
    assert store.intact([ref])


def test_values_are_validated_when_read(store: ArtifactStore) -> None:
    ref = store.put_bytes(b"{}", ".json")
    assert store.load_value(store.put_value(ref), ArtifactRef) == ref
    with pytest.raises(ValueError, match="validation error"):
        store.load_value(ref, ArtifactRef)


def test_equal_content_is_one_artifact(store: ArtifactStore) -> None:
    assert store.put_bytes(b"same", ".txt") == store.put_bytes(b"same", ".txt")
    assert len(list(store.place.entries())) == 1


def test_an_artifact_that_is_gone_or_of_another_size_is_not_intact(store: ArtifactStore) -> None:
    ref, other = store.put_bytes(b"one", ".txt"), store.put_bytes(b"two", ".txt")
    assert store.intact([ref, other])
    store.place.write(key(ref), b"longer")
    assert not store.intact([ref, other])
    store.place.remove(key(ref))
    assert not store.intact([other, ref])
    assert store.intact([other])


def test_content_put_again_mends_what_is_damaged(store: ArtifactStore) -> None:
    ref = store.put_bytes(b"whole", ".txt")
    store.place.write(key(ref), b"half")
    assert store.put_bytes(b"whole", ".txt") == ref
    assert store.place.read(key(ref)) == b"whole"


def test_a_writer_that_fails_leaves_nothing(store: ArtifactStore) -> None:
    with pytest.raises(ZeroDivisionError), store.workspace() as folder:
        (folder / "half").write_bytes(b"half")
        raise ZeroDivisionError
    assert not list(store.place.entries())
    assert not list((store.root / "tmp").iterdir())


def test_only_workspaces_of_this_machine_s_dead_processes_are_cleared(store: ArtifactStore) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    machine, _, _ = owner().partition(".")
    names = [f"{machine}.{gone.pid}-a", f"elsewhere.{gone.pid}-b", f"{owner()}-c"]
    for name in names:
        (store.root / "tmp" / name).mkdir(parents=True)
    store.reap()
    assert sorted(path.name for path in (store.root / "tmp").iterdir()) == sorted(names[1:])


def test_a_run_that_begins_clears_its_machine_of_copies_that_nobody_uses(in_s3: S3Server) -> None:
    store = artifact_store()
    unused, used = store.put_bytes(b"unused", ".txt"), store.put_bytes(b"used", ".txt")
    os.utime(local_path(unused), (then := time.time() - 3 * DAY_S, then))
    reap()
    assert [path.name for path in settings().cache.rglob("*.txt")] == [Path(used.uri).name]
    assert local_path(unused).read_bytes() == b"unused"


def test_a_place_keeps_what_is_written(place: Place) -> None:
    assert place.stat("a/b/c") is None
    assert place.read("a/b/c") is None
    place.write("a/b/c", b"first")
    place.write("a/b/c", b"second")
    place.write("a/d", b"")
    place.touch("a/none")
    assert place.read("a/b/c") == b"second"
    assert {entry.key: entry.size for entry in place.entries()} == {"a/b/c": 6, "a/d": 0}
    place.remove("a/b/c")
    place.remove("a/b/c")
    assert [entry.key for entry in place.entries()] == ["a/d"]


def test_touching_makes_a_file_younger_and_changes_nothing(place: Place) -> None:
    place.write("a", b"content")
    before = place.stat("a")
    assert before is not None
    while (after := place.stat("a")) is not None and after.modified <= before.modified:
        time.sleep(0.1)  # S3 has whole seconds
        place.touch("a")
    assert place.read("a") == b"content"
