"""A user's video that lies on a web server: fetched into a file of ours before anything looks into it.

The same version (by ETag, or by time and size) is not fetched twice. What the server says the content is does not
count: ffprobe decides. A download that breaks off goes on where it was, where the server can tell that the content is
still the same (RFC 9110, sections 13.1.5 and 14).
"""

from __future__ import annotations

import hashlib
import re
import ssl
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import httpcore
from pydantic import BaseModel, ConfigDict, ValidationError

from dubline.domain.errors import InvalidMedia, InvalidRequest, StoreUnavailable
from dubline.settings import settings
from dubline.storage.addresses import check_address
from dubline.storage.artifacts import ArtifactStore, artifact_key, local_path, sha256_of
from dubline.storage.limits import require_size
from dubline.storage.locations import WebFile
from dubline.storage.places import LocalPlace, hold
from dubline.storage.results import ArtifactRef
from dubline.storage.web import Clock, answer, header

TRIES = 3
"""How often in a row a download may break off without having come on by PROGRESS_BYTES."""
PROGRESS_BYTES = 1 << 20
PAUSE_S = 1.0
"""Before the next try; twice that before the one after it."""
MAX_VALUE = 256
"""Characters of an ETag; longer ones are taken for none."""
_LASTING = {408, 425, 429}
"""Answers below 500 after which a later try may do better (RFC 9110, 8470, 6585)."""
_FAILURES = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException)


class Version(BaseModel):
    """What tells one content behind a URL from another, as the server had it, and what that content was."""

    model_config = ConfigDict(frozen=True)

    etag: str = ""
    modified: str = ""
    """Last-Modified, as it was sent."""
    size: int | None = None
    """Content-Length; None where it was not told."""
    sha256: str = ""
    """Of what was fetched; empty as long as it was not."""

    @property
    def strong(self) -> str:
        """For If-Range: what promises the same bytes, or nothing."""
        return self.etag if self.etag and not self.etag.startswith("W/") else ""

    def same(self, other: Version) -> bool:
        if self.etag or other.etag:
            return self.etag == other.etag
        return bool(self.modified) and (self.modified, self.size) == (other.modified, other.size)


def source_on_web(file: WebFile) -> ArtifactRef:
    """Fetch a video unless this very version of it was fetched before; the reference is to this machine's copy.

    As long as this process lives the copy stays: nobody could fetch it again once its server has another version.
    Raises InvalidRequest when the address is refused, InvalidMedia when there is no video at it or a too large one,
    StoreUnavailable when its server does not answer as it should, OutputUnavailable when the disk is full.
    """
    address, cache = check_address(file), ArtifactStore(settings().cache)
    records, suffix = LocalPlace(settings().cache), PurePosixPath(file.name).suffix
    record = f"sources/{hashlib.sha256(file.encode()).hexdigest()}"
    known = _known(records, record, suffix)
    with cache.workspace() as folder:
        download = _Download(file, str(address), folder / f"source{suffix}", known)
        if download.fetch():
            kept = cache.adopt(download.path)
            version = download.version.model_copy(update={"sha256": kept.sha256})
            records.write(record, version.model_dump_json().encode())
            hold(local_path(kept))
            return kept
    key = artifact_key(known.sha256, suffix)
    copy = records.root / key
    hold(copy)
    records.touch(key)
    return ArtifactRef(uri=copy.absolute().as_uri(), sha256=known.sha256, size=copy.stat().st_size)


def _known(records: LocalPlace, record: str, suffix: str) -> Version:
    """What was fetched before, if its copy is still as it was."""
    try:
        known = Version.model_validate_json(records.read(record) or b"{}")
    except ValidationError:
        return Version()
    copy = records.root / artifact_key(known.sha256, suffix)
    return known if known.sha256 and copy.is_file() and sha256_of(copy) == known.sha256 else Version()


