"""What keeps the pipeline healthy without anybody looking: resume, quarantine, remove."""

from __future__ import annotations

from prefect import flow, get_run_logger
from prefect.client.orchestration import get_client

from tasks.revive import revive

TRANSLATE = "translate-video"


@flow(name="housekeeping", persist_result=False)
async def housekeeping(remove: bool = True) -> None:
    """Resume crashed runs and quarantine those that keep crashing; with `remove`, also what nobody needs any more."""
    log = get_run_logger()
    async with get_client() as client:
        revived = await revive(client, TRANSLATE)
    for name in revived.resumed:
        log.info("Resumed the run '%s', which had crashed.", name)
    for name in revived.quarantined:
        log.warning("Quarantined the run '%s', which keeps crashing.", name)
