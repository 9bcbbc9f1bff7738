"""Artifacts that lie elsewhere or are sealed, and the verified copies of them that this machine works with."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from pathlib import Path, PurePosixPath

from dubline.domain.errors import InvalidMedia, StoreUnavailable
from dubline.settings import settings
from dubline.storage import sealed
from dubline.storage.artifacts import ArtifactStore, artifact_key, sha256_of
from dubline.storage.limits import require_size
from dubline.storage.places import DAY_S, LocalPlace
from dubline.storage.results import ArtifactRef
from dubline.storage.sealed import SCHEME, RemotePlace, SealedPlace

TRIES = 2
"""How often an object is read before its content is believed to be wrong."""
PARALLEL_CHECKS = 8

_verified: dict[Path, tuple[int, int]] = {}
"""Copy -> (mtime in ns, bytes) that it had when this process compared its sha256."""


class RemoteArtifacts(ArtifactStore):
    """Artifacts below `place`; `root` is the folder for copies. Raises StoreUnavailable, OutputUnavailable."""

    place: RemotePlace

    def __init__(self, place: RemotePlace, root: Path) -> None:
        super().__init__(root, copies=root)
        self.place = place

    def adopt(self, path: Path) -> ArtifactRef:
        """Put a finished file under its content's name; the file itself becomes this machine's copy.

        What is there already is not put again while it is young. Later it is: that makes it young, so that no
        collection takes it away before a record refers to it.
        """
        kept = super().adopt(path)
        copy = self.root / (key := artifact_key(kept.sha256, path.suffix))
        _verified[copy] = _mark(copy)
        there = self.place.stat(key)
        if there is None or there.size != kept.size or time.time() - there.modified > DAY_S:
            self.place.upload(copy, key)
        return kept.model_copy(update={"uri": self.place.uri_of(key)})

    def intact(self, refs: Iterable[ArtifactRef]) -> bool:
        """Whether every object is there with its size. Its sha256 is compared when it is read (`fetched`)."""
        with ThreadPoolExecutor(PARALLEL_CHECKS) as pool:
            return all(pool.map(_there, refs))


def fetched(ref: ArtifactRef) -> Path:
    """This machine's copy of an object, with the sha256 of the reference.

    Raises StoreUnavailable when the object is gone or its content wrong. One that is wrong in the same way twice is
    damaged where it lies: it is removed, so that a retry of the run finds it missing and makes it again.
    """
    cache = LocalPlace(settings().cache)
    copy = cache.root / artifact_key(ref.sha256, PurePosixPath(ref.uri).suffix)
    if _trusted(copy, ref):
        return copy
    place, name = _place_and_key(ref.uri)
    wrong = set()
    for _ in range(TRIES):
        with cache.workspace() as folder:
            partial = folder / f"content{copy.suffix}"
            if not place.download(name, partial):
                raise StoreUnavailable(f"The artifact {ref.uri} is gone; run the same command again to make it anew.")
            digest = sha256_of(partial)
            if digest == ref.sha256:
                copy.parent.mkdir(parents=True, exist_ok=True)
                partial.replace(copy)
                _verified[copy] = _mark(copy)
                return copy
        wrong.add(digest)
    if len(wrong) == 1 and PurePosixPath(name).stem == ref.sha256:  # never a user's own file
        place.remove(name)
    raise StoreUnavailable(f"What {ref.uri} holds is not what was written; run the same command again to mend it.")


@lru_cache(maxsize=4)
def sealed_source(place: SealedPlace, key: str) -> ArtifactRef:
    """Open a sealed video into this machine's copies, once for each process.

    Raises InvalidMedia when there is none or it is too large, StoreUnavailable when it is not what was uploaded.
    """
    there = place.stat(key)
    if there is None:
        raise InvalidMedia("The session's video is gone; upload it again.")
    require_size(PurePosixPath(key).name, there.size)
    copies = ArtifactStore(settings().cache)
    with copies.workspace() as folder:
        partial = folder / f"source{PurePosixPath(key).suffix}"
        if not place.download(key, partial) or partial.stat().st_size != there.size:
            raise StoreUnavailable("The session's video is not what was uploaded; upload it again.")
        return copies.adopt(partial).model_copy(update={"uri": place.uri_of(key)})


def _there(ref: ArtifactRef) -> bool:
    if ref.uri.startswith("file:"):
        return False  # of another machine, or of this one before it had a bucket
    place, key = _place_and_key(ref.uri)
    found = place.stat(key)
    return found is not None and found.size == ref.size


def _place_and_key(uri: str) -> tuple[RemotePlace, str]:
    if uri.startswith(SCHEME):
        return sealed.in_use(), uri.removeprefix(SCHEME)
    from dubline.storage.s3 import BucketPlace  # s3fs takes a second to import

    folder, _, name = uri.rpartition("/")
    return BucketPlace(folder), name


def _trusted(copy: Path, ref: ArtifactRef) -> bool:
    """Whether the copy is right. Each process compares its sha256 once, and marks it as used then."""
    with suppress(FileNotFoundError):
        if _verified.get(copy) == _mark(copy):
            return True
        os.utime(copy)
        mark = _mark(copy)
        if mark[1] == ref.size and sha256_of(copy) == ref.sha256:
            _verified[copy] = mark
            return True
    return False


def _mark(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size
