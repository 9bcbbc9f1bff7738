"""Publish what the last runs were like: tables, Data Docs and an index, in a folder of their own for each day."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterEndTime
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort

from dubline import outputs
from dubline.domain.errors import DublineError
from dubline.publication import Manifest
from dubline.settings import settings
from dubline.storage.locations import BucketFile, located
from dubline.storage.places import LocalPlace
from dubline.watching import outcome
from dubline.watching.ledger import Ledger, State
from quality_suites import fleet
from tasks.runs import runs_of

INDEX = "index.html"


@dataclass(frozen=True, slots=True)
class RunFacts:
    name: str
    state: str
    minutes: float
    reason: str
    manifest: Manifest | None


async def ended_runs(client: PrefectClient, deployment: str, since: datetime, until: datetime) -> list[RunFacts]:
    """The runs of a deployment that ended between two times, the last one first.

    Raises ServiceUnavailable when watched videos are among them, and their ledger cannot be reached.
    """
    wanted = FlowRunFilter(end_time=FlowRunFilterEndTime.model_validate({"after_": since, "before_": until}))
    found = await runs_of(client, deployment, wanted, FlowRunSort.END_TIME_DESC)
    ended = [run for run in found if run.state and run.state.is_final()]
    moved = await _moved([_out(run) for run in ended if _completed(run)])
    # Thousands of manifests of a bucket take longer than a run's loop may stand still.
    return await asyncio.to_thread(lambda: [_facts(run, moved) for run in ended])


async def _moved(outs: Sequence[str]) -> dict[str, str]:
    """Where a run was to put its results -> where the watcher of a folder has put them since."""
    works = {known[1]: out for out in outs if (known := outcome.watched(out))}
    if not works:
        return {}
    async with Ledger.opened() as ledger:
        rows = await ledger.of_work(list(works))
    done = {work: row for work, row in rows.items() if row.state is State.DONE and row.result}
    return {works[work]: f"{row.folder}/{row.result}" for work, row in done.items()}


def _completed(run: FlowRun) -> bool:
    return run.state is not None and run.state.is_completed()


def _out(run: FlowRun) -> str:
    return str(run.parameters["request"]["out"])


def _facts(run: FlowRun, moved: Mapping[str, str]) -> RunFacts:
    state = run.state
    manifest, reason = None, state.message or "" if state else ""
    if _completed(run):
        manifest, reason = _published(_out(run), moved.get(_out(run)))
    return RunFacts(
        name=run.name,
        state=state.name or "" if state else "",
        minutes=round(run.total_run_time.total_seconds() / 60, 2),
        reason=reason,
        manifest=manifest,
    )


def _published(out: str, moved: str | None) -> tuple[Manifest | None, str]:
    """The manifest, or why it is not known. What is moved just now is first looked for where it is moved from."""
    try:
        for place in filter(None, (out, moved)):
            if manifest := outputs.read(located(place)):
                return manifest, ""
    except DublineError as error:  # one bucket that was closed since must not cost the report on all others
        return None, f"Its results cannot be read: {error}"
    return None, f"No manifest can be read in {moved or out}: what lay there was moved or removed since, or is sealed."


def publish(runs: Sequence[RunFacts], folder: BucketFile | Path, title: str) -> None:
    """Write `index.html`, `runs.csv`, `dubs.csv` and `data_docs.html` into `folder`, whole or not at all.

    In a bucket they replace one by one what is there, the index last. Raises StoreUnavailable.
    """
    if isinstance(folder, Path):
        staged = folder.with_name(f".{folder.name}.partial")
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(parents=True)
        _write(runs, staged, title)
        shutil.rmtree(folder, ignore_errors=True)
        staged.replace(folder)
        return
    from dubline.storage.s3 import BucketPlace  # s3fs takes a second to import

    with LocalPlace(settings().cache).workspace() as staged:
        _write(runs, staged, title)
        for path in sorted(staged.iterdir(), key=lambda path: path.name == INDEX):
            BucketPlace(folder).upload(path, path.name)


def _write(runs: Sequence[RunFacts], folder: Path, title: str) -> None:
    import pandas as pd

    every = pd.DataFrame([[r.name, r.state, r.minutes, r.reason] for r in runs], columns=_RUN_COLUMNS)
    dubs = fleet.table(run.manifest for run in runs if run.manifest)
    every.to_csv(folder / "runs.csv", index=False)
    dubs.to_csv(folder / "dubs.csv", index=False)
    (folder / "data_docs.html").write_text(fleet.data_docs(dubs, title), encoding="utf-8")
    (folder / INDEX).write_text(_index(every, dubs, title), encoding="utf-8")


_RUN_COLUMNS = ["run", "state", "minutes", "reason"]


def _index(runs: Any, dubs: Any, title: str) -> str:
    """Tables that a browser shows; pandas escapes what stands in them."""
    counts = ", ".join(f"{count} {state}" for state, count in runs["state"].value_counts().items()) or "none"
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title>{fleet.STYLE}"
        f"<h1>{escape(title)}</h1><p>Runs that ended: {escape(counts)}. "
        "<a href=data_docs.html>Data Docs</a>, <a href=runs.csv>runs.csv</a>, <a href=dubs.csv>dubs.csv</a></p>"
        f"<h2>Runs</h2>{runs.to_html(index=False, border=0)}<h2>Dubs</h2>{dubs.to_html(index=False, border=0)}</html>"
    )
