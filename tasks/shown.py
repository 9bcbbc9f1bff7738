"""What operators see of a deployed run in the Prefect UI: progress, and in the end files, quality and times.

Artifacts there hold names, numbers and places, never what was said: whoever may see the UI need not be one who may read
the transcript.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import httpx
from prefect.artifacts import (
    acreate_markdown_artifact,
    acreate_progress_artifact,
    acreate_table_artifact,
    aupdate_progress_artifact,
)
from prefect.context import FlowRunContext

from dubline.estimate import Estimate
from dubline.publication import Manifest
from dubline.storage.results import Judged
from dubline.telemetry.progress import Event, VideoLength, listening
from tasks.stage import Timing

EVERY_S = 2.0
"""How often the progress is told; more often would load the server for nothing."""
ALIVE_S = 10.0
"""How often it is told though nothing changed: whoever looks after the runs knows a dead one by its silence."""
PROGRESS = "progress"
"""Key of the artifact."""


def deployed() -> bool:
    """Whether this run is one of a deployment: others have somebody at a terminal."""
    context = FlowRunContext.get()
    return bool(context and context.flow_run and context.flow_run.deployment_id)


@asynccontextmanager
async def progress_shown(languages: tuple[str, ...]) -> AsyncIterator[None]:
    """Keep a progress artifact up to date while the block runs; the server's sign that this process lives."""
    if not deployed():
        yield
        return
    estimate = Estimate(60.0, languages)

    def heard(event: Event) -> None:
        if isinstance(event, VideoLength):
            estimate.resize(event.seconds)
        else:
            estimate.observe(event)

    with listening(heard):
        telling = asyncio.create_task(_tell(estimate))
        try:
            yield
        finally:
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling


async def _tell(estimate: Estimate) -> None:
    artifact = await acreate_progress_artifact(0.0, key=PROGRESS, description="Finished share of the video.")
    told, at = 0.0, time.monotonic()
    try:
        while True:
            await asyncio.sleep(EVERY_S)
            share = round(100 * estimate.fraction, 1)
            if share == told and time.monotonic() - at < ALIVE_S:
                continue
            with suppress(httpx.HTTPError):  # a server that is away must not end the run; the next time will do
                await aupdate_progress_artifact(artifact, share)
                told, at = share, time.monotonic()
    finally:
        await aupdate_progress_artifact(artifact, round(100 * estimate.fraction, 1))


async def result_shown(manifest: Manifest, judged: Sequence[Judged], timings: Sequence[Timing]) -> None:
    """Artifacts about a finished run."""
    if not deployed():
        return
    files = "\n".join(
        f"| {file.role} | {file.language or ''} | `{file.path}` |" for file in manifest.files if file.role != "clip"
    )
    await acreate_markdown_artifact(f"| what | language | file |\n| --- | --- | --- |\n{files}", key="files")
    await acreate_table_artifact(_quality(judged), key="quality", description="What the quality gates found")
    await acreate_table_artifact(
        [{"stage": t.stage, "seconds": t.seconds, "from checkpoint": t.cached} for t in timings], key="stages"
    )


def _quality(judged: Sequence[Judged]) -> list[dict[str, str | int]]:
    found: list[dict[str, str | int]] = [
        {
            "language": one.language or "",
            "gate": one.verdict.suite,
            "rule": finding.rule,
            "severity": finding.severity,
            "lines": len(finding.subjects),
        }
        for one in judged
        for finding in one.verdict.findings
    ]
    return found or [{"language": "", "gate": "all", "rule": "none broken", "severity": "", "lines": 0}]
