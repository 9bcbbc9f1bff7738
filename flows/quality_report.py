"""What the last runs were like, published for the data team."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from prefect import flow
from prefect.artifacts import acreate_link_artifact, acreate_table_artifact
from prefect.client.orchestration import get_client

from dubline.storage.chosen import shared
from dubline.storage.locations import Location, uri
from tasks.configure import use_media_store
from tasks.report_on_runs import INDEX, ended_runs, publish
from tasks.revive import TRANSLATE


@flow(name="quality-report", persist_result=False)
async def quality_report(days: float = 1.0, out: Location | None = None) -> str:
    """Tables and Data Docs of the runs that ended in the last `days`, in a folder named after today below `out`.

    Without `out` that is `quality` in the store: what a worker keeps for itself nobody could read.
    """
    await use_media_store()
    now = datetime.now(UTC)
    async with get_client() as client:
        runs = await ended_runs(client, TRANSLATE, now - timedelta(days=days))
    folder = (out or shared("quality")) / f"{now:%Y-%m-%d}"
    await asyncio.to_thread(publish, runs, folder, f"Dubs of {now:%d %B %Y}")
    table = [{"run": run.name, "state": run.state, "minutes": run.minutes, "reason": run.reason} for run in runs]
    await acreate_table_artifact(table, key="quality-report", description=f"Runs that ended in the last {days:g} days")
    page = uri(folder / INDEX)
    await acreate_link_artifact(page, key="quality-report-page", link_text="Report")
    return page
