"""What nobody needs any more is removed, without anybody looking."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated

from prefect import flow, get_run_logger
from pydantic import Field

from dubline.domain.errors import OutputUnavailable, ServiceUnavailable
from dubline.storage import accounts, uploads
from dubline.storage.chosen import artifact_store, checkpoint_place, clear_store, reap
from dubline.storage.collection import MIN_GRACE_S, Collected, collect
from dubline.storage.database import Database
from dubline.storage.places import DAY_S
from dubline.storage.sessions import store
from flows.names import dated
from tasks.configure import use_media_store, use_store_of


@flow(name="housekeeping", flow_run_name=dated, persist_result=False)
async def housekeeping(retention_days: Annotated[float, Field(ge=2)] = 30.0) -> None:
    """Remove checkpoints unused for `retention_days`, what only they referred to, and what killed runs left.

    Where one part of the store cannot be reached the others' turns come all the same; then the error is raised.

    Args:
        retention_days: How long finished stages are kept that nobody uses; those that a session has used as long as it
            lives. Use is noted once a day, so less than two days would take what is in use.
    """  # in this form Prefect shows it where people start the flow
    await use_media_store()
    log, errors = get_run_logger(), []
    async with Database.opened() as database:
        tenants = {tenant: await store.oldest(database, tenant) for tenant in await accounts.tenants_of(database)}
        receiving = await uploads.handles(database)
    jobs: dict[str, Callable[[], object]] = {
        "uploads that were never finished": partial(clear_store, time.time() - MIN_GRACE_S, receiving),
        "what no tenant has": partial(collected, "", retention_days, None),
        **{f"of the tenant {one}": partial(collected, one, retention_days, since) for one, since in tenants.items()},
    }
    for what, job in jobs.items():
        try:
            log.info("Removed %s: %s", what, await asyncio.to_thread(job))
        except (OutputUnavailable, ServiceUnavailable) as error:
            log.error("Could not remove %s: %s", what, error)
            errors.append(error)
    if errors:
        raise errors[0]


def collected(tenant: str, retention_days: float, oldest: datetime | None) -> Collected:
    """`oldest` is when a session began that may still be edited: then all that it has used since is needed."""
    use_store_of(tenant)
    now = time.time()
    lives_s = now - oldest.timestamp() + DAY_S if oldest else 0.0  # use is noted once a day
    reap()
    return collect(artifact_store(), checkpoint_place(), retention_s=max(retention_days * DAY_S, lives_s))
