"""A watched prefix of an S3 bucket, on any S3-compatible endpoint.

An object appears whole or not at all, so none is half copied. A move is a copy on the server, then a deletion; there
is no rename. Two that move one object at the same moment both copy it: the copies are equal, one may be left over, and
neither takes away what may be the other's; but for one too large to be copied at once that is dropped anew meanwhile.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from dubline.publication import MANIFEST
from dubline.settings import settings
from dubline.storage.places import LocalPlace
from dubline.watching.folder import Entry, Kind, numbered, too_large

SCHEME = "s3://"


@contextmanager
def s3_errors() -> Iterator[None]:
    """s3fs tells most faults as OSError; the rest, such as a connection that was lost too often, become one here."""
    from botocore.exceptions import BotoCoreError, ClientError
    from s3fs.core import S3_RETRYABLE_ERRORS

    try:
        yield
    except OSError:
        raise
    except (BotoCoreError, ClientError, *S3_RETRYABLE_ERRORS) as error:
        raise ConnectionError(f"S3 did not answer as it should: {error}") from error


class BucketFolder:
    """Follows the `Folder` protocol."""

    def __init__(self, uri: str) -> None:
        self._root = uri.removeprefix(SCHEME).strip("/")
        from dubline.storage.s3 import filesystem  # s3fs takes a second to import

        with s3_errors():
            self._fs = filesystem(settings().s3_endpoint)

    @property
    def key(self) -> str:
        return SCHEME + self._root

    def entries(self, place: str = "") -> list[Entry]:
        with s3_errors():
            listed = self._listed(place)
            if not place and not listed:  # and not because there is no such bucket
                self._fs.call_s3("head_bucket", Bucket=self._root.partition("/")[0])
        entries = (_entry(info) for info in listed)
        return sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name)

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        scratch = LocalPlace(settings().cache).begin_workspace()  # which is reaped when this process is killed
        try:
            copy = scratch / name
            with s3_errors():
                self._fs.get_file(self._path(name), str(copy), max_concurrency=1)  # goes on after a lost connection
            yield copy
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def being_written(self, name: str) -> bool:
        return False

    def stamp(self, place: str) -> str | None:
        try:
            with s3_errors():
                return _entry(self._fs.info(self._path(place))).stamp
        except FileNotFoundError:
            return None

    def exists(self, place: str) -> bool:
        """Whether there is an object: some servers keep an empty folder for minutes."""
        bucket, _, key = self._path(place).partition("/")
        with s3_errors():
            below = self._fs.call_s3("list_objects_v2", Bucket=bucket, Prefix=f"{key}/", MaxKeys=1)
        # Not s3fs's `isfile`, to which a lost connection is a file that is not there. The stamp of a folder is empty.
        return bool(below.get("Contents")) or bool(self.stamp(place))

    def files(self, place: str) -> list[str]:
        return self._names(place, "file")

    def folders(self, place: str) -> list[str]:
        return self._names(place, "directory")

    def _names(self, place: str, kind: str) -> list[str]:
        with s3_errors():
            return sorted(PurePosixPath(i["name"]).name for i in self._listed(place) if i["type"] == kind)

    def _listed(self, place: str) -> list[dict[str, Any]]:
        """What is directly in a folder; the folder's own marker object is not."""
        path = self._path(place)
        try:
            listed: list[dict[str, Any]] = self._fs.ls(path, detail=True)
        except FileNotFoundError:
            return []
        return [info for info in listed if info["name"].rstrip("/") != path]

    def read(self, place: str, at_most: int | None = None) -> bytes:
        with s3_errors():
            if at_most is not None and (self._fs.info(self._path(place))["size"] or 0) > at_most:
                raise too_large(place, at_most)
            return bytes(self._fs.cat_file(self._path(place)))

    def write(self, place: str, content: str) -> None:
        with s3_errors():
            self._fs.pipe_file(self._path(place), content.encode())

    def claim(self, place: str, content: str) -> bool:
        try:
            with s3_errors():
                self._fs.pipe_file(self._path(place), content.encode(), mode="create")
        except OSError:  # a refused condition has no type of its own
            if not self.exists(place):
                raise
            return self.read(place) == content.encode()
        return True

    def move(self, source: str, target: str) -> bool:
        with s3_errors():
            found = self._fs.find(self._path(source)) or [self._path(source)]
        # The manifest vouches for the other results, so it comes last.
        ordered = sorted(found, key=lambda path: PurePosixPath(path).name == MANIFEST)
        moved = [
            self._move_object(path, self._path(target) + path.removeprefix(self._path(source))) for path in ordered
        ]
        return any(moved)

    def move_video(self, source: str, target: str) -> bool:
        return self.move(source, target)  # two that move the same move equal copies

    def _move_object(self, path: str, target: str) -> bool:
        """False where it is gone: another scanner that moves the same has copied it before."""
        try:
            with s3_errors():
                self._fs.cp_file(path, target)
                self._fs.rm_file(path)
        except FileNotFoundError:
            return False
        return True

    def move_aside(self, source: str, wanted: str, stamp: str | None = None) -> str | None:
        target = next(place for place in numbered(wanted) if not self.exists(place))
        if not self._copy_version(source, target, stamp):
            return None
        now = self.stamp(source)
        if stamp is not None and now is None:
            return None  # another scanner was quicker, and the copy may be its only one
        if stamp is None or now == stamp:
            with s3_errors():
                self._fs.rm_file(self._path(source))
        elif _at_once(stamp) is None:
            self.remove(target)  # it was overwritten while it was copied piece by piece
            return None
        return target

    def _copy_version(self, source: str, target: str, stamp: str | None) -> bool:
        """Copy an object if it is still the one with this stamp; False where it is not."""
        version = {"CopySourceIfMatch": _at_once(stamp)} if stamp and _at_once(stamp) else {}
        try:
            with s3_errors():
                self._fs.cp_file(self._path(source), self._path(target), **version)
        except FileNotFoundError:
            return False
        except OSError:  # a refused condition has no type of its own
            if stamp is None or self.stamp(source) == stamp:
                raise
            return False
        return True

    def remove(self, place: str) -> None:
        with s3_errors():
            for path in self._fs.find(self._path(place)):
                self._fs.rm_file(path)

    def remove_empty(self, place: str) -> None:
        """A prefix is there as long as an object is."""

    def link(self, place: str, target: str) -> None:
        """S3 has no links: to try again, the video is dropped again."""

    def links(self, place: str) -> dict[str, str]:
        return {}

    def address(self, place: str) -> str:
        return SCHEME + self._path(place)

    def _path(self, place: str) -> str:
        return f"{self._root}/{place}" if place else self._root


def _at_once(stamp: str) -> str | None:
    """The ETag in a stamp, which can be made a condition of a copy; None where s3fs copies in pieces."""
    from s3fs.core import MANAGED_COPY_THRESHOLD

    size, _, etag = stamp.partition("-")
    return etag if int(size) <= MANAGED_COPY_THRESHOLD else None


def _entry(info: dict[str, Any]) -> Entry:
    if info["type"] != "file":
        return Entry(PurePosixPath(info["name"]).name, "", 0.0, Kind.FOLDER)
    modified: datetime = info["LastModified"]
    stamp = f"{info['size']}-{info['ETag']}"
    return Entry(PurePosixPath(info["name"]).name, stamp, modified.timestamp())
