"""Files below a prefix of a bucket, on AWS or any server that speaks S3.

s3fs and botocore repeat what fails for the moment: 5xx answers, lost connections, time-outs. What still fails then is
told in one sentence. Addresses hold no credentials: those come from the usual AWS_... variables.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import mimetypes
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any

import s3fs
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from s3fs.core import S3_RETRYABLE_ERRORS

from dubline.domain.errors import DublineError, OutputUnavailable, StoreUnavailable
from dubline.proxies import is_loopback
from dubline.settings import settings
from dubline.storage.places import Entry

PART_BYTES = 16 << 20
"""Size of an upload's parts; S3 allows 10,000 of them, which makes 160 GB."""
PARALLEL_PARTS = 4
"""Times PART_BYTES is what an upload holds in memory."""
CONFIG = {
    "retries": {"mode": "legacy", "max_attempts": 5},  # the mode that also repeats a put which arrived damaged
    # Many S3-compatible servers know nothing of the newer checksums; ours is the sha256.
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}
"""Of botocore's client."""
_TAKEN = {"PreconditionFailed", "ConditionalRequestConflict"}
"""What the server calls a put that was to be the first of its key, and is not."""
_LOCAL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


def bucket_and_key(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


class BucketPlace:
    """A Place below `s3://bucket/prefix`."""

    def __init__(self, uri: str) -> None:
        self.uri = uri.rstrip("/")
        self._bucket, self._prefix = bucket_and_key(self.uri)
        self._files = filesystem(settings().s3_endpoint)

    def uri_of(self, key: str) -> str:
        return f"{self.uri}/{key}"

    def stat(self, key: str) -> Entry | None:
        with _explained(self.uri):
            try:
                found = self._call("head_object", Key=self._full(key))
            except FileNotFoundError:
                return None
        return Entry(key, found["ContentLength"], found["LastModified"].timestamp(), found["ETag"].strip('"'))

    def read(self, key: str) -> bytes | None:
        with _explained(self.uri):
            try:
                content: bytes = self._files.cat_file(self.uri_of(key))
            except FileNotFoundError as error:
                _require_bucket(error)
                return None
        return content

    def write(self, key: str, content: bytes) -> None:
        with _explained(self.uri):
            self._files.pipe_file(self.uri_of(key), content, ContentMD5=_md5(content))

    def write_new(self, key: str, content: bytes) -> bool:
        """Put an object unless there is one; whether it was put. Of two at the same moment, one is."""
        with _explained(self.uri):
            try:
                self._files.pipe_file(self.uri_of(key), content, mode="create")
            except OSError as error:
                if _code(error) not in _TAKEN:
                    raise
                return False
        return True

    def touch(self, key: str) -> None:
        """Write the content again: only that makes an object young on every server."""
        content = self.read(key)
        if content is not None:
            self.write(key, content)

    def remove(self, key: str) -> None:
        with _explained(self.uri):
            self._call("delete_object", Key=self._full(key))

    def entries(self) -> Iterator[Entry]:
        start = self._full("")
        with _explained(self.uri):
            for page in self._pages("list_objects_v2", {"NextContinuationToken": "ContinuationToken"}):
                for found in page.get("Contents", ()):
                    yield Entry(found["Key"].removeprefix(start), found["Size"], found["LastModified"].timestamp())

    def upload(self, path: Path, key: str) -> None:
        """Put a file, in parts when it is large. The object appears when all of it is there, or not at all."""
        if path.stat().st_size < 2 * PART_BYTES:
            self.write(key, path.read_bytes())
            return
        upload = self.begin_upload(key, mimetypes.guess_type(path)[0])
        try:
            numbers = range(1, 1 + -(-path.stat().st_size // PART_BYTES))
            with ThreadPoolExecutor(PARALLEL_PARTS) as pool:
                tags = list(pool.map(partial(self._put_part_of, path, key, upload), numbers))
            self._complete(key, upload, dict(zip(numbers, tags, strict=True)))
        except DublineError:
            with suppress(DublineError), _explained(self.uri):  # then it is ended once it is old
                self._files.abort_mpu(self._bucket, self._full(key), upload)
            raise

    def _put_part_of(self, path: Path, key: str, upload: str, number: int) -> str:
        with path.open("rb") as file:
            file.seek((number - 1) * PART_BYTES)
            return self.put_part(key, upload, number, file.read(PART_BYTES))

    def download(self, key: str, path: Path) -> bool:
        """Read an object into a file, going on after a lost connection; False where there is no such object.

        S3 does not promise that what arrives is what was sent: the caller compares the sha256.
        """
        with _explained(self.uri):
            try:
                self._files.get_file(self.uri_of(key), str(path), max_concurrency=1)
            except FileNotFoundError as error:
                _require_bucket(error)
                return False
        return True

    def read_range(self, key: str, start: int, end: int) -> bytes:
        """The bytes from `start` up to `end`."""
        with _explained(self.uri):
            content: bytes = self._files.cat_file(self.uri_of(key), start=start, end=end)
        return content

    def begin_upload(self, key: str, content_type: str | None = None) -> str:
        """Begin a multipart upload; returns its id."""
        kind = {"ContentType": content_type} if content_type else {}
        with _explained(self.uri):
            return str(self._call("create_multipart_upload", Key=self._full(key), **kind)["UploadId"])

    def put_part(self, key: str, upload: str, number: int, content: bytes) -> str:
        """Part `number`, from 1 on. Sent again, it takes the place of the earlier one. Returns its ETag."""
        with _explained(self.uri):
            part = {"Key": self._full(key), "UploadId": upload, "PartNumber": number}
            return str(self._call("upload_part", **part, Body=content, ContentMD5=_md5(content))["ETag"])

    def finish_upload(self, key: str, upload: str) -> int:
        """Make the object of its parts; returns its size."""
        with _explained(self.uri):
            about = {"Key": self._full(key), "UploadId": upload}
            parts: list[dict[str, Any]] = []
            while True:
                after = {"PartNumberMarker": parts[-1]["PartNumber"]} if parts else {}
                page = self._call("list_parts", **about, **after)
                parts += page.get("Parts", ())
                if not page.get("IsTruncated"):
                    break
            # Of a part that was sent again some servers list both; the later one counts.
            last = {part["PartNumber"]: part for part in sorted(parts, key=itemgetter("LastModified"))}
        self._complete(key, upload, {number: part["ETag"] for number, part in last.items()})
        return sum(part["Size"] for part in last.values())

    def _complete(self, key: str, upload: str, tags: dict[int, str]) -> None:
        """Of each part its ETag."""
        parts = [{"ETag": tags[number], "PartNumber": number} for number in sorted(tags)]
        with _explained(self.uri):
            about = {"Key": self._full(key), "UploadId": upload}
            self._call("complete_multipart_upload", **about, MultipartUpload={"Parts": parts})

    def abort_uploads(self, before: float, spared: Collection[str] = ()) -> int:
        """End multipart uploads that were begun before `before` (epoch, s): their writers are no more.

        Those whose ids are `spared` go on. Returns how many were ended.
        """
        markers = {"NextKeyMarker": "KeyMarker", "NextUploadIdMarker": "UploadIdMarker"}
        with _explained(self.uri):
            pages = list(self._pages("list_multipart_uploads", markers))
            begun = [upload for page in pages for upload in page.get("Uploads", ())]
            old = [upload for upload in begun if upload["Initiated"].timestamp() < before]
            ended = [upload for upload in old if upload["UploadId"] not in spared]
            for upload in ended:
                self._files.abort_mpu(self._bucket, upload["Key"], upload["UploadId"])
        return len(ended)

    def _full(self, key: str) -> str:
        return f"{self._prefix}/{key}" if self._prefix else key

    def _call(self, method: str, **arguments: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._files.call_s3(method, Bucket=self._bucket, **arguments)
        return answer

    def _pages(self, method: str, markers: dict[str, str]) -> Iterator[dict[str, Any]]:
        """All pages of a listing; `markers` says which field of an answer continues it, by which argument."""
        more: dict[str, Any] = {}
        while True:
            page = self._call(method, Prefix=self._full(""), **more)
            yield page
            if not page.get("IsTruncated"):
                return
            more = {argument: page[field] for field, argument in markers.items() if page.get(field)}


def filesystem(endpoint: str | None) -> Any:
    """fsspec keeps one for each endpoint. Listings are not remembered: other machines write, too."""
    return s3fs.S3FileSystem(
        endpoint_url=endpoint,
        use_listings_cache=False,
        config_kwargs=CONFIG | ({"proxies": {}} if is_loopback(endpoint) else {}),
    )


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    """What went wrong, in one sentence, by a type that says whether a retry can help."""
    try:
        yield
    except NoCredentialsError as error:
        raise OutputUnavailable(
            f"There are no credentials for {uri}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        ) from error
    except PermissionError as error:
        raise OutputUnavailable(
            f"Access to {uri} is denied ({error}); check the AWS_... variables and the bucket's policy."
        ) from error
    except FileNotFoundError as error:
        if _code(error) == "NoSuchUpload":
            raise StoreUnavailable(f"An upload below {uri} was ended by somebody else; try again.") from error
        raise OutputUnavailable(f"There is no bucket for {uri}; create it or set DUBLINE_STORE to another.") from error
    except (OSError, BotoCoreError, *S3_RETRYABLE_ERRORS) as error:
        if isinstance(error, OSError) and error.errno in _LOCAL and not isinstance(error.__cause__, ClientError):
            raise OutputUnavailable(f"Cannot keep a copy from {uri}: {error}; make room.") from error
        raise StoreUnavailable(
            f"The store {uri} does not answer as it should ({error}); it was tried several times, so try again later."
        ) from error


def _require_bucket(error: FileNotFoundError) -> None:
    """Without its bucket nothing can ever be found, and that is no miss. Raises the error."""
    if _code(error) == "NoSuchBucket":
        raise error


def _code(error: OSError) -> str | None:
    """What the server calls it."""
    cause = error.__cause__
    return cause.response["Error"].get("Code") if isinstance(cause, ClientError) else None


def _md5(content: bytes) -> str:
    """By which the server finds out that what arrived is not what was sent."""
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
