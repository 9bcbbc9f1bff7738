"""Content-addressed, immutable files. A reader never sees half a file, and what is read was verified."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import psutil
from pydantic import TypeAdapter

from dubline.domain.errors import OutputUnavailable
from dubline.storage.results import ArtifactRef

T = TypeVar("T")
_BLOCK = 1 << 20


def sha256_of(path: Path) -> str:
    """Hex digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def reference(path: Path) -> ArtifactRef:
    """Refer to a file where it lies, without copying it."""
    return ArtifactRef(uri=path.absolute().as_uri(), sha256=sha256_of(path), size=path.stat().st_size)


def local_path(ref: ArtifactRef) -> Path:
    return Path(unquote(urlsplit(ref.uri).path))


def sync_directory(directory: Path) -> None:
    """Make a rename in the directory durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_if_orphaned(folder: Path, owner: str) -> None:
    """Remove a working folder whose process (its id, as text) is no more; another run may be using the others."""
    if owner.isdigit() and not psutil.pid_exists(int(owner)):
        shutil.rmtree(folder, ignore_errors=True)


class ArtifactStore:
    """Files below `root`, named by their sha256. Raises OutputUnavailable when the disk is full or not writable."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """A private folder on the store's own disk, so that adopting a file from it is a rename. It is removed."""
        with _disk_errors(self.root):
            parent = self.root / "tmp"
            parent.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(dir=parent, prefix=f"{os.getpid()}-"))
        try:
            with _disk_errors(self.root):
                yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def reap(self) -> None:
        """Remove the workspaces of processes that were killed."""
        for folder in (self.root / "tmp").glob("*-*"):
            remove_if_orphaned(folder, folder.name.partition("-")[0])

    def adopt(self, path: Path) -> ArtifactRef:
        """Take a finished file out of a workspace: hash, fsync, rename to its content's name, make that durable."""
        with _disk_errors(self.root):
            digest, size = sha256_of(path), path.stat().st_size
            final = self.root / digest[:2] / f"{digest}{path.suffix}"
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

    def intact(self, ref: ArtifactRef) -> bool:
        """Whether the file is there with the size and sha256 that the reference promises."""
        path = local_path(ref)
        try:
            return path.stat().st_size == ref.size and sha256_of(path) == ref.sha256
        except OSError:
            return False


@contextmanager
def _disk_errors(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OutputUnavailable(
            f"Cannot write below {place}: {os.strerror(error.errno)}; make room or set DUBLINE_HOME to another disk."
        ) from error
