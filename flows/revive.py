"""Runs that lost their process go on, without anybody looking."""

from __future__ import annotations

from prefect import flow, get_run_logger
from prefect.client.orchestration import get_client

from flows.names import dated
from tasks.revive import end_cancelled, mark_lost, resume_lost


@flow(name="revive", flow_run_name=dated, persist_result=False)
async def revive() -> None:
    """Resume crashed runs, quarantine those that keep crashing, and end cancelled ones that cannot themselves."""
    log = get_run_logger()
    async with get_client() as client:
        lost = await mark_lost(client)
        revived = await resume_lost(client)
        cancelled = await end_cancelled(client)
    for name in lost:
        log.warning("Marked the run '%s' as crashed: its process is gone.", name)
    for name in revived.resumed:
        log.info("Resumed the run '%s', which had crashed.", name)
    for name in revived.quarantined:
        log.warning("Quarantined the run '%s', which keeps crashing.", name)
    for name in cancelled:
        log.info("Marked the run '%s' as cancelled: it had no process that could end.", name)
