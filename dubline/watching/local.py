"""A watched folder on a disk of this machine or on a network share. Every move in it is one atomic rename."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import io
import os
import shutil
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from dubline.domain.errors import InvalidRequest
from dubline.domain.file_names import numbered
from dubline.storage.places import put_new
from dubline.watching.folder import PARTIAL, WORK, Entry, Kind, too_large

F_SETSIG = 10
"""fcntl(2) on Linux; Python has no name for it."""
AT_FDCWD, RENAME_NOREPLACE = -100, 1
"""rename(2) on Linux; Python has no call for it."""
_libc = ctypes.CDLL(None, use_errno=True)
_NEVER_READ = {errno.EISDIR, errno.ELOOP, errno.EACCES, errno.EPERM, errno.ENXIO, errno.ENAMETOOLONG}
"""Folders, links, files of others, sockets, and names that no file can have."""


class LocalFolder:
    """Follows the `Folder` protocol."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    @property
    def key(self) -> str:
        return str(self.path)

    def entries(self, place: str = "") -> list[Entry]:
        found: list[Entry] = []
        if place and not self.exists(place):
            return found
        with os.scandir(self.path / place) as listing:
            for file in listing:
                with suppress(FileNotFoundError):  # it went while we looked
                    if not file.name.startswith("."):
                        status = file.stat(follow_symlinks=False)
                        found.append(Entry(file.name, _stamp(status), status.st_ctime, _kind(status)))
        return sorted(found, key=lambda entry: entry.name)

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        yield self.path / name

    def being_written(self, name: str) -> bool:
        """A read lease is refused by the kernel while anybody has the file open for writing (fcntl(2), Leases)."""
        try:
            with (self.path / name).open("rb") as file:
                fcntl.fcntl(file, F_SETSIG, signal.SIGURG)  # who opens it now would end us with the usual SIGIO
                fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
                fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        except OSError as error:
            return error.errno == errno.EAGAIN  # all else: not ours to lease, or no leases on this file system
        return False

    def stamp(self, place: str) -> str | None:
        try:
            return _stamp((self.path / place).lstat())
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENAMETOOLONG):  # a sidecar's name is longer than its video's
                return None
            raise

    def exists(self, place: str) -> bool:
        return os.path.lexists(self.path / place)

    def files(self, place: str) -> list[str]:
        files = (path for path in self._inside(place) if path.is_file() and not path.is_symlink())
        return [path.name for path in files if path.stat().st_size]  # an empty one is a name that was reserved

    def folders(self, place: str) -> list[str]:
        return [path.name for path in self._inside(place) if path.is_dir()]

    def _inside(self, place: str) -> list[Path]:
        try:
            return sorted((self.path / place).iterdir())
        except FileNotFoundError:
            return []

    def read(self, place: str, at_most: int | None = None) -> bytes:
        path = self.path / place
        try:
            with io.FileIO(path, opener=_open_plainly) as file:
                status = os.fstat(file.fileno())
                if _kind(status) is not Kind.FILE:
                    raise InvalidRequest(f"{place} is no plain file; put the file itself there.")
                if at_most is not None and status.st_size > at_most:
                    raise too_large(place, at_most)
                return file.readall()
        except OSError as error:
            if error.errno not in _NEVER_READ:
                raise
            raise InvalidRequest(
                f"{place} cannot be read ({os.strerror(error.errno)}); put a plain file there."
            ) from None

    def write(self, place: str, content: str) -> None:
        partial = self._partial(place, content)
        try:
            partial.replace(self.path / place)
        except FileNotFoundError:  # another scanner removed the empty folder just now
            partial.unlink()
            raise

    def claim(self, place: str, content: str) -> bool:
        partial = self._partial(place, content)
        try:
            put_new(partial, self.path / place)
        except FileExistsError:
            return self.read(place) == content.encode()
        finally:
            partial.unlink()
        return True

    def _partial(self, place: str, content: str) -> Path:
        """The text under another name: machines that share the folder may have equal process ids."""
        (self.path / place).parent.mkdir(parents=True, exist_ok=True)
        partial = self.path / WORK / (uuid4().hex + PARTIAL)
        partial.parent.mkdir(exist_ok=True)
        partial.write_text(content, encoding="utf-8")
        return partial

    def move(self, source: str, target: str) -> bool:
        final = self.path / target
        final.parent.mkdir(parents=True, exist_ok=True)
        try:
            (self.path / source).rename(final)
        except FileNotFoundError:
            return False
        return True

    def move_video(self, source: str, target: str, stamp: str | None = None) -> bool:
        path, final = self.path / source, self.path / target
        final.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():  # left by another scanner, which has moved the video
            return False
        if stamp is not None and self.stamp(source) != stamp:
            return False
        try:
            _rename_to_free(path, final)
        except (FileNotFoundError, FileExistsError):
            return False
        return True

    def move_aside(self, source: str, wanted: str, stamp: str | None = None) -> str | None:
        (self.path / wanted).parent.mkdir(parents=True, exist_ok=True)
        for target in numbered(wanted):
            try:
                (self.path / target).touch(exist_ok=False)  # the name is ours: of two that move, one gets it
            except FileExistsError:
                continue
            try:
                (self.path / source).rename(self.path / target)
            except FileNotFoundError:
                (self.path / target).unlink(missing_ok=True)
                return None
            if stamp is None or self.stamp(target) == stamp:
                return target
            self.move_aside(target, source)  # it was overwritten in the last moment
            return None
        raise AssertionError("numbers do not end")

    def remove(self, place: str) -> None:
        path = self.path / place
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    def remove_empty(self, place: str) -> None:
        for path in self._inside(place):
            if path.is_symlink():
                reserved = not path.exists()
            elif path.is_dir():
                self.remove_empty(f"{place}/{path.name}")
                reserved = False
            else:
                reserved = path.stat().st_size == 0
            if reserved:
                path.unlink(missing_ok=True)
        with suppress(OSError):  # not empty: somebody put something there just now
            (self.path / place).rmdir()

    def link(self, place: str, target: str) -> None:
        link = self.path / place
        linked = False
        while not linked:
            link.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # another scanner removes what was empty just now
                with suppress(FileExistsError, PermissionError):  # a share that has no links, too
                    link.symlink_to(os.path.relpath(self.path / target, link.parent))
                linked = True

    def links(self, place: str) -> dict[str, str]:
        found = {path.name: path.resolve() for path in self._inside(place) if path.is_symlink()}
        return {n: str(to.relative_to(self.path)) for n, to in found.items() if to.is_relative_to(self.path)}

    def address(self, place: str) -> str:
        return str(self.path / place)


def _rename_to_free(source: Path, target: Path) -> None:
    """Raises FileExistsError where the target is taken: of two that move the same at the same moment, one does."""
    if _libc.renameat2(AT_FDCWD, os.fsencode(source), AT_FDCWD, os.fsencode(target), RENAME_NOREPLACE) == 0:
        return
    code = ctypes.get_errno()
    if code != errno.EINVAL:
        raise OSError(code, os.strerror(code), str(source), None, str(target))
    if os.path.lexists(target):  # a file system that knows no such rename: the best that can be done
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    source.rename(target)


def _open_plainly(path: str, flags: int) -> int:
    """Follow no link, and wait for nobody at the other end of a pipe."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _kind(status: os.stat_result) -> Kind:
    if stat.S_ISREG(status.st_mode):
        return Kind.FILE
    return Kind.FOLDER if stat.S_ISDIR(status.st_mode) else Kind.ODD


def _stamp(status: os.stat_result) -> str:
    """Not the time of the inode's change: a rename sets it."""
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ino}"
