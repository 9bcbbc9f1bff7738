"""Inference stages as a deployment: what runs on the GPU work pool when DUBLINE_INFERENCE is `deployment`."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from prefect import flow
from prefect.concurrency.asyncio import concurrency

from dubline.settings import settings
from dubline.storage.chosen import reap
from dubline.storage.results import ArtifactRef
from tasks.configure import use_media_store, use_store_of, use_store_of_session
from tasks.diarize import diarize
from tasks.elsewhere import StageCall, StageCalls
from tasks.ending import end_when_told, ended_when_cancelled
from tasks.separate import separate
from tasks.shown import progress_shown
from tasks.stage import Stage, Stages, artifacts
from tasks.synthesize import retake, speak_again, synthesize
from tasks.transcribe import transcribe
from tasks.translate import translate, translate_again

LEASE_S = 60.0
"""A slot whose holder was killed is free again after so long; a holder that lives renews its lease in time."""
STEPS: dict[str, Stage[..., Any]] = {
    step.name: step
    for step in (transcribe, diarize, separate, translate, translate_again, synthesize, retake, speak_again)
}


@flow(name="infer", persist_result=False)
async def infer(calls: ArtifactRef, tenant: str = "", session: str = "") -> None:
    """Compute the stages side by side on one GPU slot and leave their checkpoints for the run that asked.

    `calls` are StageCalls.
    """
    end_when_told()
    await use_media_store()
    if session:
        await use_store_of_session(tenant, session)
    else:
        use_store_of(tenant)
    asked = artifacts().load_value(calls, StageCalls).calls
    languages = tuple({call.suffix.removeprefix("-") for call in asked if call.suffix})
    stages = {call.stage for call in asked}
    async with progress_shown(languages, stages), ended_when_cancelled():
        await asyncio.to_thread(reap)
        async with gpu_slot():
            await asyncio.gather(*map(compute, asked))


async def compute(call: StageCall) -> None:
    step, stages = STEPS[call.stage], Stages(call.stage if call.refresh else None, call.suffix, here=True)
    await stages(step, **step.loaded(call.inputs))


def gpu_slot() -> AbstractAsyncContextManager[None]:
    """One slot of the limit that the settings name. A limit that is missing is an error: it would let in all."""
    name = settings().gpu_limit
    if name is None:
        return nullcontext()
    # A server that is away for a moment must not end an inference that holds its slot.
    return concurrency(name, occupy=1, strict=True, lease_duration=LEASE_S, raise_on_lease_renewal_failure=False)
