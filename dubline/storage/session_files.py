"""Where a session's files are: one folder or prefix for each, below its tenant's.

sessions/<tenant>/<session>/source/<name>      what was uploaded
sessions/<tenant>/<session>/out/<revision>/    what a run published
sessions/<tenant>/<session>/artifacts/, checkpoints/    of a sealed session, which shares none with others
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Protocol

from dubline.domain.errors import StoreUnavailable
from dubline.settings import settings
from dubline.storage import seals
from dubline.storage.locations import BucketFile
from dubline.storage.places import LocalPlace, disk_errors, sync_directory
from dubline.storage.sealed import SealedPlace
from dubline.storage.seals import CHUNK, EXTRA, Broken, Seal

PIECE = 8 << 20
"""Bytes of an upload that are kept at a time: more than S3's least part of 5 MiB, little enough to hold in memory."""
READ = 1 << 20
"""Bytes of a download that are in memory at a time."""
LONGEST_NAME = 150
"""Bytes of an uploaded file's name: a file system takes 255, and names of results are longer than the source's."""


def folder(tenant: str, session: str) -> BucketFile | Path:
    """All that belongs to a session."""
    if settings().in_bucket:
        return BucketFile(f"{settings().store.rstrip('/')}/sessions/{tenant}/{session}")
    return settings().shared_folder / "sessions" / tenant / session


def safe_name(name: str) -> str:
    """A person's file name as one of ours: no folders, no control characters, no leading dot, not too long."""
    last = PurePosixPath(name.replace("\\", "/")).name
    plain = re.sub(r"[^\w.\- ]+", "_", last).strip(" .")
    stem, dot, suffix = plain.rpartition(".")
    if not dot:
        stem, suffix = plain, ""
    ending = f".{_cut(suffix, 8)}" if suffix else ""
    return (_cut(stem.strip(" ."), LONGEST_NAME - len(ending.encode())) or "video") + ending


def _cut(text: str, size: int) -> str:
    """So much of it as has so many bytes."""
    return text.encode()[:size].decode(errors="ignore")


class Files(Protocol):
    """The files of one session. Raises StoreUnavailable where a retry can help, OutputUnavailable where none can."""

    def size(self, name: str) -> int | None:
        """Bytes; None where there is no such file."""

    def read(self, name: str, start: int, end: int) -> Iterator[bytes]:
        """The bytes from `start` up to `end`."""

    def remove(self) -> None:
        """All files of the session."""

    def begin(self, name: str) -> str:
        """Start to receive a file; returns what it is found by again."""

    def put(self, name: str, handle: str, start: int, content: bytes, *, last: bool) -> None:
        """Keep a piece, durably. The same piece may come twice. `last` tells whether the file ends with it."""

    def finish(self, name: str, handle: str, length: int) -> None:
        """All pieces are there: make the file of them."""


def files(tenant: str, session: str, key: str | None) -> Files:
    """`key` is the session's wrapped key, where it is sealed."""
    place = folder(tenant, session)
    held: Files
    if isinstance(place, Path):
        held = LocalFiles(place)
    else:
        from dubline.storage.s3_session_files import BucketFiles  # s3fs takes a second to import

        held = BucketFiles(place)
    return SealedFiles(held, session, key) if key else held


def sealed_place(tenant: str, session: str, key: str) -> SealedPlace:
    """The same files for the session's run, by its wrapped key. Raises OutputUnavailable where it cannot be opened."""
    place, seal = folder(tenant, session), seals.seal_of(session, key)
    if isinstance(place, Path):
        return SealedPlace(LocalPlace(place), str(place), seal)
    from dubline.storage.s3 import BucketPlace

    return SealedPlace(BucketPlace(place), str(place), seal)


class LocalFiles:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def size(self, name: str) -> int | None:
        path = self._folder / name
        return path.stat().st_size if path.is_file() else None

    def read(self, name: str, start: int, end: int) -> Iterator[bytes]:
        with (self._folder / name).open("rb") as file:
            file.seek(start)
            while start < end and (content := file.read(min(READ, end - start))):
                start += len(content)
                yield content

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def begin(self, name: str) -> str:
        with disk_errors(self._folder):
            self._partial(name).parent.mkdir(parents=True, exist_ok=True)
            self._partial(name).touch()
        return ""

    def put(self, name: str, handle: str, start: int, content: bytes, *, last: bool) -> None:
        """At its own place in the file, so two that send the same piece write the same."""
        with disk_errors(self._folder):
            descriptor = os.open(self._partial(name), os.O_WRONLY)
            try:
                os.pwrite(descriptor, content, start)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def finish(self, name: str, handle: str, length: int) -> None:
        with disk_errors(self._folder):
            partial = self._partial(name)
            if not partial.exists() and self.size(name) == length:
                return
            os.truncate(partial, length)
            partial.replace(self._folder / name)
            sync_directory(partial.parent)

    def _partial(self, name: str) -> Path:
        path = self._folder / name
        return path.with_name(f"{path.name}.part")


class SealedFiles:
    """Files that are sealed where `held` has them. Sizes and places are those of what is inside."""

    def __init__(self, held: Files, session: str, key: str) -> None:
        self._held, self._session, self._key = held, session, key

    @cached_property
    def _seal(self) -> Seal:
        return seals.seal_of(self._session, self._key)

    def size(self, name: str) -> int | None:
        found = self._held.size(name)
        return None if found is None else seals.open_size(found)

    def read(self, name: str, start: int, end: int) -> Iterator[bytes]:
        """Raises StoreUnavailable for what is damaged."""
        size, step = self._held.size(name) or 0, CHUNK + EXTRA
        count = seals.chunks(seals.open_size(size))
        for number in range(start // CHUNK, min(count, -(-end // CHUNK))):
            sealed = b"".join(self._held.read(name, number * step, min((number + 1) * step, size)))
            try:
                content = self._seal.opened(name, number, number == count - 1, sealed)
            except Broken as error:
                raise StoreUnavailable(f"The session's file '{name}' is damaged; dub it again.") from error
            yield content[max(0, start - number * CHUNK) : end - number * CHUNK]

    def remove(self) -> None:
        self._held.remove()

    def begin(self, name: str) -> str:
        """Never empty: what is sealed is taken in whole pieces alone, as S3 does."""
        return self._held.begin(name) or "sealed"

    def put(self, name: str, handle: str, start: int, content: bytes, *, last: bool) -> None:
        """A piece is some chunks, by so little longer that S3's numbers of parts, counted by PIECE, stay what they are
        up to 300 GB."""
        first = start // CHUNK
        closed = b"".join(self._seal.close_part(name, content, first, last=last))
        self._held.put(name, handle, first * (CHUNK + EXTRA), closed, last=last)

    def finish(self, name: str, handle: str, length: int) -> None:
        self._held.finish(name, handle, seals.sealed_size(length))
