"""Watch a folder: `watch-folder` stays up, `reconcile-folder` looks once, on a schedule, at what it may have missed."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
from prefect import flow, get_client
from prefect.exceptions import PrefectHTTPStatusError
from prefect.logging import get_run_logger
from pydantic import ConfigDict, Field

from dubline.domain.errors import InvalidRequest
from dubline.media.inputs import printable
from dubline.request import KnownLanguage, in_order
from dubline.storage.value import Value
from dubline.watching.following import Told
from dubline.watching.ledger import Ledger
from dubline.watching.options import Options
from dubline.watching.ready import Looks
from dubline.watching.watch import open_folder, reconcile, watch
from dubline.watching.watcher import Watcher
from flows.names import dated, titled
from flows.watched_runs import PrefectRuns
from tasks.configure import block_of, use_media_store
from tasks.runs import INBOX

REREAD_S = 60.0
"""After so long the block is read again."""
SHOWN = 10
"""File names in one line of the log."""


class WatchedFolder(Value):
    """A folder into which people drop videos."""

    model_config = ConfigDict(title="Watched folder", json_schema_extra=in_order)

    folder: str = Field(description="A path, or s3://bucket/prefix. Workers must find it under the same name.")
    languages: tuple[KnownLanguage, ...] = Field(
        default=(),
        title="Target languages",
        description="As ISO 639-1 codes, for videos of which neither dubline.yaml nor their own .yaml says any.",
    )
    profile: str = Field(
        default="offline", title="Engine profile", description="Which engines, where neither of these files says it."
    )
    still_s: float = Field(
        default=5.0,
        gt=0,
        title="Seconds without change",
        description="How long a file must not change to count as complete.",
    )
    patience_s: float = Field(
        default=60.0,
        gt=0,
        title="Seconds of patience",
        description="After how long without change a file that cannot be read goes to failed/.",
    )
    deployment: str = Field(
        default="translate-video/translate-video", description="The deployment that translates, as flow/deployment."
    )


Watched = Annotated[WatchedFolder | str, titled("Folder")]


@flow(name="watch-folder", flow_run_name=dated, persist_result=False)
async def watch_folder(watched: Watched = INBOX) -> None:
    """Take in what is dropped, put results into done/ and failures into failed/, until the run is cancelled.

    Args:
        watched: The name of a block `dubline-watch-folder`, or a folder with its defaults.
    """
    log = get_run_logger()
    await use_media_store()
    folder = await known(watched)
    while folder is not None:
        async with opened(folder) as watcher:
            log.info("Watching %s", watcher.folder.key)
            changes = _Changes(watched, folder, watcher)
            await watch(watcher, _tell, log.warning, changes.found)
        folder = changes.folder


@flow(name="reconcile-folder", flow_run_name=dated, persist_result=False)
async def reconcile_folder(watched: Watched = INBOX) -> None:
    """Look at everything once: what no watcher saw, what a killed one left, what was retried by hand.

    Args:
        watched: The name of a block `dubline-watch-folder`, or a folder with its defaults.
    """
    await use_media_store()
    folder = await known(watched)
    if folder is None:
        return
    async with opened(folder) as watcher:
        await reconcile(watcher, folder.still_s, _tell)


async def known(watched: WatchedFolder | str) -> WatchedFolder | None:
    """The folder that a block of this name describes; None, with a word in the log, where nobody has made one yet.

    Raises InvalidRequest for a block that is wrong: nothing is taken in until it is corrected.
    """
    if isinstance(watched, WatchedFolder):
        return watched
    from blocks.watch_folder import WatchFolder

    block = await block_of(WatchFolder, watched)
    if block is None:
        get_run_logger().warning("There is no block 'dubline-watch-folder/%s': make one in the UI.", watched)
        return None
    return WatchedFolder(folder=block.folder, languages=tuple(block.languages), profile=block.profile)


class _Changes:
    """Whether the block with the folder was edited since, or removed; it is read now and then."""

    folder: WatchedFolder | None
    """As the block said when it was read last."""

    def __init__(self, watched: WatchedFolder | str, folder: WatchedFolder, watcher: Watcher) -> None:
        self._watched, self._began, self._watcher = watched, folder, watcher
        self.folder, self._read = folder, time.monotonic()

    async def found(self) -> bool:
        """Another folder has to wait until nothing is under way in this one: nobody else would put that away."""
        if isinstance(self._watched, WatchedFolder) or time.monotonic() - self._read < REREAD_S:
            return False
        self._read = time.monotonic()
        try:
            self.folder = await known(self._watched)
        except (httpx.HTTPError, PrefectHTTPStatusError):
            return False  # the server is away; the watcher tells of that
        except InvalidRequest as error:
            get_run_logger().warning("%s Watching goes on as before.", error)
            return False
        if self.folder is None or self.folder.folder != self._began.folder:
            return not await self._watcher.busy()
        return self.folder != self._began


@asynccontextmanager
async def opened(watched: WatchedFolder) -> AsyncIterator[Watcher]:
    """The watcher of a folder, with its ledger and its way to Prefect."""
    async with get_client() as client, Ledger.opened() as ledger:
        yield Watcher(
            open_folder(watched.folder),
            ledger,
            PrefectRuns(client, watched.deployment),
            Looks(watched.still_s, watched.patience_s),
            Options(languages=watched.languages, profile=watched.profile),
        )


def _tell(told: Told) -> None:
    """What happened, in the run's log; nothing where nothing did."""
    log = get_run_logger()
    for what, names in (("Submitted", told.submitted), ("Done", told.done), ("Failed", told.failed)):
        if names:
            log.info("%s: %s", what, _listed(names))
    for problem in told.problems[:SHOWN]:
        log.warning(problem)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return printable(", ".join(names[:SHOWN])) + more
