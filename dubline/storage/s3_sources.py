"""A user's video that lies in a bucket: read once, kept as a copy, and never written to."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

from dubline.domain.errors import InvalidMedia, StoreUnavailable
from dubline.settings import settings
from dubline.storage.artifacts import ArtifactStore, artifact_key
from dubline.storage.limits import require_size
from dubline.storage.locations import BucketFile
from dubline.storage.places import Entry, LocalPlace
from dubline.storage.results import ArtifactRef
from dubline.storage.s3 import BucketPlace

TRIES = 2
"""How often an object is read whose content does not fit its ETag, before it is believed that the ETag is no MD5."""


def source_in_bucket(file: BucketFile) -> ArtifactRef:
    """Fetch a video unless this very version of it was fetched before.

    Raises InvalidMedia when there is none or it is too large, StoreUnavailable when the bucket does not answer or the
    object is replaced while it is read.
    """
    folder, _, name = file.rpartition("/")
    place, cache = BucketPlace(folder), LocalPlace(settings().cache)
    there = place.stat(name)
    if there is None:
        raise InvalidMedia(f"There is no object {file}; check the address.")
    require_size(file, there.size)
    known = f"sources/{hashlib.sha256(f'{file} {there.version} {there.size}'.encode()).hexdigest()}"
    digest = cache.read(known)
    if digest is None or cache.stat(artifact_key(digest.decode(), PurePosixPath(name).suffix)) is None:
        digest = _fetched(place, name, there).encode()
        cache.write(known, digest)
    return ArtifactRef(uri=file, sha256=digest.decode(), size=there.size)


def _fetched(place: BucketPlace, name: str, there: Entry) -> str:
    """Read the object into the cache; returns its sha256."""
    cache = ArtifactStore(settings().cache)
    with cache.workspace() as folder:
        partial = folder / f"source{PurePosixPath(name).suffix}"
        for _ in range(TRIES):
            if not place.download(name, partial) or place.stat(name) != there:
                raise StoreUnavailable(f"{place.uri_of(name)} was replaced while it was read; try again.")
            if "-" in there.version or _md5(partial) == there.version:  # that of an upload in parts is no MD5
                break
        if partial.stat().st_size != there.size:
            raise StoreUnavailable(f"{place.uri_of(name)} did not arrive whole; try again.")
        return cache.adopt(partial).sha256


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
