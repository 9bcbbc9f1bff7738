"""The two ways to watch: a loop that stays up and looks every two seconds, and one careful look on a schedule.

A look costs one listing and one question to the database. What an operating system announces of changes would save
that, but says nothing of what other machines do on a share, nor when it has gone deaf.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from dubline.domain.errors import DublineError
from dubline.watching.bucket import SCHEME, BucketFolder
from dubline.watching.folder import Folder
from dubline.watching.following import Told
from dubline.watching.local import LocalFolder
from dubline.watching.watcher import Watcher

POLL_S = 2.0
"""Between two looks."""
REST_S = 0.25
"""The least time between two looks, however much there is to do."""
ERROR_S = 10.0
"""Before the next look when the folder, the database or the orchestrator cannot be reached."""

Tell = Callable[[Told], Any]


def open_folder(place: str) -> Folder:
    """The folder at a local path, or at `s3://bucket/prefix`."""
    return BucketFolder(place) if place.startswith(SCHEME) else LocalFolder(Path(place).expanduser())


async def watch(
    watcher: Watcher, tell: Tell, complain: Callable[[str], Any], outdated: Callable[[], Awaitable[bool]]
) -> None:
    """Watch until `outdated`, which is asked before each look, or cancelled.

    What goes wrong is told once, until something else does; each look tries again.
    """
    thorough = True  # the first look finds what an earlier watcher left, one after a new problem what that left
    known: list[str] = []
    while not await outdated():
        try:
            told = await watcher.tick(thorough=thorough)
            fresh = [problem for problem in told.problems if problem not in known]
            known, thorough, pause_s = told.problems, bool(fresh), _pause_s(watcher, told)
            tell(replace(told, problems=fresh))
        except DublineError as error:
            if str(error) not in known:
                complain(str(error))
            known, thorough, pause_s = [str(error)], True, ERROR_S
        await asyncio.sleep(pause_s)


async def reconcile(watcher: Watcher, still_s: float, tell: Tell) -> None:
    """Look twice, `still_s` apart: one look cannot tell a still file from one that is being copied.

    Raises what `Watcher.tick` raises.
    """
    tell(await watcher.tick(thorough=True))
    await asyncio.sleep(still_s + REST_S)
    left = True
    while left:
        told = await watcher.tick()
        tell(told)
        left = bool(told.left)


def _pause_s(watcher: Watcher, told: Told) -> float:
    due_s = 0.0 if told.left else watcher.looks.due_s()
    return POLL_S if due_s is None else min(POLL_S, max(REST_S, due_s))