class _Download:
    """One video on its way into `path`, over as many connections as it takes."""

    def __init__(self, url: str, shown: str, path: Path, known: Version) -> None:
        self._url, self._shown, self._known = url, shown, known
        self.path, self.version = path, Version()
        self._have = 0
        self._clock = Clock(settings().url_timeout_s)

    def fetch(self) -> bool:
        """Whether something was fetched; False when what is known is still what is there."""
        tries, before = 0, 0
        while True:
            try:
                return self._go_on()
            except _FAILURES as error:
                if isinstance(error.__cause__ or error.__context__, ssl.SSLCertVerificationError):
                    raise InvalidRequest(f"{self._shown} has no valid certificate; check the URL.") from error
                tries = 1 if self._have - before >= PROGRESS_BYTES else tries + 1
                before = max(before, self._have)
                if tries >= TRIES:
                    raise StoreUnavailable(
                        f"{self._shown} could not be fetched whole ({_told(error)}); it was tried several times, "
                        "so try again later."
                    ) from error
                time.sleep(min(PAUSE_S * tries, self._clock.patience_s()))

    def _go_on(self) -> bool:
        if not self.version.strong:
            self._have = 0
        with answer(self._url, self._headers(), self._clock) as response:
            if response.status == 304 and self._known.sha256:
                return False
            told = _version(response)
            if response.status == 206 and self._have:
                self._require_continuation(response, told)
            elif response.status == 200:
                if self._known.sha256 and told.same(self._known):
                    return False
                self._have, self.version = 0, told
            else:
                self._refused(response.status)
            self._receive(response)
        if self._have == 0:
            raise InvalidMedia(f"{self._shown} is empty (0 bytes); check the URL.")
        return True

    def _headers(self) -> Mapping[str, str]:
        headers = {"User-Agent": "dubline", "Accept": "*/*", "Accept-Encoding": "identity"}
        if self._have:
            return headers | {"Range": f"bytes={self._have}-", "If-Range": self.version.strong}
        if self._known.etag:
            return headers | {"If-None-Match": self._known.etag}
        return headers | ({"If-Modified-Since": self._known.modified} if self._known.modified else {})

    def _require_continuation(self, response: httpcore.Response, told: Version) -> None:
        """Raises RemoteProtocolError, after which all is fetched anew, when this is not the rest of what we have."""
        place = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", header(response, "content-range"))
        if not place or int(place[1]) != self._have or told.etag not in ("", self.version.etag):
            self._have, self.version = 0, Version()
            raise httpcore.RemoteProtocolError("the rest does not continue what came before")

    def _refused(self, status: int) -> None:
        if status == 416 or status == 206:
            self._have, self.version = 0, Version()
            raise httpcore.RemoteProtocolError("the server offers a part that nobody asked for")
        if status >= 500 or status in _LASTING:
            raise StoreUnavailable(f"{self._shown} answers {status}; try again later.")
        raise InvalidMedia(f"There is no video at {self._shown} (its server answers {status}); check the URL.")

    def _receive(self, response: httpcore.Response) -> None:
        if header(response, "content-encoding").lower() not in ("", "identity"):
            raise InvalidMedia(f"{self._shown} is sent compressed, though that was not asked for; use another address.")
        if self.version.size is not None:
            require_size(self._shown, self.version.size)
        with self.path.open("r+b" if self._have else "wb") as file:
            file.truncate(self._have)
            file.seek(self._have)
            for piece in response.iter_stream():
                require_size(self._shown, self._have + len(piece))
                file.write(piece)
                self._have += len(piece)


def _version(response: httpcore.Response) -> Version:
    length = header(response, "content-length")
    return Version(
        etag=_sent_back(header(response, "etag")),
        modified=_sent_back(header(response, "last-modified")),
        size=int(length) if length.isdigit() else None,
    )


def _sent_back(value: str) -> str:
    """What will be a header of our own, if it can be one."""
    return value if value.isascii() and value.isprintable() and len(value) <= MAX_VALUE else ""


def _told(error: Exception) -> str:
    """One line, without what a server may have put into it."""
    kinds = {
        httpcore.ConnectError: "it cannot be connected to",
        httpcore.TimeoutException: "it stalls",
        httpcore.NetworkError: "the connection was lost",
    }
    return next((said for kind, said in kinds.items() if isinstance(error, kind)), "its answer breaks off")
