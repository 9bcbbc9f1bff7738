"""The two ways to watch: a loop that stays up and wakes when something changes, and one careful look on a schedule."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from dubline.domain.errors import DublineError
from dubline.watching.bucket import SCHEME, BucketFolder
from dubline.watching.folder import Folder
from dubline.watching.following import Told
from dubline.watching.local import LocalFolder
from dubline.watching.watcher import Watcher

POLL_S = 2.0
"""Between two looks at a folder whose changes nobody announces, or while runs are under way."""
IDLE_S = 30.0
"""Between two looks at a folder that announces its changes and for which nothing runs."""
REST_S = 0.25
"""The least time between two looks, however much is announced."""
ERROR_S = 10.0
"""Before the next look when the folder, the database or the orchestrator cannot be reached."""

Tell = Callable[[Told], Any]


def open_folder(place: str) -> Folder:
    """The folder at a local path, or at `s3://bucket/prefix`."""
    return BucketFolder(place) if place.startswith(SCHEME) else LocalFolder(Path(place).expanduser())


async def watch(watcher: Watcher, tell: Tell, complain: Callable[[str], Any]) -> None:
    """Watch until cancelled. What goes wrong is told to `complain`, and the next look tries again."""
    thorough = True  # the first look finds what an earlier watcher left, one after a problem what that left
    async with _changes(watcher.folder.events) as changed:
        while True:
            changed.clear()
            try:
                told = await watcher.tick(thorough=thorough)
                thorough, pause_s = bool(told.problems), _pause_s(watcher, told)
                tell(told)
            except DublineError as error:
                complain(str(error))
                thorough, pause_s = True, ERROR_S
            await asyncio.sleep(REST_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await changed.wait()


async def reconcile(watcher: Watcher, still_s: float, tell: Tell) -> None:
    """Look twice, `still_s` apart: one look cannot tell a still file from one that is being copied.

    Raises what `Watcher.tick` raises.
    """
    tell(await watcher.tick(thorough=True))
    await asyncio.sleep(still_s + REST_S)
    tell(await watcher.tick())


def _pause_s(watcher: Watcher, told: Told) -> float:
    busy = told.running or told.problems or watcher.folder.events is None
    due = watcher.looks.due_s()
    return min(POLL_S if busy else IDLE_S, IDLE_S if due is None else due)


@asynccontextmanager
async def _changes(place: Path | None) -> AsyncIterator[asyncio.Event]:
    """An event that is set whenever something changes directly in the directory; never for None."""
    changed = asyncio.Event()
    listener = asyncio.create_task(_listen(place, changed)) if place else None
    try:
        yield changed
    finally:
        if listener:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)


async def _listen(place: Path, changed: asyncio.Event) -> None:
    from watchfiles import awatch

    while True:
        # Ends when the directory itself is moved or removed, or the system has no watches left: then looking does.
        with suppress(OSError, RuntimeError):
            async for _ in awatch(
                place, watch_filter=None, recursive=False, debounce=400, ignore_permission_denied=True
            ):
                changed.set()
        await asyncio.sleep(IDLE_S)
