"""What DUBLINE_STORE chose: where this process keeps artifacts and checkpoints.

A sealed session has artifacts and checkpoints of its own, among its files, so nothing of it is found by another.
"""

from __future__ import annotations

import time
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


def reap() -> None:
    """Remove what killed processes of this machine left in working folders, and copies that were not used for days.

    Every machine does so itself, as runs begin there: housekeeping comes to one of them.
    """
    store = artifact_store()
    store.reap()
    store.trim(time.time() - MIN_GRACE_S)
    scratch().reap()


def abandon() -> None:
    """Remove this process's working folders: it is about to end."""
    artifact_store().abandon()
    scratch().abandon()
