"""Artifacts in local files and in S3 behave alike."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dubline.settings import settings
from dubline.storage import sealed
from dubline.storage.artifacts import ArtifactStore, local_path
from dubline.storage.chosen import abandon, artifact_store, checkpoint_place, clear_store, reap, scratch, show_life
from dubline.storage.places import DAY_S, LocalPlace, Place, owner
from dubline.storage.results import ArtifactRef
from dubline.storage.sealed import SealedPlace
from dubline.storage.seals import Seal
from tests.s3_server import S3Server

ELSEWHERE = "0a1b2c3d.1.1"
"""A process of another machine."""


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
    machine, number, began = owner().split(".")
    dead = {f"{machine}.{gone()}-a", f"{machine}.{number}.{int(began) - 1}-b"}
    other = {f"{ELSEWHERE}-c", f"{owner()}-d"}
    for name in dead | other:
        (store.root / "tmp" / name).mkdir(parents=True)
    os.utime(store.root / "tmp" / f"{owner()}-d", (0, 0))  # it may wait for a GPU for days
    reap()
    assert {path.name for path in (store.root / "tmp").iterdir()} == other


@pytest.fixture
def sealed_session(settle: None) -> Iterator[SealedPlace]:
    """This process works for a session whose files are sealed."""
    key = b"0" * 32
    place = SealedPlace(LocalPlace(settings().home / "sessions/acme/one"), "", Seal("one", key))
    sealed.use(place)
    yield place
    sealed.use(None)


def test_what_was_half_written_goes_wherever_it_was_written(place_kind: str) -> None:
    for root in {artifact_store().root, settings().cache, *local_roots(checkpoint_place())}:
        left = [root / "tmp" / f"{owner().split('.')[0]}.{gone()}-a", root / "tmp" / f"{owner()}-b"]
        for folder in left:
            folder.mkdir(parents=True)
        reap()
        assert [folder.exists() for folder in left] == [False, True], root
        abandon()
        assert not left[1].exists()


def test_what_a_sealed_session_s_run_left_goes(sealed_session: SealedPlace) -> None:
    folder = settings().home / "sessions/acme/one/tmp"
    for clear in (reap, lambda: clear_store(0, ())):
        (folder / f"{owner().split('.')[0]}.{gone()}-a").mkdir(parents=True)
        clear()
        assert not list(folder.iterdir())
    (folder / f"{owner()}-b").mkdir()
    clear_store(0, ())
    assert list(folder.iterdir()), "it is at work"
    abandon()
    assert not list(folder.iterdir())


def test_old_workspaces_of_machines_that_are_no_more_go(place_kind: str) -> None:
    """Such as this one's, before its container was made anew and got another name."""
    for root in {artifact_store().root, settings().cache, scratch().root, *local_roots(checkpoint_place())}:
        folder = root / "tmp" / f"{ELSEWHERE}-a"
        (folder / "deep").mkdir(parents=True)
        (folder / "deep/half").write_bytes(b"half")
        age(folder, folder / "deep")
        reap()
        assert folder.exists(), "something in it is young"
        age(folder / "deep/half")
        reap()
        assert not folder.exists(), root


def test_what_a_sealed_run_has_opened_is_not_old_while_it_shows_life(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = scratch().root / "tmp" / f"{ELSEWHERE}-waiting"
    opened.mkdir(parents=True)
    age(opened)
    monkeypatch.setenv("DUBLINE_SCRATCH", str(opened))
    settings.cache_clear()
    show_life()
    monkeypatch.delenv("DUBLINE_SCRATCH")
    settings.cache_clear()
    reap()
    assert opened.exists()


def age(*paths: Path) -> None:
    """Nobody has written there for three days."""
    then = time.time() - 3 * DAY_S
    for path in paths:
        os.utime(path, (then, then))


def test_workspaces_may_vanish_while_others_are_cleared(tmp_path: Path) -> None:
    """Other processes begin and end at any moment."""
    place, busy = LocalPlace(tmp_path), threading.Event()

    def work(number: int) -> None:
        folder = tmp_path / "tmp" / f"{ELSEWHERE}-{number}"
        while not busy.is_set():
            (folder / "deep/er").mkdir(parents=True)
            shutil.rmtree(folder)

    working = [threading.Thread(target=work, args=[number]) for number in range(3)]
    for thread in working:
        thread.start()
    try:
        for _ in range(300):
            place.reap()
    finally:
        busy.set()
        for thread in working:
            thread.join()


def gone() -> str:
    """A process of this machine that is no more."""
    process = subprocess.Popen(["true"])
    began = Path(f"/proc/{process.pid}/stat").read_text().split()[21]
    process.wait()
    return f"{process.pid}.{began}"


def local_roots(place: Place) -> list[Path]:
    return [place.root] if isinstance(place, LocalPlace) else []


def test_what_was_written_survives_a_loss_of_power(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its content and every name on the way to it are told to the disk."""
    synced: list[Path] = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(Path(f"/proc/self/fd/{file}").readlink()))
    LocalPlace(tmp_path).write("mix/ab/record", b"content")
    ref = ArtifactStore(tmp_path).put_bytes(b"content", ".txt")
    folders = ["", "mix", "mix/ab", ref.sha256[:2]]
    assert {tmp_path / folder for folder in folders} <= set(synced)
    assert [path.name for path in synced if path.is_relative_to(tmp_path / "tmp")] == ["content", "content.txt"]


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
