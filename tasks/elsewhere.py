"""Inference on another machine: stages run in a deployment on the GPU work pool and leave their checkpoints.

The run that asked finds them there and goes on as if it had computed them itself, so a flow reads the same in both
modes. Stages asked for at about the same time become one run: a work pool starts a process for each run, and every
process loads its models again.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any

from prefect import Flow
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.context import FlowRunContext
from prefect.deployments import arun_deployment
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelling
from pydantic import Field

from dubline.domain.errors import EngineFailed, EngineUnavailable
from dubline.settings import settings
from dubline.storage import sealed
from dubline.storage.artifacts import ArtifactStore
from dubline.storage.results import ArtifactRef
from dubline.storage.value import Value

if TYPE_CHECKING:
    from tasks.stage import Stage

DEPLOYMENT = "infer/infer"
GATHER_S = 0.2
"""How long a stage waits for others that are asked for together with it."""
POLL_S = 1.0
LOST_RUNS = 3
"""So many crash before it is given up; each finds what the one before had finished."""


class StageCall(Value):
    """One stage with its inputs, small values that refer to artifacts."""

    stage: str = Field(description="Name of the stage, such as transcribe.")
    suffix: str = Field(default="", description="What its task run's name ends with, such as -es.")
    inputs: dict[str, Any] = Field(description="The stage's inputs by name.")
    refresh: bool = Field(default=False, description="Compute it again though its checkpoint is there.")


class StageCalls(Value):
    """Stages that one run computes side by side. They are stored, and the run's parameters refer to them: a glossary's
    terms are not for the eyes of everybody who sees the Prefect UI."""

    calls: tuple[StageCall, ...]


class Elsewhere:
    """Gathers the stages of one flow run, and has them run on the GPU work pool."""

    def __init__(self, artifacts: ArtifactStore) -> None:
        self._artifacts = artifacts
        self._waiting: dict[str, StageCall] = {}
        self._batch: asyncio.Task[None] | None = None

    async def compute(self, step: Stage[..., Any], suffix: str, inputs: Mapping[str, Any], refresh: bool) -> None:
        """Return when the stage's checkpoint is there. Raises EngineFailed, or EngineUnavailable when runs are lost."""
        self._waiting[step.key(dict(inputs))] = StageCall(
            stage=step.name, suffix=suffix, inputs=step.dumped(inputs), refresh=refresh
        )
        batch = self._batch = self._batch or asyncio.create_task(self._send())
        await asyncio.shield(batch)

    async def _send(self) -> None:
        await asyncio.sleep(GATHER_S)
        calls, self._waiting, self._batch = self._waiting, {}, None
        together = hashlib.sha256("".join(sorted(calls)).encode()).hexdigest()[:16]
        name = "+".join(f"{call.stage}{call.suffix}" for call in calls.values())
        stored = await asyncio.to_thread(self._artifacts.put_value, StageCalls(calls=tuple(calls.values())))
        lost = 0
        for attempt in count():
            # A run that was resumed goes on waiting for the one it had started; what ended badly before it is past.
            run = await _asked(name, stored, f"{_own_run()}-{together}-{attempt}")
            if run.state and run.state.is_final() and not run.state.is_completed():
                continue
            state = await _end(run)
            if state.is_completed():
                return
            if state.is_failed() or state.is_cancelled():
                raise EngineFailed(f"The flow run '{name}' ended as {state.name}: {state.message or 'no reason given'}")
            lost += 1
            if lost == LOST_RUNS:
                raise EngineUnavailable(
                    f"The flow run '{name}' was lost {lost} times; look after the worker of its pool."
                )


async def _asked(name: str, calls: ArtifactRef, idempotency_key: str) -> FlowRun:
    return await arun_deployment(
        DEPLOYMENT,
        parameters={"calls": calls.model_dump(mode="json"), **_whose()},
        flow_run_name=name,
        work_queue_name=_own_queue(),
        timeout=0,
        idempotency_key=idempotency_key,
    )


async def _end(run: FlowRun) -> State[Any]:
    async with get_client() as client:
        while not (run.state and run.state.is_final()):
            await asyncio.sleep(POLL_S)
            run = await client.read_flow_run(run.id)
    return run.state


def _whose() -> dict[str, str]:
    """Whose artifacts and checkpoints are meant."""
    own = sealed.used()
    return {"tenant": settings().tenant, "session": own.session if own else ""}


def _own_queue() -> str | None:
    """An urgent video's inference is urgent, too: the pools' queues have the same names."""
    context = FlowRunContext.get()
    return context.flow_run.work_queue_name if context and context.flow_run else None


def _own_run() -> str:
    context = FlowRunContext.get()
    return str(context.flow_run.id) if context and context.flow_run else "alone"


async def cancel_children(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """A hook for flows: whoever cancels a run means its inference, too."""
    async with get_client() as client:
        await cancel_asked(client, flow_run)


async def cancel_asked(client: PrefectClient, flow_run: FlowRun) -> None:
    """Cancel the runs that a run has asked for and that have not ended."""
    alive = [StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING]
    children = await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[flow_run.id]),
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=alive)),
        )
    )
    for child in children:
        with suppress(ObjectNotFound):
            await client.set_flow_run_state(child.id, Cancelling(message=f"The run '{flow_run.name}' was cancelled."))
