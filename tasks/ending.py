"""A run that is told to end does so soon, whatever its stages are at, and leaves no temporary file."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import NoReturn

import httpx
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled
from rich.console import Console

from dubline import publication
from dubline.storage.chosen import abandon
from dubline.storage.locations import BucketFile
from tasks.elsewhere import cancel_children
from tasks.shown import deployed

GRACE_S = 2.0
"""For Prefect to report the cancellation. Threads in a model's native code cannot be interrupted, and the interpreter
would wait for them as long as they take."""
TERMINATED = 128 + signal.SIGTERM
LOOK_S = 10.0
WORKER_S = 15.0
"""A worker that lives has ended a cancelled run's process by then."""


def end_when_told(out: BucketFile | Path | None = None) -> None:
    """From now on SIGTERM ends this process within GRACE_S, after what Prefect does on it.

    ffmpeg and the gates' process end with it. `out` is where results are being staged.
    """
    before = signal.getsignal(signal.SIGTERM)

    def told(number: int, frame: FrameType | None) -> None:
        timer = threading.Timer(GRACE_S, _leave, [out])
        timer.daemon = True
        timer.start()
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGTERM, told)
    # The worker reads what this process prints. When it is gone, rich would end the run at its next line of log.
    Console.on_broken_pipe = _fall_silent  # type: ignore[method-assign, assignment]


def _fall_silent(console: Console) -> None:
    console.quiet = True


@asynccontextmanager
async def ended_when_cancelled(out: BucketFile | Path | None = None) -> AsyncIterator[None]:
    """Let this run, while the block runs, see to its own cancellation where no worker does.

    A worker that was killed leaves its runs' processes behind, and the one that takes its place does not know them.
    """
    context = FlowRunContext.get()
    if context is None or not deployed():
        yield
        return
    looking = asyncio.create_task(_look(context, out))
    try:
        yield
    finally:
        looking.cancel()


async def _look(context: FlowRunContext, out: BucketFile | Path | None) -> None:
    while True:
        await asyncio.sleep(LOOK_S)
        with suppress(httpx.HTTPError):  # a server that is away is asked again
            await _leave_if_cancelled(context, out)


async def _leave_if_cancelled(context: FlowRunContext, out: BucketFile | Path | None) -> None:
    if context.flow_run is None or context.flow is None:
        return
    async with get_client() as client:
        try:
            run = await client.read_flow_run(context.flow_run.id)
        except ObjectNotFound:  # somebody deleted it, and can not mean its results
            _leave(out)
        if run.state is None or not (run.state.is_cancelling() or run.state.is_cancelled()):
            return
        if datetime.now(UTC) - run.state.timestamp < timedelta(seconds=WORKER_S):
            return
        await cancel_children(context.flow, run, run.state)
        message = "Its worker was gone, so it ended itself."
        await client.set_flow_run_state(run.id, Cancelled(message=message), force=True)
    _leave(out)


def _leave(out: BucketFile | Path | None) -> NoReturn:
    abandon()
    if isinstance(out, Path):
        shutil.rmtree(publication.staging(out), ignore_errors=True)
    os._exit(TERMINATED)
