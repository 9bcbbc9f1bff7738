"""What is live stays; what nobody used for long goes, whenever a collection is killed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from dubline.domain.errors import InvalidRequest
from dubline.domain.mending import Mends
from dubline.settings import settings
from dubline.storage.artifacts import ArtifactStore, local_path
from dubline.storage.chosen import artifact_store, checkpoint_place, keep
from dubline.storage.collection import EXPIRED, MIN_GRACE_S, collect
from dubline.storage.places import DAY_S, Entry, LocalPlace, Place, keep_young
from dubline.storage.results import ArtifactRef
from tasks import mend
from tests.s3_server import S3Server

RETENTION_S = 30 * DAY_S
GRACE_S = MIN_GRACE_S


def ref_of(number: int) -> ArtifactRef:
    content = str(number).encode()
    return ArtifactRef(uri="file:///x", sha256=sha256(content).hexdigest(), size=len(content))


def key_of(ref: ArtifactRef) -> str:
    return f"{ref.sha256[:2]}/{ref.sha256}.flac"


@dataclass(frozen=True)
class World:
    """Records and artifacts by number, each with its age in days."""

    records: dict[int, tuple[float, tuple[int, ...]]]
    """Record -> age, and artifacts that it refers to."""
    artifacts: dict[int, float]

    def build(self, root: Path, now: float) -> tuple[ArtifactStore, LocalPlace]:
        store, records = ArtifactStore(root / "artifacts"), LocalPlace(root / "checkpoints")
        for number, age in self.artifacts.items():
            put(store.place, store.root, key_of(ref_of(number)), str(number).encode(), now - age * DAY_S)
        for number, (age, refs) in self.records.items():
            content = " ".join(ref_of(n).model_dump_json() for n in refs).encode()
            put(records, records.root, f"stage/{number}", content, now - age * DAY_S)
        return store, records

    def needed(self) -> set[int]:
        """Artifacts that a collection must leave."""
        held = {n for age, refs in self.records.values() if self.stays(age) for n in refs}
        young = {n for n, age in self.artifacts.items() if age * DAY_S <= GRACE_S}
        return (held | young) & set(self.artifacts)

    def stays(self, age: float) -> bool:
        return age * DAY_S <= RETENTION_S


def put(place: Place, root: Path, key: str, content: bytes, modified: float) -> None:
    place.write(key, content)
    os.utime(root / key, (modified, modified))


AGES = st.sampled_from([0.0, 1.0, 3.0, 29.0, 31.0, 400.0])
NUMBERS = st.integers(0, 5)
WORLDS = st.builds(
    World,
    records=st.dictionaries(NUMBERS, st.tuples(AGES, st.lists(NUMBERS, max_size=4).map(tuple))),
    artifacts=st.dictionaries(NUMBERS, AGES),
)


class Killed(Exception):
    pass


class Mortal(LocalPlace):
    """A place that dies at its nth change."""

    lives = 0

    def write(self, key: str, content: bytes) -> None:
        self.step()
        super().write(key, content)

    def remove(self, key: str) -> None:
        self.step()
        super().remove(key)

    def step(self) -> None:
        if Mortal.lives == 0:
            raise Killed
        Mortal.lives -= 1


def assert_live_is_there(world: World, store: ArtifactStore, records: Place) -> None:
    for number in world.needed():
        assert store.place.stat(key_of(ref_of(number))), f"artifact {number} is gone"
    for number, (age, _) in world.records.items():
        assert (records.stat(f"stage/{number}") is not None) == world.stays(age)


@effort(max_examples=150)
@given(world=WORLDS, lives=st.integers(0, 12))
def test_what_is_live_stays_wherever_a_collection_is_killed(world: World, lives: int) -> None:
    now = time.time()
    with TemporaryDirectory() as folder:
        store, records = world.build(Path(folder), now)
        dying = ArtifactStore(store.root)
        dying.place = Mortal(store.root)
        Mortal.lives = lives
        try:
            collect(dying, Mortal(records.root), retention_s=RETENTION_S, now=now)
        except Killed:
            for number in world.needed():
                assert store.place.stat(key_of(ref_of(number))), f"artifact {number} is gone"
        collect(store, records, retention_s=RETENTION_S, now=now)
        assert_live_is_there(world, store, records)
        # What had expired was put aside; one grace period later nothing of it is left, and the live is there still.
        aged = World(world.records, dict.fromkeys(world.artifacts, 99.0))
        for path in [*store.root.rglob("*.flac"), *(records.root / EXPIRED).rglob("*")]:
            os.utime(path, (now - 99 * DAY_S,) * 2)
        collect(store, records, retention_s=RETENTION_S, now=now)
        assert_live_is_there(aged, store, records)
        left = {entry.key for entry in store.place.entries()}
        assert left == {key_of(ref_of(number)) for number in aged.needed()}
        assert not [entry for entry in records.entries() if entry.key.startswith(EXPIRED)]


@pytest.fixture
def store(place_kind: str) -> ArtifactStore:
    return artifact_store()


@pytest.fixture
def records(place_kind: str) -> Place:
    return checkpoint_place()


def later(days: float) -> float:
    return time.time() + days * DAY_S


def test_a_checkpoint_nobody_used_goes_and_its_artifact_a_grace_period_later(
    store: ArtifactStore, records: Place
) -> None:
    ref = store.put_bytes(b"sound", ".flac")
    records.write("mix/ab/abcd", ref.model_dump_json().encode())

    first = collect(store, records, retention_s=RETENTION_S, now=later(29))
    assert (first.expired_records, first.removed_artifacts, first.kept_artifacts, first.kept_bytes) == (0, 0, 1, 5)

    second = collect(store, records, retention_s=RETENTION_S, now=later(31))
    assert (second.expired_records, second.removed_artifacts) == (1, 0)
    assert records.stat("mix/ab/abcd") is None
    assert store.intact([ref]), "a run that believed the record may be at work still"

    third = collect(store, records, retention_s=RETENTION_S, now=later(34))
    assert (third.expired_records, third.removed_artifacts, third.removed_bytes) == (0, 1, 5)
    assert not store.intact([ref])
    assert not list(records.entries())
    assert collect(store, records, retention_s=RETENTION_S, now=later(34)).removed_artifacts == 0


def test_an_artifact_without_a_record_goes_once_it_is_old(store: ArtifactStore, records: Place) -> None:
    store.put_bytes(b"sound", ".flac")
    store.place.write("notes/readme.txt", b"not ours")
    assert collect(store, records, retention_s=RETENTION_S, now=later(1)).removed_artifacts == 0
    assert collect(store, records, retention_s=RETENTION_S, now=later(3)).removed_artifacts == 1
    assert [entry.key for entry in store.place.entries()] == ["notes/readme.txt"]


def test_what_a_waiting_run_needs_is_kept_as_long_as_a_record(
    store: ArtifactStore, records: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mend, "artifacts", lambda: store)
    calls = store.put_bytes(b"{}", ".json")
    keep(calls)
    edits = mend.stored(Mends()).artifact
    for days in (3, 29):
        assert collect(store, records, retention_s=RETENTION_S, now=later(days)).removed_artifacts == 0
    assert store.intact([calls, edits])
    for days in (31, 34):
        collect(store, records, retention_s=RETENTION_S, now=later(days))
    assert not list(store.place.entries()) and not list(records.entries())


class Slow(LocalPlace):
    """A listing after which somebody else writes."""

    def entries(self) -> Iterator[Entry]:
        listed = list(super().entries())
        for entry in listed:
            os.utime(self.root / entry.key)
        yield from listed


def test_an_artifact_written_again_after_the_listing_stays(tmp_path: Path) -> None:
    store, records = ArtifactStore(tmp_path / "artifacts"), LocalPlace(tmp_path / "checkpoints")
    ref = store.put_bytes(b"sound", ".flac")
    os.utime(local_path(ref), (0, 0))
    store.place = Slow(store.root)
    assert collect(store, records, retention_s=RETENTION_S).removed_artifacts == 0
    assert store.intact([ref])


class PutAside(LocalPlace):
    """Records that another collection puts aside after this one has listed them."""

    def entries(self) -> Iterator[Entry]:
        listed = list(super().entries())
        for entry in listed:
            self.write(EXPIRED + entry.key, (self.root / entry.key).read_bytes())
            self.remove(entry.key)
        yield from listed


def test_what_another_collection_put_aside_meanwhile_is_still_mentioned(tmp_path: Path) -> None:
    store, records = ArtifactStore(tmp_path / "artifacts"), PutAside(tmp_path / "checkpoints")
    ref = store.put_bytes(b"sound", ".flac")
    os.utime(local_path(ref), (0, 0))
    records.write("mix", ref.model_dump_json().encode())
    assert collect(store, records, retention_s=RETENTION_S).removed_artifacts == 0
    assert store.intact([ref])


def test_use_is_noted_once_a_day(tmp_path: Path) -> None:
    records = LocalPlace(tmp_path)
    for age_s, noted in ((DAY_S - 60, False), (DAY_S + 60, True)):
        put(records, tmp_path, "a", b"", time.time() - age_s)
        before = records.stat("a")
        keep_young(records, "a")
        assert (records.stat("a") != before) == noted
    keep_young(records, "none")


def test_a_grace_period_shorter_than_use_is_noted_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="too short"):
        collect(ArtifactStore(tmp_path), LocalPlace(tmp_path), retention_s=RETENTION_S, grace_s=DAY_S)


def test_copies_go_once_they_are_old(in_s3: S3Server) -> None:
    store, records = artifact_store(), checkpoint_place()
    ref = store.put_bytes(b"sound", ".flac")
    records.write("mix/ab/abcd", ref.model_dump_json().encode())
    assert collect(store, records, retention_s=RETENTION_S, now=later(1)).trimmed_copies == 0
    done = collect(store, records, retention_s=RETENTION_S, now=later(3))
    assert (done.trimmed_copies, done.trimmed_bytes) == (1, 5)
    assert not list(settings().cache.glob("*/*.flac"))
    assert local_path(ref).read_bytes() == b"sound", "it is read again where it is needed"
