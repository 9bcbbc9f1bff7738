"""Look after the runs once, as housekeeping does: `python -m tests.faults.revive SILENT_S`."""

from __future__ import annotations

import asyncio
import sys

from prefect.client.orchestration import get_client

from tasks.revive import mark_silent, revive


async def main(silent_s: float) -> None:
    async with get_client() as client:
        await mark_silent(client, "translate-video", silent_s)
        await revive(client, "translate-video")


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
