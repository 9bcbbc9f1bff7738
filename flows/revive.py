"""Runs that lost their process go on, without anybody looking."""

from __future__ import annotations

from prefect import flow, get_run_logger
from prefect.client.orchestration import get_client

from tasks.revive import mark_lost, resume_lost


@flow(name="revive", persist_result=False)
async def revive() -> None:
    """Resume crashed runs, and quarantine those that keep crashing."""
    log = get_run_logger()
    async with get_client() as client:
        lost = await mark_lost(client)
        revived = await resume_lost(client)
    for name in lost:
        log.warning("Marked the run '%s' as crashed: its process is gone.", name)
    for name in revived.resumed:
        log.info("Resumed the run '%s', which had crashed.", name)
    for name in revived.quarantined:
        log.warning("Quarantined the run '%s', which keeps crashing.", name)
