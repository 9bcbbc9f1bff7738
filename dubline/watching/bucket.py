"""A watched prefix of an S3 bucket, on any S3-compatible endpoint.

An object appears whole or not at all, so none is half copied. A move is a copy on the server, then a deletion; there
is no rename. Two that move one object at the same moment both copy it: the copies are equal, one may be left over, and
neither takes away what may be the other's. What is dropped anew meanwhile is neither copied nor deleted: both have the
ETag for a condition (CopySourceIfMatch, IfMatch).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from dubline.domain.file_names import numbered
from dubline.publication import MANIFEST
from dubline.settings import settings
from dubline.storage.places import LocalPlace
from dubline.watching.folder import Entry, Kind, too_large

SCHEME = "s3://"
PIECE_BYTES = 64 << 20
"""Of a copy in pieces; S3 allows 10,000 of them."""


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
        named = self._named(place)
        with s3_errors():
            below = self._fs.call_s3("list_objects_v2", Bucket=named["Bucket"], Prefix=f"{named['Key']}/", MaxKeys=1)
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
            found: dict[str, dict[str, Any]] = self._fs.find(self._path(source), detail=True)
        # The manifest vouches for the other results, so it comes last.
        ordered = sorted(found.items(), key=lambda item: PurePosixPath(item[0]).name == MANIFEST)
        below = ((path.removeprefix(self._path(source)), _entry(info).stamp) for path, info in ordered)
        moved = [
            # Of a folder's files the newest is wanted: the run's process may have put a result again just now.
            self.move_video(source + rest, target + rest, stamp)
            or (rest and self.move_video(source + rest, target + rest))
            for rest, stamp in below
        ]
        return any(moved)

    def move_video(self, source: str, target: str, stamp: str | None = None) -> bool:
        stamp = stamp or self.stamp(source)
        if not (stamp and self._while_it_is(source, stamp, lambda: self._copy(source, target, stamp))):
            return False
        self._while_it_is(source, stamp, lambda: self._delete(source, stamp))
        return True  # of two that move the same each made an equal copy, at one place

    def move_aside(self, source: str, wanted: str, stamp: str | None = None) -> str | None:
        stamp = stamp or self.stamp(source)
        target = next(place for place in numbered(wanted) if not self.exists(place))
        if not (stamp and self._while_it_is(source, stamp, lambda: self._copy(source, target, stamp))):
            return None
        if self.stamp(source) is None:
            return None  # another scanner was quicker, and the copy may be its only one
        self._while_it_is(source, stamp, lambda: self._delete(source, stamp))
        return target

    def _while_it_is(self, place: str, stamp: str, act: Callable[[], None]) -> bool:
        """Act on an object with its ETag for a condition; False where it is another one by now, or gone."""
        try:
            with s3_errors():
                act()
        except OSError:  # a refused condition has no type of its own
            if self.stamp(place) == stamp:
                raise
            return False
        return True

    def _copy(self, source: str, target: str, stamp: str) -> None:
        """Not by s3fs, which copies what is large by now in pieces and without a condition."""
        size, etag = _size_and_etag(stamp)
        copy = self._named(target)
        if size <= PIECE_BYTES:
            self._fs.call_s3("copy_object", **copy, CopySource=self._named(source), CopySourceIfMatch=etag)
            return
        kind = self._fs.call_s3("head_object", **self._named(source))["ContentType"]
        copy["UploadId"] = self._fs.call_s3("create_multipart_upload", **copy, ContentType=kind)["UploadId"]
        try:
            parts = []
            for number, start in enumerate(range(0, size, PIECE_BYTES), 1):
                answer = self._fs.call_s3(
                    "upload_part_copy",
                    **copy,
                    PartNumber=number,
                    CopySource=self._named(source),
                    CopySourceRange=f"bytes={start}-{min(start + PIECE_BYTES, size) - 1}",
                    CopySourceIfMatch=etag,
                )
                parts.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
            self._fs.call_s3("complete_multipart_upload", **copy, MultipartUpload={"Parts": parts})
        except BaseException:
            with suppress(Exception):  # then housekeeping ends it once it is old
                self._fs.call_s3("abort_multipart_upload", **copy)
            raise

    def _delete(self, place: str, stamp: str) -> None:
        self._fs.call_s3("delete_object", **self._named(place), IfMatch=_size_and_etag(stamp)[1])

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

    def _named(self, place: str) -> dict[str, str]:
        """As S3 names an object."""
        bucket, _, key = self._path(place).partition("/")
        return {"Bucket": bucket, "Key": key}


def _size_and_etag(stamp: str) -> tuple[int, str]:
    size, _, etag = stamp.partition("-")
    return int(size), etag


def _entry(info: dict[str, Any]) -> Entry:
    if info["type"] != "file":
        return Entry(PurePosixPath(info["name"]).name, "", 0.0, Kind.FOLDER)
    modified: datetime = info["LastModified"]
    stamp = f"{info['size']}-{info['ETag']}"
    return Entry(PurePosixPath(info["name"]).name, stamp, modified.timestamp())
