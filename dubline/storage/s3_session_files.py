"""A session's files in a bucket. An upload is S3's own multipart upload, so no piece is copied again at its end."""

from __future__ import annotations

from collections.abc import Iterator

from dubline.domain.errors import StoreUnavailable
from dubline.storage.locations import BucketFile
from dubline.storage.s3 import BucketPlace
from dubline.storage.session_files import PIECE, READ


class BucketFiles:
    def __init__(self, folder: BucketFile) -> None:
        self._place = BucketPlace(folder)

    def size(self, name: str) -> int | None:
        entry = self._place.stat(name)
        return entry.size if entry else None

    def read(self, name: str, start: int, end: int) -> Iterator[bytes]:
        while start < end:
            content = self._place.read_range(name, start, min(start + READ, end))
            if not content:
                return
            start += len(content)
            yield content

    def remove(self) -> None:
        self._place.abort_uploads(float("inf"))
        for entry in list(self._place.entries()):
            self._place.remove(entry.key)

    def begin(self, name: str) -> str:
        return self._place.begin_upload(name)

    def put(self, name: str, handle: str, start: int, content: bytes, *, last: bool) -> None:
        self._place.put_part(name, handle, 1 + start // PIECE, content)

    def finish(self, name: str, handle: str, length: int) -> None:
        if self.size(name) == length:
            return
        arrived = self._place.finish_upload(name, handle)
        if arrived != length:
            raise StoreUnavailable(f"The upload of '{name}' did not arrive whole; send it again.")
