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
from pathlib import Path

from dubline.domain.errors import DublineError
from dubline.settings import settings

LOOK_S = 10.0
"""Between two looks whether models or profiles have changed."""
AGAIN_S = 600.0
"""A machine that is silent for longer than `dubline.storage.offers.FRESH` counts as gone."""
POOLS = {"inline": "cpu", "deployment": "gpu"}
"""DUBLINE_INFERENCE -> the pool whose machines do the inference."""


def keep_telling(pool: str) -> None:
    """In a thread beside the worker's work, where that pool does the inference. Another process looks at the engines:
    what it imports would stay in the worker's memory."""
    if POOLS[settings().inference] == pool:
        threading.Thread(target=_tell_again, name="offers", daemon=True).start()


def _tell_again() -> None:
    seen, at = "", 0.0
    while True:
        here = _mark()
        if here != seen or time.monotonic() - at > AGAIN_S:
            done = subprocess.run(
                [sys.executable, "-m", "deployments.offers"], env=os.environ | {"OMP_NUM_THREADS": "1"}, check=False
            )
            seen, at = (here, time.monotonic()) if done.returncode == 0 else ("", at)
        time.sleep(LOOK_S)


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
        await told.tell(database, f"{platform.node()} {settings().home}"[:200], found)


def main() -> None:
    try:
        asyncio.run(tell())
    except DublineError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
