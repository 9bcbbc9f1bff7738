"""What the last runs were like, published for the data team."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated

from prefect import flow
from prefect.artifacts import acreate_link_artifact, acreate_table_artifact
from prefect.client.orchestration import get_client
from prefect.runtime import flow_run
from pydantic import Field

from dubline.storage.chosen import shared
from dubline.storage.locations import Location, uri
from flows.names import MOST_DAYS, dated, titled
from tasks.configure import use_media_store
from tasks.report_on_runs import INDEX, ended_runs, publish
from tasks.runs import TRANSLATE


@flow(name="quality-report", flow_run_name=dated, persist_result=False)
async def quality_report(
    days: Annotated[float, Field(gt=0, le=MOST_DAYS), titled("Days")] = 1.0,
    out: Annotated[Location | None, titled("Folder for reports")] = None,
) -> str:
    """Tables and Data Docs of the runs that ended in the `days` before it was due, in a folder of that day below `out`.

    Args:
        days: How many days of ended runs are reported, counted back from when the report was due.
        out: Each report gets a folder below this path or s3://bucket/prefix; `quality` in the store when not given.
    """  # what a worker keeps for itself nobody could read
    await use_media_store()
    # When it was due: one that starts late leaves no run to neither of two reports.
    until = flow_run.scheduled_start_time
    async with get_client() as client:
        runs = await ended_runs(client, TRANSLATE, until - timedelta(days=days), until)
    folder = (out or shared("quality")) / f"{until:%Y-%m-%d}"
    await asyncio.to_thread(publish, runs, folder, f"Dubs of {until:%d %B %Y}")
    table = [{"run": run.name, "state": run.state, "minutes": run.minutes, "reason": run.reason} for run in runs]
    await acreate_table_artifact(table, key="quality-report", description=f"Runs that ended in the last {days:g} days")
    page = uri(folder / INDEX)
    await acreate_link_artifact(page, key="quality-report-page", link_text="Report")
    return page
