"""Look after the runs once, as housekeeping does: `python -m tests.faults.revive [SILENT_S [STARTING_S]]`."""

from __future__ import annotations

import asyncio
import sys

from prefect.client.orchestration import get_client

from tasks.revive import SILENT_S, STARTING_S, TRANSLATE, mark_silent, revive


async def main(silent_s: float = SILENT_S, starting_s: float = STARTING_S) -> None:
    async with get_client() as client:
        await mark_silent(client, TRANSLATE, silent_s)
        await revive(client, TRANSLATE, starting_s)


if __name__ == "__main__":
    asyncio.run(main(*map(float, sys.argv[1:])))
