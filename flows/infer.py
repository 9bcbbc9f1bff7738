"""Inference stages as a deployment: what runs on the GPU work pool when DUBLINE_INFERENCE is `deployment`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any
from uuid import UUID

import httpx
from prefect import flow
from prefect.client.schemas.objects import State
from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError, concurrency
from prefect.logging import get_run_logger
from prefect.states import Crashed, Failed

from dubline.domain.errors import DublineError, ServiceUnavailable
from dubline.settings import settings
from dubline.storage.chosen import reap
from dubline.storage.results import ArtifactRef
from flows.names import titled
from tasks.configure import use_media_store, use_store_of, use_store_of_session
from tasks.diarize import diarize
from tasks.elsewhere import StageCall, StageCalls
from tasks.ending import end_when_told, ended_when_cancelled, ended_with
from tasks.identify_language import identify_language
from tasks.separate import separate
from tasks.shown import progress_shown
from tasks.stage import Stage, Stages, artifacts
from tasks.synthesize import speak_again, synthesize
from tasks.transcribe import transcribe
from tasks.translate import translate, translate_again

LEASE_S = 60.0
"""A slot whose holder was killed is free again after so long; a holder that lives renews its lease in time."""
AGAIN_S = 5.0
"""Between two attempts to get a lost slot back."""
STEPS: dict[str, Stage[..., Any]] = {
    step.name: step
    for step in (identify_language, transcribe, diarize, separate, translate, translate_again, synthesize, speak_again)
}


@flow(name="infer", persist_result=False)
async def infer(
    calls: Annotated[ArtifactRef, titled("Calls")],
    tenant: Annotated[str, titled("Tenant")] = "",
    session: Annotated[str, titled("Session")] = "",
    asked_by: Annotated[UUID | None, titled("Asked by")] = None,
) -> State[None] | None:
    """Compute the stages side by side on one GPU slot and leave their checkpoints for the run that asked.

    What the final state says begins with the error's type: whoever waits raises the same.

    Args:
        calls: The file in which a video's run has written what to compute (StageCalls).
        tenant: The tenant whose artifacts and checkpoints are used; none when empty.
        session: Id of the session that the video belongs to; none when empty.
        asked_by: Id of the video's run that waits for this one, which ends when nobody does.
    """
    end_when_told()
    try:
        await inferred(calls, tenant, session, asked_by)
    except DublineError as error:
        return Failed(message=f"{type(error).__name__}: {error}")
    except (httpx.HTTPError, ConcurrencySlotAcquisitionError) as error:
        return Crashed(message=f"The Prefect server did not answer ({type(error).__name__}).")
    return None


async def inferred(calls: ArtifactRef, tenant: str, session: str, asked_by: UUID | None) -> None:
    await use_media_store()
    if session:
        await use_store_of_session(tenant, session)
    else:
        use_store_of(tenant)
    asked = artifacts().load_value(calls, StageCalls).calls
    languages = tuple({call.suffix.removeprefix("-") for call in asked if call.suffix})
    stages = {call.stage for call in asked}
    async with progress_shown(languages, stages), ended_when_cancelled(), ended_with(asked_by):
        await asyncio.to_thread(reap)
        async with gpu_slot():
            # All end before the slot is given back: the threads of the others would go on on the GPU.
            ended = await asyncio.gather(*map(compute, asked), return_exceptions=True)
    for error in ended:
        if error:
            raise error


async def compute(call: StageCall) -> None:
    step, stages = STEPS[call.stage], Stages(call.stage if call.refresh else None, call.suffix, here=True)
    await stages(step, **step.loaded(call.inputs))


@asynccontextmanager
async def gpu_slot() -> AsyncIterator[None]:
    """A slot of the limit that the settings name. Raises ServiceUnavailable for a missing one, which stops nobody."""
    name = settings().gpu_limit
    if name is None:
        yield
        return
    log, began = get_run_logger(), time.monotonic()
    log.info("Waiting for a slot of the limit '%s'.", name)
    taken, done = asyncio.Event(), asyncio.Event()
    holder, waiter = asyncio.create_task(_hold(name, taken, done)), asyncio.create_task(taken.wait())
    try:
        await asyncio.wait((holder, waiter), return_when=asyncio.FIRST_COMPLETED)
        if not taken.is_set():
            await holder  # which raises what kept the slot from it
        log.info("Got the slot after %.0f s.", time.monotonic() - began)
        yield
    except ConcurrencySlotAcquisitionError as error:
        if error.__cause__ is None:
            raise ServiceUnavailable(f"The Prefect server has no limit '{name}'; run: make deploy.") from error
        raise
    finally:
        waiter.cancel()
        done.set()
        if not taken.is_set():
            holder.cancel()
        # Not a cancellation, and not awaited by itself: several cancel a run at once, and the second one would
        # end the giving back.
        await asyncio.wait((holder,))
        if taken.is_set() and not holder.cancelled() and (left := holder.exception()):
            log.warning("The slot could not be given back (%s); it is free after %.0f s.", left, LEASE_S)


async def _hold(name: str, taken: asyncio.Event, done: asyncio.Event) -> None:
    """Hold a slot until all is `done`, and tell when it is `taken`.

    A lease runs out while the server is away, and the slot may be another's when it comes back. What is under way on
    the GPU goes on all the same; so that nobody else comes to it, it waits for a slot again.
    """
    own, held = asyncio.current_task(), False
    while not done.is_set():
        try:
            async with concurrency(
                name,
                occupy=1,
                strict=True,
                lease_duration=LEASE_S,
                raise_on_lease_renewal_failure=True,
                # What waits in Prefect's own thread would keep a process that has done its work.
                max_retries=0 if taken.is_set() else None,
            ):
                held = True
                taken.set()
                await done.wait()
        except (asyncio.CancelledError, ConcurrencySlotAcquisitionError, httpx.HTTPError):
            # Prefect cancels this, too, where it could not renew the lease.
            if done.is_set() or not taken.is_set() or (own and own.cancelling()):
                raise
            if held:
                get_run_logger().warning(
                    "The slot was lost while the server was away; going on, and waiting for one again."
                )
            held = False
            with suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S):
                    await done.wait()
