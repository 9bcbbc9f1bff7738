"""The records of finished stages, as Prefect writes and reads them: a file for each, where DUBLINE_STORE says.

Prefect has file systems for a folder and for a bucket. This one treats both alike, writes a record whole or not at all,
notices one whose content has changed, speaks to S3 as the artifacts do, and needs nothing from the Prefect server.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

from prefect.filesystems import WritableFileSystem
from pydantic import PrivateAttr

from dubline.storage.chosen import checkpoint_place
from dubline.storage.places import Place
from dubline.telemetry import ledger

TRIES = 2
"""How often a record is read before its content is believed to be wrong."""


class RecordFiles(WritableFileSystem):
    """Checkpoint records, by their keys. Prefect passes `_sync=True` where it wants no coroutine."""

    _block_type_name = "Dubline checkpoint records"
    _place: Place = PrivateAttr(default_factory=checkpoint_place)

    def _resolve_path(self, path: str) -> None:
        """None tells Prefect that a record's key is its whole address, on every machine."""

    def read_path(self, path: str, **_: Any) -> bytes:  # type: ignore[override]  # Prefect's own are not async either
        """Raises ValueError where there is none that can be believed: that is what Prefect takes for a miss."""
        for _try in range(TRIES):
            stored = self._place.read(path)
            if stored is None:
                raise ValueError(f"There is no record {path}.")
            content, _line, seal = stored.rpartition(b"\n")
            if seal == _seal(content):
                return content
        raise ValueError(f"The record {path} is not what was written.")

    def write_path(self, path: str, content: bytes, **_: Any) -> None:  # type: ignore[override]  # as above
        told = {"key": path, "output": _seal(content).decode()}
        ledger.record("recording", **told)
        self._place.write(path, sealed(content))
        ledger.record("committed", **told)

    async def aread_path(self, path: str) -> bytes:
        return await asyncio.to_thread(self.read_path, path)

    async def awrite_path(self, path: str, content: bytes) -> None:
        await asyncio.to_thread(self.write_path, path, content)


def sealed(content: bytes) -> bytes:
    """A record as it is stored: its content, and its sha256 on a line of its own."""
    return content + b"\n" + _seal(content)


def _seal(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
