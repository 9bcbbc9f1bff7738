"""Tell the gateways which profiles work on this machine: its models and packages are known to nobody else.

`python -m deployments.offers` tells once. A worker whose runs do the inference has it told for as long as it lives.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dubline.domain.errors import DublineError
from dubline.settings import settings

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
LOOK_S = 10.0
"""Between two looks whether models or profiles have changed."""
AGAIN_S = 300.0
"""Half of `dubline.storage.offers.FRESH`: a machine that is silent for longer than that counts as gone."""
POLL_S = 0.2
"""Between two looks whether another process has told."""
POOLS = {"inline": "cpu", "deployment": "gpu"}
"""DUBLINE_INFERENCE -> the pool whose machines do the inference."""


@contextmanager
def telling(pool: str) -> Iterator[None]:
    """Tell while the block runs, where that pool does the inference; then that this machine is gone.

    In a thread beside the worker's work. Another process looks at the engines: what it imports would stay in the
    worker's memory.
    """
    if POOLS[settings().inference] != pool:
        yield
        return
    ended = threading.Event()
    thread = threading.Thread(target=_tell_again, args=(ended,), name="offers", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _tell_again(ended: threading.Event) -> None:
    seen, at = "", 0.0
    while not ended.is_set():
        here = _mark()
        if here != seen or time.monotonic() - at > AGAIN_S:
            seen, at = (here, time.monotonic()) if _told(ended) else ("", at)
        ended.wait(LOOK_S)
    if seen:
        with suppress(DublineError):  # a database that is away: after a while this machine counts as gone all the same
            asyncio.run(leave())


def _told(ended: threading.Event) -> bool:
    """Whether another process told, before this one ended."""
    command = [sys.executable, "-P", "-m", "deployments.offers"]
    with subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"}) as telling:
        while telling.poll() is None:
            if ended.wait(POLL_S):
                telling.kill()
        return telling.returncode == 0


def _mark() -> str:
    """Changes when a model comes or goes, or a profile is edited."""
    places = [settings().profiles, *settings().profiles.glob("*.yaml"), settings().models]
    places += [path for path in settings().models.glob("*") if path.is_dir()]
    return hashlib.sha256("".join(f"{path} {_changed(path)}" for path in sorted(places)).encode()).hexdigest()


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


async def tell() -> None:
    """Raises ServiceUnavailable where the database is away."""
    from dubline.offering import offers  # a worker only starts this module as another process
    from dubline.storage import offers as told
    from dubline.storage.database import Database

    found = await asyncio.to_thread(lambda: list(offers()))
    async with Database.opened() as database:
        await told.tell(database, machine(), found)


async def leave() -> None:
    """Raises ServiceUnavailable where the database is away."""
    from dubline.storage import offers as told
    from dubline.storage.database import Database

    async with Database.opened() as database:
        await told.leave(database, machine())


def machine() -> str:
    """Its name in the database. A container that is made anew has another host name, on the same kernel; that has an id
    of its own on each machine, until it boots again."""
    try:
        kernel = BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        kernel = platform.node()
    return f"{kernel} {settings().home}"[:200]


def main() -> None:
    try:
        asyncio.run(tell())
    except DublineError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
