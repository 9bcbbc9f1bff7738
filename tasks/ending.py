"""A run that is told to end does so soon, whatever its stages are at, and leaves no temporary file."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled
from rich.console import Console

from dubline import publication
from dubline.storage.chosen import abandon
from dubline.storage.locations import BucketFile
from tasks.elsewhere import cancel_asked, over
from tasks.server_time import server_now
from tasks.shown import deployed

GRACE_S = 2.0
"""For Prefect to report the cancellation. Threads in a model's native code cannot be interrupted, and the interpreter
would wait for them as long as they take."""
TERMINATED = 128 + signal.SIGTERM
AS_IF_DONE = 0
"""Exit code of a process whose run is another's by now: its worker would report any other as that one's crash."""
LOOK_S = 10.0
ASKED_BY_S = 1.0
"""How often inference looks whether it is still wanted."""
ANSWER_S = 10.0
"""For the server to take back the GPU slot of inference that nobody wants any more, and to hear of its end."""
WORKER_S = 15.0
"""A worker that lives has ended a cancelled run's process by then."""


def end_when_told(out: BucketFile | Path | None = None) -> None:
    """From now on SIGTERM ends this process within GRACE_S, after what Prefect does on it.

    ffmpeg and the gates' process end with it. `out` is where results are being staged.
    """
    before = signal.getsignal(signal.SIGTERM)

    def told(number: int, frame: FrameType | None) -> None:
        _leave_soon(out)
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGTERM, told)
    # The worker reads what this process prints. When it is gone, rich would end the run at its next line of log.
    Console.on_broken_pipe = _fall_silent  # type: ignore[method-assign, assignment]


def _fall_silent(console: Console) -> None:
    console.quiet = True


@asynccontextmanager
async def ended_when_cancelled(out: BucketFile | Path | None = None) -> AsyncIterator[None]:
    """Let this run, while the block runs, see to its own end where no worker does.

    A worker that was killed leaves its runs' processes behind, and the one that takes its place does not know them. And
    a process that was frozen or cut off comes back to find that its run was given up, and goes on elsewhere.
    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None or not deployed():
        yield
        return
    looking = asyncio.create_task(_look(context.flow_run, out))
    try:
        yield
    finally:
        looking.cancel()


async def _look(mine: FlowRun, out: BucketFile | Path | None) -> None:
    while True:
        await asyncio.sleep(LOOK_S)
        with suppress(httpx.HTTPError):  # a server that is away is asked again
            await _leave_if_over(mine, out)


async def _leave_if_over(mine: FlowRun, out: BucketFile | Path | None) -> None:
    """`mine` is the run as this process began it."""
    async with get_client() as client:
        try:
            run = await client.read_flow_run(mine.id)
        except ObjectNotFound:  # somebody deleted it, and can not mean its results
            _leave(out)
        if run.run_count > mine.run_count:
            _leave(out, AS_IF_DONE)
        if run.state is None or run.state.is_running() or run.state.is_paused():
            return
        if run.state.is_cancelling() or run.state.is_cancelled():
            if await server_now(client) - run.state.timestamp < timedelta(seconds=WORKER_S):
                return
            await cancel_asked(client, run)
            message = "Its worker was gone, so it ended itself."
            await client.set_flow_run_state(run.id, Cancelled(message=message), force=True)
            _leave(out)
        _leave(out, AS_IF_DONE)  # it ended, or is about to be resumed


@asynccontextmanager
async def ended_with(asked_by: UUID | None) -> AsyncIterator[None]:
    """Let this run end at once when the run that asked for it is cancelled or deleted, and give back what it holds.

    One that only crashed is resumed, and then waits for this same run again.
    """
    here, context = asyncio.current_task(), FlowRunContext.get()
    if asked_by is None or here is None or context is None or context.flow_run is None:
        yield
        return
    watching = asyncio.create_task(_stop_with(asked_by, here))
    try:
        yield
    except asyncio.CancelledError:
        if not watching.done():
            raise
        with suppress(httpx.HTTPError, ObjectNotFound):
            async with get_client() as client:
                message = "The run that asked for it was cancelled."
                await client.set_flow_run_state(context.flow_run.id, Cancelled(message=message), force=True)
        _leave(None)
    finally:
        watching.cancel()


async def _stop_with(asked_by: UUID, here: asyncio.Task[Any]) -> None:
    async with get_client() as client:
        while not await over(client, asked_by):
            await asyncio.sleep(ASKED_BY_S)
    _leave_soon(None, ANSWER_S)
    here.cancel()


def _leave_soon(out: BucketFile | Path | None, within_s: float = GRACE_S) -> None:
    timer = threading.Timer(within_s, _leave, [out])
    timer.daemon = True
    timer.start()


def _leave(out: BucketFile | Path | None, exit_code: int = TERMINATED) -> NoReturn:
    abandon()
    if isinstance(out, Path):
        shutil.rmtree(publication.staging(out), ignore_errors=True)
    os._exit(exit_code)
