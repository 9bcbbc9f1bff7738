"""Inference stages as a deployment: what runs on the GPU work pool when DUBLINE_INFERENCE is `deployment`."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from prefect import flow
from prefect.concurrency.asyncio import concurrency

from dubline.settings import settings
from tasks.configure import use_media_store
from tasks.diarize import diarize
from tasks.elsewhere import StageCall
from tasks.ending import end_when_told
from tasks.separate import separate
from tasks.shown import progress_shown
from tasks.stage import Stage, Stages
from tasks.synthesize import retake, synthesize
from tasks.transcribe import transcribe
from tasks.translate import translate

STEPS: dict[str, Stage[..., Any]] = {
    step.name: step for step in (transcribe, diarize, separate, translate, synthesize, retake)
}


@flow(name="infer", persist_result=False)
async def infer(calls: list[StageCall]) -> None:
    """Compute the stages side by side on one GPU slot and leave their checkpoints for the run that asked."""
    end_when_told()
    await use_media_store()
    async with progress_shown(()), gpu_slot():
        await asyncio.gather(*map(compute, calls))


async def compute(call: StageCall) -> None:
    step, stages = STEPS[call.stage], Stages(call.stage if call.refresh else None, call.suffix, here=True)
    await stages(step, **step.loaded(call.inputs))


def gpu_slot() -> AbstractAsyncContextManager[None]:
    """One slot of the limit that the settings name. A limit that is missing is an error: it would let in all."""
    name = settings().gpu_limit
    if name is None:
        return nullcontext()
    # A server that is away for a moment must not end an inference that holds its slot.
    return concurrency(name, occupy=1, strict=True, raise_on_lease_renewal_failure=False)
