"""What a watched folder offers, whether it is local or an S3 prefix, and which names in it mean what.

A place is a path relative to the folder, with slashes: `clip.mp4`, `done/clip`. Every method does I/O and blocks.
They raise OSError; FileNotFoundError only where it is said.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Protocol

from dubline.domain.errors import InvalidRequest
from dubline.domain.file_names import named

DONE, FAILED, WORK = "done", "failed", ".dubline"
DEFAULTS = "dubline.yaml"
SIDECAR, REASON, NOTE = ".yaml", ".reason.txt", ".note.txt"
PARTIAL = ".partial"
"""A text that is being written, in the folder WORK."""
VIDEOS = (
    *(".3g2", ".3gp", ".asf", ".avi", ".dv", ".flv", ".gxf", ".m2t", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg"),
    *(".mpg", ".mts", ".mxf", ".nut", ".ogg", ".ogm", ".ogv", ".qt", ".rm", ".rmvb", ".ts", ".vob", ".webm", ".wmv"),
    *(".wtv",),
)
"""Names that may be videos. Names of unfinished copies (`.part`, `.tmp`, `.crdownload`) have none of these endings."""
UNMARKED = (
    *(".asf", ".dv", ".gxf", ".m2t", ".m2ts", ".mpeg", ".mpg", ".mts", ".mxf", ".nut", ".ogg", ".ogm", ".ogv", ".rm"),
    *(".rmvb", ".ts", ".vob", ".wmv", ".wtv"),
)
"""Those that need no mark of where they end."""


class Kind(StrEnum):
    FILE = "file"
    FOLDER = "folder"
    ODD = "odd"
    """A link, a pipe, a device: nothing that is followed or opened."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file directly in the folder, or what else has a name there."""

    name: str
    stamp: str
    """Differs when the content may have changed: size, time of change and file number, or an S3 ETag."""
    changed: float
    """When it was last touched, in seconds since 1970, by the storage's clock; what a copy tool sets does not count."""
    kind: Kind = Kind.FILE


@dataclass(frozen=True, slots=True)
class Drop:
    """A video that somebody put into the folder, and its sidecar where it has one."""

    video: Entry
    sidecar: Entry | None = None

    @property
    def name(self) -> str:
        return self.video.name

    @property
    def stamp(self) -> str:
        return f"{self.video.stamp} {self.sidecar.stamp if self.sidecar else ''}"

    @property
    def changed(self) -> float:
        return max(self.video.changed, self.sidecar.changed if self.sidecar else 0.0)


class Folder(Protocol):
    @property
    def key(self) -> str:
        """The folder's identity in the ledger: its absolute path or its URI."""

    def entries(self, place: str = "") -> list[Entry]:
        """All that is directly in the folder, or in one below it; hidden names left out.

        Raises FileNotFoundError where the folder itself is not there.
        """

    def local(self, name: str) -> AbstractContextManager[Path]:
        """The file on this machine, as long as the context lasts. Raises FileNotFoundError."""

    def being_written(self, name: str) -> bool:
        """Whether a process is known to have the file open for writing; False where that cannot be known."""

    def stamp(self, place: str) -> str | None:
        """The stamp of what is there now; None where nothing is."""

    def exists(self, place: str) -> bool:
        """Whether a file or a folder is there."""

    def files(self, place: str) -> list[str]:
        """Names of the files in a folder, in order. Links that `link` left are not among them."""

    def folders(self, place: str) -> list[str]:
        """Names of the folders in a folder, in order."""

    def read(self, place: str, at_most: int | None = None) -> bytes:
        """The content of a file of at most so many bytes.

        Raises FileNotFoundError, and InvalidRequest where it is larger, or no file that can ever be read.
        """

    def write(self, place: str, content: str) -> None:
        """Put a text file there, whole or not at all."""

    def claim(self, place: str, content: str) -> bool:
        """Put a text file there unless another is; whether the file that is there now has this content."""

    def move(self, source: str, target: str) -> bool:
        """Move a file or a folder, replacing a file; False where the source is gone. In a bucket a file that is dropped
        anew meanwhile stays."""

    def move_video(self, source: str, target: str, stamp: str | None = None) -> bool:
        """Move a file; False where it is gone, or is not any more what `stamp` says, and stays, or where something else
        is at the target, which stays. In a bucket what is dropped meanwhile is at the source afterwards."""

    def move_aside(self, source: str, wanted: str, stamp: str | None = None) -> str | None:
        """Move a file to a name like `wanted` that nothing has; that place.

        None where the source is gone, or is not any more what `stamp` says: then it stays where it is.
        """

    def remove(self, place: str) -> None:
        """Remove a file, or a folder with all it holds; nothing happens where there is none."""

    def remove_empty(self, place: str) -> None:
        """Remove a folder that holds no file and no link that leads anywhere; otherwise what it holds stays."""

    def link(self, place: str, target: str) -> None:
        """Leave a way from where a run looks for its video to where it went, if the storage has links."""

    def links(self, place: str) -> dict[str, str]:
        """Links in a folder: name -> place they lead to, whether or not there is anything now."""

    def address(self, place: str) -> str:
        """How a run finds the place: an absolute path or a URI."""


def drops(entries: list[Entry]) -> list[Drop]:
    """The videos among a folder's files, each with its sidecar."""
    by_name = {entry.name: entry for entry in entries}
    videos = (entry for entry in entries if is_video(entry.name) and entry.kind is not Kind.FOLDER)
    return [Drop(video, by_name.get(video.name + SIDECAR)) for video in videos]


def texts(entries: list[Entry]) -> list[Entry]:
    """All else: dubline.yaml, glossaries, sidecars without a video. Any other sidecar belongs to its video's drop."""
    names = {entry.name for entry in entries}
    others = (entry for entry in entries if entry.kind is not Kind.FOLDER and not is_video(entry.name))
    return [entry for entry in others if not (is_sidecar(entry.name) and video_of(entry.name) in names)]


def is_sidecar(name: str) -> bool:
    return name.endswith(SIDECAR) and is_video(video_of(name))


def video_of(sidecar: str) -> str:
    return sidecar.removesuffix(SIDECAR)


def too_large(place: str, at_most: int) -> InvalidRequest:
    """What `read` raises for a file of more than `at_most` bytes."""
    return InvalidRequest(f"{place} has more than {at_most >> 10} KiB; shorten it.")


def is_video(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in VIDEOS


def is_unmarked(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in UNMARKED


def beside(place: str, ending: str) -> str:
    """The place of a text about a file: its name with the ending."""
    path = PurePosixPath(place)
    return named(path, path.name, ending)
