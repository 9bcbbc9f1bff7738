"""What DUBLINE_STORE chose: where this process keeps artifacts and checkpoints.

A sealed session has artifacts and checkpoints of its own, among its files, so nothing of it is found by another.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from dubline.settings import settings
from dubline.storage import sealed
from dubline.storage.artifacts import ArtifactStore
from dubline.storage.collection import MIN_GRACE_S
from dubline.storage.locations import BucketFile
from dubline.storage.places import LocalPlace, Place
from dubline.storage.results import ArtifactRef


def artifact_store() -> ArtifactStore:
    """Artifacts below DUBLINE_HOME or in another folder, or in S3 or sealed with copies below DUBLINE_HOME."""
    own = sealed.used()
    if own is None and not settings().in_bucket:
        return ArtifactStore(settings().artifacts, copies=settings().cache)
    from dubline.storage.remote_artifacts import RemoteArtifacts

    if own:
        return RemoteArtifacts(own.below("artifacts"), settings().cache)
    from dubline.storage.s3 import BucketPlace  # s3fs takes a second to import

    return RemoteArtifacts(BucketPlace(f"{settings().bucket}/artifacts"), settings().cache)


def checkpoint_place() -> Place:
    """The records of finished stages."""
    if own := sealed.used():
        return own.below("checkpoints")
    if not settings().in_bucket:
        return LocalPlace(settings().checkpoints)
    from dubline.storage.s3 import BucketPlace

    return BucketPlace(f"{settings().bucket}/checkpoints")


def keep(ref: ArtifactRef) -> None:
    """Have an artifact that is no stage's result, but some run's input, kept as if a stage's record mentioned it.

    A run may wait for a GPU for days, and an artifact that no record mentions is gone by then.
    """
    checkpoint_place().write(f"kept/{ref.sha256[:2]}/{ref.sha256}", ref.model_dump_json().encode())


def shared(folder: str) -> BucketFile | Path:
    """A folder beside the artifacts, for what people of all machines are to read."""
    return BucketFile(settings().bucket) / folder if settings().in_bucket else settings().shared_folder / folder


def scratch() -> LocalPlace:
    """Where runs of sealed sessions have their opened copies, each in a workspace of its own."""
    return LocalPlace(settings().home / "scratch")


def show_life() -> None:
    """Told now and then by a run: what a sealed one has opened looks forsaken to other machines when nothing moves."""
    if opened := settings().scratch:
        os.utime(opened)


def reap() -> None:
    """Remove what killed processes left in working folders, and copies that were not used for days.

    Every machine does so itself, as runs begin there: housekeeping comes to one of them.
    """
    for place in (*_working_places(), scratch()):
        place.reap()
    artifact_store().trim(time.time() - MIN_GRACE_S)


def abandon() -> None:
    """Remove this process's working folders: it is about to end."""
    for place in (*_working_places(), scratch()):
        place.abandon()


def _working_places() -> Iterator[LocalPlace]:
    """Where artifacts and records are written before they get their names."""
    yield from artifact_store().working_places()
    own = sealed.used()
    records = own.holder if own else checkpoint_place()
    if isinstance(records, LocalPlace):
        yield records


def clear_store(before: float, receiving: Collection[str]) -> int:
    """Remove from the whole store what is unfinished, has no process any more, and is no tenant's alone.

    That is in S3 every multipart upload that was begun before `before` (epoch, s) but those that the gateway is
    `receiving`, by their handles; returns how many there were. In a folder it is what killed runs of sealed sessions
    left in theirs.
    """
    if settings().in_bucket:
        from dubline.storage.s3 import BucketPlace

        return BucketPlace(settings().store).abort_uploads(before, receiving)
    for folder in (settings().shared_folder / "sessions").glob("*/*"):
        LocalPlace(folder).reap()
    return 0
