"""What nobody needs any more is removed, without anybody looking."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated

from prefect import flow, get_run_logger
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterEndTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from pydantic import Field

from dubline.domain.errors import DublineError, InvalidRequest, OutputUnavailable, ServiceUnavailable
from dubline.storage import accounts, run_times, uploads
from dubline.storage.chosen import artifact_store, checkpoint_place, clear_store, reap
from dubline.storage.collection import MIN_GRACE_S, Collected, collect
from dubline.storage.database import Database, now
from dubline.storage.locations import BucketFile, located
from dubline.storage.places import DAY_S
from dubline.storage.sessions import store
from dubline.watching.bucket import SCHEME
from dubline.watching.folder import DONE, FAILED, WORK
from dubline.watching.ledger import Ledger
from flows.names import MOST_DAYS, dated, titled
from tasks.configure import use_media_store, use_store_of
from tasks.runs import TRANSLATE, runs_of
from tasks.server_time import server_now

LOOKED_BACK = timedelta(days=7)
"""A run's uploads are old enough two days after its end, and some nights nobody may look."""


@flow(name="housekeeping", flow_run_name=dated, persist_result=False)
async def housekeeping(
    retention_days: Annotated[float, Field(ge=2, le=MOST_DAYS), titled("Days of retention")] = 30.0,
) -> None:
    """Remove checkpoints unused for `retention_days`, what only they referred to, and what killed runs left.

    Where one part of the store cannot be reached the others' turns come all the same; then the error is raised.

    Args:
        retention_days: How long finished stages are kept that nobody uses; those that a session has used as long as it
            lives. Use is noted once a day, so less than two days would take what is in use.
    """  # in this form Prefect shows it where people start the flow
    await use_media_store()
    log, errors = get_run_logger(), []
    async with get_client() as client:
        given_up = await outputs_given_up(client)
    async with Database.opened() as database:
        tenants = {tenant: await store.oldest(database, tenant) for tenant in await accounts.tenants_of(database)}
        receiving = await uploads.handles(database)
        watched = await Ledger(database).folders(now() - LOOKED_BACK)
    old = time.time() - MIN_GRACE_S
    jobs: dict[str, Callable[[], object]] = {
        "what the database keeps in vain": partial(forgotten, retention_days),
        "uploads that were never finished": partial(clear_store, old, receiving),
        "uploads of runs that ended badly": partial(end_uploads, given_up, old, receiving),
        "copies within watched folders": partial(end_uploads, own_places(watched), old, receiving),
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


def forgotten(retention_days: float) -> dict[str, int]:
    """Rows that nobody asks for any more, as they are removed from the database."""

    async def forget() -> dict[str, int]:
        async with Database.opened() as database:
            keys = await store.forget_keys(database, now() - timedelta(days=retention_days))
            return {"idempotency keys": keys, "times of runs": await run_times.forget(database)}

    return asyncio.run(forget())


def collected(tenant: str, retention_days: float, oldest: datetime | None) -> Collected:
    """`oldest` is when a session began that may still be edited: then all that it has used since is needed."""
    use_store_of(tenant)
    now = time.time()
    lives_s = now - oldest.timestamp() + DAY_S if oldest else 0.0  # use is noted once a day
    reap()
    return collect(artifact_store(), checkpoint_place(), retention_s=max(retention_days * DAY_S, lives_s))


async def outputs_given_up(client: PrefectClient) -> set[BucketFile]:
    """Where in buckets runs were to publish that ended lately without having done so."""
    ended_badly = [StateType.CANCELLED, StateType.FAILED, StateType.CRASHED]
    since = await server_now(client) - LOOKED_BACK
    wanted = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=ended_badly)),
        end_time=FlowRunFilterEndTime.model_validate({"after_": since}),
    )
    return {out for run in await runs_of(client, TRANSLATE, wanted) if (out := _bucket_of(run))}


def _bucket_of(run: FlowRun) -> BucketFile | None:
    """Where it was to publish; None for a folder, and for an address that is none, of which the run may have failed."""
    try:
        out = located(str(run.parameters["request"]["out"]))
    except (InvalidRequest, KeyError, TypeError):
        return None
    return out if isinstance(out, BucketFile) else None


def own_places(watched: Collection[str]) -> list[BucketFile]:
    """Where in watched buckets only the watcher copies to, of whom a killed one leaves what it began."""
    buckets = [folder for folder in watched if folder.startswith(SCHEME)]
    return [BucketFile(f"{folder}/{place}") for folder in buckets for place in (WORK, DONE, FAILED)]


def end_uploads(outs: Collection[BucketFile], before: float, receiving: Collection[str]) -> int:
    """End uploads that were begun below `outs` before `before` (epoch, s); returns how many there were.

    Those that the gateway is `receiving`, by their handles, go on. People's buckets may be gone by now, or not let
    everybody list what was begun: that is told, and keeps nothing else from its turn.
    """
    from dubline.storage.s3 import BucketPlace  # s3fs takes a second to import

    ended, errors = 0, []
    for out in outs:
        try:
            ended += BucketPlace(out).abort_uploads(before, receiving)
        except DublineError as error:
            errors.append(error)
    if errors:
        get_run_logger().warning("Left uploads below %d of %d places: %s", len(errors), len(outs), errors[0])
    return ended
