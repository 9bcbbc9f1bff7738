"""A session's sealed files, as a place like any other: what is written there is sealed, what is read is opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Protocol

from dubline.domain.errors import StoreUnavailable
from dubline.settings import settings
from dubline.storage.places import Entry, LocalPlace, Place
from dubline.storage.seals import Broken, Seal, open_size

SCHEME = "sealed:"
"""Of addresses that say where among its session's files an artifact is, wherever those are."""


_in_use: SealedPlace | None = None


def use(place: SealedPlace | None) -> None:
    """From now on this process works for a sealed session, or for none."""
    global _in_use
    _in_use = place


def used() -> SealedPlace | None:
    """The files of the sealed session for which this process works."""
    return _in_use


def in_use() -> SealedPlace:
    """The same, where there must be one. Raises StoreUnavailable."""
    if _in_use is None:
        raise StoreUnavailable("A sealed file is asked for outside its session's run; run the session again.")
    return _in_use


class Holder(Place, Protocol):
    """A place that takes and gives whole files."""

    def upload(self, path: Path, key: str) -> None:
        """Put a file. It appears when all of it is there, or not at all."""

    def download(self, key: str, path: Path) -> bool:
        """Read into a file; False where there is none. The caller compares the sha256 of what arrived."""


class RemotePlace(Holder, Protocol):
    """A place whose files are worked with as copies on this machine."""

    def uri_of(self, key: str) -> str: ...

    def abort_uploads(self, before: float) -> int:
        """End uploads that were begun before `before` (epoch, s) and never finished; how many there were."""


class SealedPlace:
    """The files of a session below `prefix`, a folder's name with its slash, in whatever place holds them sealed."""

    def __init__(self, holder: Holder, root: str, seal: Seal, prefix: str = "") -> None:
        """`root` is the address of the session's folder, a path or an object's."""
        self._holder, self._root, self._seal, self._prefix = holder, root, seal, prefix

    @property
    def holder(self) -> Holder:
        """What has the session's files, sealed."""
        return self._holder

    @property
    def session(self) -> str:
        return self._seal.session

    def below(self, folder: str) -> SealedPlace:
        return SealedPlace(self._holder, self._root, self._seal, f"{self._prefix}{folder}/")

    def key_of(self, location: str | Path) -> str | None:
        """The key of what lies at that address; None for what is not among the session's files."""
        inside = f"{self._root}/"
        return str(location).removeprefix(inside) if str(location).startswith(inside) else None

    def uri_of(self, key: str) -> str:
        return f"{SCHEME}{self._prefix}{key}"

    def stat(self, key: str) -> Entry | None:
        found = self._holder.stat(self._prefix + key)
        return self._entry(found) if found else None

    def read(self, key: str) -> bytes | None:
        """What is damaged counts as missing, so that it is made again."""
        sealed = self._holder.read(self._prefix + key)
        try:
            return None if sealed is None else self._seal.open(self._prefix + key, sealed)
        except Broken:
            return None

    def write(self, key: str, content: bytes) -> None:
        self._holder.write(self._prefix + key, self._seal.close(self._prefix + key, content))

    def touch(self, key: str) -> None:
        self._holder.touch(self._prefix + key)

    def remove(self, key: str) -> None:
        self._holder.remove(self._prefix + key)

    def entries(self) -> Iterator[Entry]:
        return (self._entry(one) for one in self._holder.entries() if one.key.startswith(self._prefix))

    def upload(self, path: Path, key: str) -> None:
        with _working_folder() as folder:
            sealed = folder / "sealed"
            self._seal.close_file(self._prefix + key, path, sealed)
            self._holder.upload(sealed, self._prefix + key)

    def download(self, key: str, path: Path) -> bool:
        with _working_folder() as folder:
            sealed = folder / "sealed"
            if not self._holder.download(self._prefix + key, sealed):
                return False
            with suppress(Broken):  # then what was opened is too short, as the caller's comparison finds out
                self._seal.open_file(self._prefix + key, sealed, path)
        return True

    def abort_uploads(self, before: float) -> int:
        return 0  # they go with the session

    def _entry(self, found: Entry) -> Entry:
        return Entry(found.key.removeprefix(self._prefix), open_size(found.size), found.modified, found.version)


def _working_folder() -> AbstractContextManager[Path]:
    return LocalPlace(settings().cache).workspace()
