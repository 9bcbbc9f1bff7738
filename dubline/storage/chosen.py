"""What DUBLINE_STORE chose: where this process keeps artifacts and checkpoints."""

from __future__ import annotations

from dubline.settings import settings
from dubline.storage.artifacts import ArtifactStore
from dubline.storage.places import LocalPlace, Place


def artifact_store() -> ArtifactStore:
    """Artifacts below DUBLINE_HOME, or in S3 with copies there."""
    if not settings().store:
        return ArtifactStore(settings().artifacts)
    from dubline.storage.s3 import BucketPlace  # s3fs takes a second to import
    from dubline.storage.s3_artifacts import BucketArtifacts

    return BucketArtifacts(BucketPlace(f"{settings().store.rstrip('/')}/artifacts"), settings().cache)


def checkpoint_place() -> Place:
    """The records of finished stages."""
    if not settings().store:
        return LocalPlace(settings().checkpoints)
    from dubline.storage.s3 import BucketPlace

    return BucketPlace(f"{settings().store.rstrip('/')}/checkpoints")
