"""How a file is opened. Every input of ffmpeg and ffprobe is built here, and nowhere else.

A playlist that calls itself `.mp4` makes a decoder open other files or addresses. So the demuxers that may open a
user's file are listed, the protocol is `file` alone, and one of our own files is opened with the one demuxer it needs.
Numbers that a hostile header could make large (streams, pixels) are limited before anything is allocated for them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import ffmpeg

from dubline.domain.errors import InvalidMedia
from dubline.storage import sealed
from dubline.storage.artifacts import local_path, reference, sha256_of
from dubline.storage.limits import require_size
from dubline.storage.locations import BucketFile, WebFile
from dubline.storage.results import ArtifactRef

FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,ogg,wav,mp3,flac,aac,asf,mxf,nut,dv,wtv,rm,gxf"
"""Demuxers that open nothing but the file itself. Whose videos lie in several (`imf`, `hls`) are not among them."""
MAX_STREAMS = 128
"""A disc with every language has about 100; a demuxer's own limit is 1000."""
MAX_PIXELS = 36_000_000
"""8K in the widest form sold is 8192 x 4320; a decoder takes about 3.5 bytes a pixel, several times over."""

OwnFormat = Literal["flac", "wav", "srt", "mov"]

_Mark = tuple[int, int, int, int] | None
_fingerprinted: dict[ArtifactRef, _Mark] = {}
"""Users' files of this machine -> the mark that each had when this process computed its sha256. It is no part of any
value: what is made of equal content is equal, whichever file that came from."""


def file_url(path: Path) -> str:
    """The path as ffmpeg takes it literally: absolute, so that no name is read as an option or as a protocol."""
    return f"file:{path.absolute()}"


def open_media(path: Path, **options: str | None) -> Any:
    """A user's file as ffmpeg-python's input; `options` are ffmpeg's own for that input, None for a switch."""
    return ffmpeg.input(file_url(path), **_limits(), format_whitelist=FORMATS, **options)


def open_own(path: Path, kind: OwnFormat, **options: str) -> Any:
    """A file that Dubline wrote, or a clip of an engine, as ffmpeg-python's input."""
    return ffmpeg.input(file_url(path), **_limits(), format=kind, format_whitelist=kind, **options)


def probing_arguments(path: Path) -> list[str]:
    """The same limits for ffprobe, the input included."""
    options = [word for name, value in _limits().items() for word in (f"-{name}", value)]
    return [*options, "-format_whitelist", FORMATS, "-i", file_url(path)]


def _limits() -> dict[str, str]:
    return {"protocol_whitelist": "file", "max_streams": str(MAX_STREAMS), "max_pixels": str(MAX_PIXELS)}


def printable(text: str) -> str:
    """Text that is safe inside a one-line message: control characters and broken bytes are escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def shown(path: Path) -> str:
    """A file's name, for messages."""
    return printable(path.name)


def source_reference(video: BucketFile | WebFile | Path) -> ArtifactRef:
    """Look whether a user's video is there, and fingerprint it. One that lies elsewhere is fetched, unless it was.

    Raises InvalidMedia, InvalidRequest, StoreUnavailable, OutputUnavailable.
    """
    own = sealed.used()
    if own and (key := own.key_of(video)):
        from dubline.storage.remote_artifacts import sealed_source

        return sealed_source(own, key)
    if isinstance(video, BucketFile):
        from dubline.storage.s3_sources import source_in_bucket  # s3fs takes a second to import

        return source_in_bucket(video)
    if isinstance(video, WebFile):
        from dubline.storage.web_sources import source_on_web  # only who fetches pays for the import

        return source_on_web(video)
    check_file(video)
    require_size(shown(video), video.stat().st_size)
    mark = _mark(video)
    uri = video.absolute().as_uri()
    known = next((ref for ref, then in _fingerprinted.items() if ref.uri == uri and then == mark), None)
    found = known or reference(video)
    _fingerprinted[found] = mark
    return found


@contextmanager
def source_file(ref: ArtifactRef) -> Iterator[Path]:
    """A source video to read in the block, at whose end it must hold what its reference says.

    Copies of ours are verified by who makes them. A user's own file is never copied, so anybody may replace it at any
    time; it is hashed again only when it was touched. Raises InvalidMedia, and what `local_path` does.
    """
    path = local_path(ref)
    try:
        yield path
    finally:  # also where the block failed: then this is why
        if ref in _fingerprinted and _mark(path) != _fingerprinted[ref] and not _holds(path, ref):
            raise InvalidMedia(f"'{shown(path)}' was replaced while it was read; start again.")


def _mark(path: Path) -> _Mark:
    """What no write leaves as it was; None where there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _holds(path: Path, ref: ArtifactRef) -> bool:
    try:
        return sha256_of(path) == ref.sha256
    except OSError:
        return False


def check_file(path: Path) -> None:
    """Find out, before anything is opened, why a path cannot be a video. Raises InvalidMedia."""
    try:
        str(path).encode()
        path.stat()
        size = _readable_size(path)
    except UnicodeEncodeError:
        raise InvalidMedia(f"The name of '{shown(path)}' is not valid UTF-8; rename the file.") from None
    except FileNotFoundError:
        raise InvalidMedia(f"There is no file '{printable(str(path))}'; check the path.") from None
    except PermissionError:
        raise InvalidMedia(f"'{shown(path)}' may not be read; give yourself the permission (chmod u+r).") from None
    except OSError as error:
        raise InvalidMedia(f"'{shown(path)}' cannot be read: {os.strerror(error.errno or 0)}.") from None
    if size == 0:
        raise InvalidMedia(f"'{shown(path)}' is empty (0 bytes); copy or download it again.")


def _readable_size(path: Path) -> int:
    if path.is_dir():
        raise InvalidMedia(f"'{shown(path)}' is a folder; name the video file in it.")
    if not path.is_file():
        raise InvalidMedia(f"'{shown(path)}' is not a regular file; copy the video into a file first.")
    with path.open("rb"):
        return path.stat().st_size
