"""What operators see of a deployed run in the Prefect UI: progress, and in the end files, quality and times.

Artifacts there hold names, numbers and places, never what was said: whoever may see the UI need not be one who may read
the transcript.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from uuid import UUID

import httpx
from prefect.artifacts import (
    acreate_markdown_artifact,
    acreate_progress_artifact,
    acreate_table_artifact,
    aupdate_progress_artifact,
)
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId, ArtifactFilterKey
from prefect.client.schemas.objects import Artifact
from prefect.context import FlowRunContext
from prefect.exceptions import ObjectNotFound
from prefect.logging import get_run_logger

from dubline.estimate import COST, Estimate
from dubline.publication import Manifest, PublishedFile
from dubline.storage.chosen import show_life
from dubline.storage.locations import BucketFile, located, uri
from dubline.storage.results import Judged
from dubline.telemetry.progress import listening
from dubline.watching import outcome
from dubline.watching.folder import DONE
from tasks.stage import Timing

EVERY_S = 2.0
"""How often the progress is told; more often would load the server for nothing."""
ALIVE_S = 10.0
"""How often it is told though nothing changed: whoever looks after the runs knows a dead one by its silence."""
SUBJECTS = 10
"""Lines that the log names of those that broke a rule; the artifact `quality` and the report have all."""
PROGRESS = "progress"
"""Key of the artifact."""
_log = logging.getLogger(__name__)
_MARKS = re.compile(r"[\\`|\[\]<>*_~]")
"""What means something in Markdown; a video's name may hold anything."""


def deployed() -> bool:
    """Whether this run is one of a deployment: others have somebody at a terminal."""
    context = FlowRunContext.get()
    return bool(context and context.flow_run and context.flow_run.deployment_id)


@asynccontextmanager
async def progress_shown(languages: tuple[str, ...], stages: Collection[str] = tuple(COST)) -> AsyncIterator[None]:
    """Keep a progress artifact up to date while the block runs; the server's sign that this process lives."""
    if not deployed():
        yield
        return
    estimate = Estimate(60.0, languages, stages=stages)

    with listening(estimate.observe):
        ended = asyncio.Event()
        telling = asyncio.create_task(_tell(estimate, ended))
        try:
            yield
            estimate.end()  # however little there was to do
        finally:
            ended.set()
            await telling


async def _tell(estimate: Estimate, ended: asyncio.Event) -> None:
    """Ends by itself and not by cancellation: an artifact whose making is given up may be there, and never change."""
    artifact = _Progress()
    told, at = -1.0, time.monotonic()
    while True:
        last = ended.is_set()
        try:
            share = round(100 * estimate.fraction, 1)
            if share != told or time.monotonic() - at >= ALIVE_S:
                show_life()
                async with asyncio.timeout(ALIVE_S):
                    await artifact.told(share)
                told, at = share, time.monotonic()
        except (httpx.HTTPError, ObjectNotFound, TimeoutError):  # what a server says or not must not end the run
            pass
        except Exception:  # noqa: BLE001 - nor what nobody foresaw
            _log.exception("The progress could not be shown")
        if last:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(EVERY_S):
                await ended.wait()


class _Progress:
    """The run's progress artifact."""

    def __init__(self) -> None:
        self._artifact: UUID | None = None
        self._making: asyncio.Task[UUID] | None = None

    async def told(self, share: float) -> None:
        """Its caller gives up soon: the client repeats itself up to half a minute apart, and this is a sign of life."""
        self._artifact = self._artifact or await _begun() or await self._made(share)
        try:
            await aupdate_progress_artifact(self._artifact, share)
        except ObjectNotFound:  # somebody removed it
            self._artifact = self._making = None
            self._artifact = await self._made(share)

    async def _made(self, share: float) -> UUID:
        """Not given up with its caller: a server that is slow would make one more."""
        if self._making is None or (self._making.done() and (self._making.cancelled() or self._making.exception())):
            making = acreate_progress_artifact(share, key=PROGRESS, description="Finished share of the video")
            self._making = asyncio.create_task(making)
        return await asyncio.shield(self._making)


async def _begun() -> UUID | None:
    """What this run made when it ran before, or when the server's answer was late."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return None
    async with get_client() as client:
        told = await progress_of(client, context.flow_run.id)
    return told[0].id if told else None


async def progress_of(client: PrefectClient, run: UUID) -> list[Artifact]:
    """The run's progress artifact, if it has made it."""
    mine = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run]), key=ArtifactFilterKey(any_=[PROGRESS]))
    return await client.read_artifacts(artifact_filter=mine)


async def tagged(*tags: str) -> None:
    """Let a run be found by these tags, too. Its tasks get none: a tag of a task is a limit to ask for."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return
    with suppress(httpx.HTTPError):  # a server that is away must not end the run
        async with get_client() as client:
            await client.update_flow_run(context.flow_run.id, tags=list(dict.fromkeys((*context.flow_run.tags, *tags))))


async def result_shown_again(out: BucketFile | Path, manifest: Manifest) -> None:
    """Artifact and log line of a run that found its results in place."""
    if not deployed():
        return
    log = get_run_logger()
    log.info("An earlier run of the same request has published this already in %s", uri(out))
    with _forgiven():
        await _files(out, manifest)


async def result_shown(
    out: BucketFile | Path, manifest: Manifest, judged: Sequence[Judged], timings: Sequence[Timing]
) -> None:
    """Artifacts about a finished run, which published into `out`, and what the gates found in its log."""
    if not deployed():
        return
    log = get_run_logger()
    for one in judged:
        for finding in one.verdict.findings:
            log.warning("%s: %s (%s)", one.verdict.suite, finding.rule, ", ".join(finding.subjects[:SUBJECTS]))
    with _forgiven():
        await _files(out, manifest)
        await acreate_table_artifact(_quality(judged), key="quality", description="What the quality gates found")
        await acreate_table_artifact(
            [{"stage": t.stage, "seconds": t.seconds, "from checkpoint": t.cached} for t in timings],
            key="stages",
            description="How long the run waited for each stage",
        )


@contextmanager
def _forgiven() -> Iterator[None]:
    """A server that is away must not end a run that has published its results."""
    try:
        yield
    except httpx.HTTPError as error:
        get_run_logger().warning("The results are published, but could not be shown here: %s", error)


async def _files(out: BucketFile | Path, manifest: Manifest) -> None:
    folder = _done_folder(out)
    rows = "\n".join(
        f"| {file.role} | {file.language or ''} | {_link(out, file) if folder is None else _plain(file)} |"
        for file in manifest.files
        if file.role != "clip"
    )
    where = (
        f"Published in {uri(out)}"
        if folder is None
        else f"A watcher puts them into a folder named after the video in {uri(folder)}"
    )
    await acreate_markdown_artifact(
        f"| what | language | file |\n| --- | --- | --- |\n{rows}", key="files", description=where
    )


def _done_folder(out: BucketFile | Path) -> BucketFile | Path | None:
    """Below which a watcher puts what a run published in a watched folder; None for other runs.

    It decides the name as it does so, seconds later, when `out` is no more.
    """
    watched = outcome.watched(str(out))
    return located(f"{watched[0]}/{DONE}") if watched else None


def _link(out: BucketFile | Path, file: PublishedFile) -> str:
    return f"[{_plain(file)}]({uri(out / file.path)})"


def _plain(file: PublishedFile) -> str:
    return _MARKS.sub("_", file.path)


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
