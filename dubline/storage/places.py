"""Where files live: a folder of this machine, or (in `s3.py`) a prefix of a bucket, with the same few verbs.

A key is a relative path with slashes. A file is written whole or not at all, so a reader never sees half of one.
"""

from __future__ import annotations

import fcntl
import os
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Protocol

from dubline.domain.errors import OutputUnavailable

WORKSPACES = "tmp"
"""Folder for what is being written; nothing below it counts as a file of the place."""
DAY_S = 86_400
"""How exactly the last use of a file is known."""
FORSAKEN_S = 2 * DAY_S
"""A working folder of another machine in which nothing was written for so long has no process any more."""
_held: dict[Path, BinaryIO] = {}
"""Files that this process holds, opened and locked."""
_MACHINE = sha256(platform.node().encode()).hexdigest()[:8]
_OWNER = re.compile(r"([0-9a-f]{8})\.((\d+)\.\d+)")
"""Machine, process, and the process's number."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a place."""

    key: str
    size: int
    """Bytes."""
    modified: float
    """Seconds since the epoch at which it was written or last used, as the place's own clock has it."""
    version: str = ""
    """What tells one content of the file from another, where the place has such a thing: S3's ETag."""


class Place(Protocol):
    """Raises OutputUnavailable where a retry cannot help (no room, no access), StoreUnavailable where it can."""

    def stat(self, key: str) -> Entry | None: ...

    def read(self, key: str) -> bytes | None:
        """The content; None where there is no such file."""

    def write(self, key: str, content: bytes) -> None:
        """Durably, whole or not at all."""

    def touch(self, key: str) -> None:
        """Make a file as young as if it had been written now; nothing happens where there is none."""

    def remove(self, key: str) -> None:
        """Remove a file, if it is there."""

    def entries(self) -> Iterator[Entry]:
        """All files, in any order."""


def keep_young(place: Place, key: str) -> None:
    """Note that a file is in use, at most once a day."""
    entry = place.stat(key)
    if entry and time.time() - entry.modified > DAY_S:
        place.touch(key)


def hold(path: Path) -> None:
    """Mark a file of this machine as in use for as long as this process lives, however it ends."""
    file = path.open("rb")
    with suppress(OSError):  # there are file systems without locks; then the file's age alone counts
        fcntl.flock(file, fcntl.LOCK_SH)
    _held[path] = file


def held(path: Path) -> bool:
    """Whether a process of this machine holds the file."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:  # as above
            return False
    return False


@contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Say in one sentence why a folder cannot be written to."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OutputUnavailable(
            f"Cannot write below {place}: {os.strerror(error.errno)}; make room or set DUBLINE_HOME to another disk."
        ) from error


def owner() -> str:
    """This process, in the names of working folders that other machines and containers may see as well."""
    return f"{_MACHINE}.{_process(str(os.getpid()))}"


def remove_if_orphaned(folder: Path, owner: str) -> None:
    """Remove a working folder whose process is no more; other runs may be using the others.

    Whether one of this machine's lives is known, however long it wrote nothing. For other machines' age has to do: they
    may be at work, be no more, or be this one before its container was made anew and got another name.
    """
    named = _OWNER.fullmatch(owner)
    if named is None:
        return  # not ours, whatever it is
    machine, process, number = named.groups()
    lives = _process(number) == process if machine == _MACHINE else _written(folder) >= time.time() - FORSAKEN_S
    if not lives:
        shutil.rmtree(folder, ignore_errors=True)


def _process(number: str) -> str:
    """A process that lives, with the tick of the machine's clock at which it began: its number may be another's soon.

    Empty where there is none.
    """
    try:
        state = Path(f"/proc/{number}/stat").read_text()
    except OSError:
        return ""
    return f"{number}.{state.rpartition(')')[2].split()[19]}"


def sync_directory(directory: Path) -> None:
    """Make a rename in the directory durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def move_durably(path: Path, final: Path) -> None:
    """Give a finished file its name. Once this returns, no loss of power takes it away."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
    _make_folder(final.parent)
    path.replace(final)
    sync_directory(final.parent)


def put_new(partial: Path, final: Path) -> None:
    """Give a finished file a further name, which nothing has: of two at the same moment, one gets it.

    Raises FileExistsError. Where there are no hard links, who is killed leaves half of the file.
    """
    try:
        final.hardlink_to(partial)
    except FileExistsError:
        raise
    except OSError:  # exFAT, some shares
        with final.open("xb") as file:
            file.write(partial.read_bytes())


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_directory(folder.parent)


class LocalPlace:
    """Files below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """A private folder on the place's own disk, so that moving a file from it is a rename. It is removed."""
        folder = self.begin_workspace()
        try:
            with disk_errors(self.root):
                yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def begin_workspace(self) -> Path:
        """One that stays until `abandon`, or until this process is no more and another one reaps it."""
        with disk_errors(self.root):
            parent = self.root / WORKSPACES
            parent.mkdir(parents=True, exist_ok=True)
            return Path(tempfile.mkdtemp(dir=parent, prefix=f"{owner()}-"))

    def abandon(self) -> None:
        """Remove the workspaces of this process, which is about to end."""
        for folder in (self.root / WORKSPACES).glob(f"{owner()}-*"):
            shutil.rmtree(folder, ignore_errors=True)

    def reap(self) -> None:
        """Remove the workspaces of processes that were killed."""
        with suppress(FileNotFoundError):  # a session's place may be removed meanwhile
            for folder in (self.root / WORKSPACES).glob("*-*"):
                remove_if_orphaned(folder, folder.name.partition("-")[0])

    def stat(self, key: str) -> Entry | None:
        try:
            found = (self.root / key).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Entry(key, found.st_size, found.st_mtime)

    def read(self, key: str) -> bytes | None:
        with disk_errors(self.root):
            try:
                return (self.root / key).read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return None

    def write(self, key: str, content: bytes) -> None:
        with self.workspace() as folder:
            partial = folder / "content"
            partial.write_bytes(content)
            move_durably(partial, self.root / key)

    def upload(self, path: Path, key: str) -> None:
        """Copy a file to its place, durably. It appears when all of it is there, or not at all."""
        with self.workspace() as folder:
            partial = folder / "content"
            shutil.copyfile(path, partial)
            move_durably(partial, self.root / key)

    def download(self, key: str, path: Path) -> bool:
        """Copy a file from its place; False where there is none."""
        try:
            shutil.copyfile(self.root / key, path)
        except FileNotFoundError:
            return False
        return True

    def touch(self, key: str) -> None:
        with disk_errors(self.root), suppress(FileNotFoundError):
            os.utime(self.root / key)

    def remove(self, key: str) -> None:
        with disk_errors(self.root):
            (self.root / key).unlink(missing_ok=True)

    def entries(self) -> Iterator[Entry]:
        for folder, inner, names in os.walk(self.root):
            if Path(folder) == self.root and WORKSPACES in inner:
                inner.remove(WORKSPACES)
            for name in names:
                found = self.stat(Path(folder, name).relative_to(self.root).as_posix())
                if found:  # else it was removed meanwhile
                    yield found


def _written(folder: Path) -> float:
    """When something was last written in a working folder (epoch, s); 0 for one that is gone.

    Its process may be removing it at this very moment, which os.walk passes over in silence.
    """
    inside = (Path(found, name) for found, _, names in os.walk(folder) for name in (".", *names))
    return max(map(_modified, inside), default=0.0)


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
