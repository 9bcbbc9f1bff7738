"""What keeps the pipeline healthy without anybody looking: resume, quarantine, remove."""

from __future__ import annotations

import asyncio

from prefect import flow, get_run_logger
from prefect.client.orchestration import get_client

from dubline.storage import accounts
from dubline.storage.chosen import artifact_store, checkpoint_place, scratch
from dubline.storage.collection import collect
from dubline.storage.database import Database
from dubline.storage.places import DAY_S
from tasks.configure import use_media_store, use_store_of
from tasks.revive import TRANSLATE, mark_silent, revive

INFER = "infer"


@flow(name="housekeeping", persist_result=False)
async def housekeeping(remove: bool = True, retention_days: float = 30.0) -> None:
    """Resume crashed runs, and quarantine those that keep crashing.

    With `remove`, also remove checkpoints that nobody used for `retention_days`, and what only they referred to.
    """
    await use_media_store()
    log = get_run_logger()
    async with get_client() as client:
        silent = (*await mark_silent(client, TRANSLATE), *await mark_silent(client, INFER))
        revived = await revive(client, TRANSLATE)
    for name in silent:
        log.warning("Marked the run '%s' as crashed: it is silent.", name)
    for name in revived.resumed:
        log.info("Resumed the run '%s', which had crashed.", name)
    for name in revived.quarantined:
        log.warning("Quarantined the run '%s', which keeps crashing.", name)
    if remove:
        scratch().reap()
        retention_s = retention_days * DAY_S
        async with Database.opened() as database:
            tenants = await accounts.tenants_of(database)
        for tenant in ("", *tenants):
            use_store_of(tenant)
            removed = await asyncio.to_thread(collect, artifact_store(), checkpoint_place(), retention_s=retention_s)
            log.info("Removed%s: %s", f" of the tenant {tenant}" if tenant else "", removed)
