"""Content-addressed, immutable files. A reader never sees half a file, and what is read was verified."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from pydantic import TypeAdapter

from dubline.storage.places import LocalPlace, Place, disk_errors, held
from dubline.storage.results import ArtifactRef

T = TypeVar("T")


def sha256_of(path: Path) -> str:
    """Hex digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def reference(path: Path) -> ArtifactRef:
    """Refer to a file where it lies, without copying it."""
    return ArtifactRef(uri=path.absolute().as_uri(), sha256=sha256_of(path), size=path.stat().st_size)


def local_path(ref: ArtifactRef) -> Path:
    """A file of this machine with the artifact's content: itself, or a verified copy of what lies in S3 or is sealed.

    Raises StoreUnavailable when that cannot be reached, is gone or damaged, OutputUnavailable when it may not be read.
    """
    if not ref.uri.startswith("file:"):
        from dubline.storage.remote_artifacts import fetched  # which knows this module

        return fetched(ref)
    return Path(unquote(urlsplit(ref.uri).path))


def sync_directory(directory: Path) -> None:
    """Make a rename in the directory durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class ArtifactStore:
    """Files below `root`, named by their sha256. Raises OutputUnavailable when the disk is full or not writable."""

    place: Place
    """Where the artifacts are."""

    def __init__(self, root: Path, copies: Path | None = None) -> None:
        """`copies` is where copies are kept of what lies elsewhere, for `trim`."""
        self.root, self._copies = root, copies
        self.place = self._local = LocalPlace(root)

    def workspace(self) -> AbstractContextManager[Path]:
        """A private folder on the store's own disk, so that adopting a file from it is a rename. It is removed."""
        return self._local.workspace()

    def reap(self, before: float = 0.0) -> None:
        """Remove the workspaces of processes that were killed, and any not written to since `before` (epoch, s)."""
        for place in self._own_places():
            place.reap(before)

    def abandon(self) -> None:
        """Remove the workspaces of this process, which is about to end."""
        for place in self._own_places():
            place.abandon()

    def _own_places(self) -> list[LocalPlace]:
        return [LocalPlace(root) for root in {self.root, self._copies or self.root}]

    def adopt(self, path: Path) -> ArtifactRef:
        """Take a finished file out of a workspace: hash, fsync, rename to its content's name, make that durable."""
        with disk_errors(self.root):
            digest, size = sha256_of(path), path.stat().st_size
            final = self.root / artifact_key(digest, path.suffix)
            final.parent.mkdir(parents=True, exist_ok=True)
            with path.open("rb") as file:
                os.fsync(file.fileno())
            path.replace(final)
            sync_directory(final.parent)
        return ArtifactRef(uri=final.absolute().as_uri(), sha256=digest, size=size)

    def put_bytes(self, content: bytes, suffix: str) -> ArtifactRef:
        with self.workspace() as folder:
            path = folder / f"content{suffix}"
            path.write_bytes(content)
            return self.adopt(path)

    def put_value(self, value: Any) -> ArtifactRef:
        """Store a dataclass or model as JSON."""
        return self.put_bytes(TypeAdapter(type(value)).dump_json(value), ".json")

    def load_value(self, ref: ArtifactRef, kind: type[T]) -> T:
        """Read a value back, validated against its type."""
        return TypeAdapter(kind).validate_json(local_path(ref).read_bytes())

    def intact(self, refs: Iterable[ArtifactRef]) -> bool:
        """Whether every file is there with the size and sha256 that its reference promises."""
        return all(map(_unchanged, refs))

    def abort_uploads(self, before: float) -> int:
        """End uploads that were begun before `before` (epoch, s) and never finished; returns how many there were."""
        return 0

    def trim(self, before: float) -> tuple[int, int]:
        """Remove copies, of artifacts and of videos, that were not used since `before` (epoch, s) and nobody holds.

        Returns how many there were, and their bytes.
        """
        if self._copies is None:
            return 0, 0
        copies = LocalPlace(self._copies)
        old = [one for one in copies.entries() if one.modified < before and not held(copies.root / one.key)]
        for entry in old:
            copies.remove(entry.key)
        return len(old), sum(entry.size for entry in old)


def artifact_key(digest: str, suffix: str) -> str:
    """Where content with that sha256 lies in a place."""
    return f"{digest[:2]}/{digest}{suffix}"


def _unchanged(ref: ArtifactRef) -> bool:
    path = local_path(ref)
    try:
        return path.stat().st_size == ref.size and sha256_of(path) == ref.sha256
    except OSError:
        return False
