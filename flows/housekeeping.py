"""What nobody needs any more is removed, without anybody looking."""

from __future__ import annotations

import asyncio

from prefect import flow, get_run_logger

from dubline.storage import accounts
from dubline.storage.chosen import artifact_store, checkpoint_place, scratch
from dubline.storage.collection import collect
from dubline.storage.database import Database
from dubline.storage.places import DAY_S
from tasks.configure import use_media_store, use_store_of


@flow(name="housekeeping", persist_result=False)
async def housekeeping(retention_days: float = 30.0) -> None:
    """Remove checkpoints unused for `retention_days`, what only they referred to, and what killed runs left."""
    await use_media_store()
    log = get_run_logger()
    scratch().reap()
    async with Database.opened() as database:
        tenants = await accounts.tenants_of(database)
    for tenant in ("", *tenants):
        use_store_of(tenant)
        removed = await asyncio.to_thread(
            collect, artifact_store(), checkpoint_place(), retention_s=retention_days * DAY_S
        )
        log.info("Removed%s: %s", f" of the tenant {tenant}" if tenant else "", removed)
