"""Inference on another machine: stages run in a deployment on the GPU work pool and leave their checkpoints.

The run that asked finds them there and goes on as if it had computed them itself, so a flow reads the same in both
modes. Stages asked for at about the same time become one run: a work pool starts a process for each run, and every
process loads its models again.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
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
from prefect.logging import get_run_logger
from prefect.states import Cancelling, Crashed
from pydantic import Field
from tenacity import retry, retry_if_exception, stop_after_delay, wait_fixed

from dubline.domain import errors
from dubline.domain.errors import DublineError, EngineFailed, EngineUnavailable, ServiceUnavailable
from dubline.settings import settings
from dubline.storage import sealed
from dubline.storage.artifacts import ArtifactStore
from dubline.storage.chosen import keep
from dubline.storage.results import ArtifactRef
from dubline.storage.value import Value

if TYPE_CHECKING:
    from tasks.stage import Stage

DEPLOYMENT = "infer/infer"
GATHER_S = 0.2
"""How long a stage waits for others that are asked for together with it."""
POLL_S = 1.0
PATIENCE_S = 600
"""A server that takes no run for so long errs."""
TAKEN_S = 60
"""After so long it is worth a word that no worker takes a run."""
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


@dataclass(frozen=True, slots=True)
class _Asked:
    call: StageCall
    recorded: Callable[[], bool]
    """Whether its checkpoint is there."""


class Elsewhere:
    """Gathers the stages of one flow run, and has them run on the GPU work pool."""

    def __init__(self, artifacts: ArtifactStore) -> None:
        self._artifacts = artifacts
        self._waiting: dict[str, _Asked] = {}
        self._looking = 0
        """How many stages are looked for among the checkpoints, and may have to be computed."""
        self._batch: asyncio.Task[None] | None = None

    async def compute(
        self,
        step: Stage[..., Any],
        suffix: str,
        inputs: Mapping[str, Any],
        refresh: bool,
        recorded: Callable[[], bool],
    ) -> None:
        """Return when the stage's checkpoint is there; at once where it is already, unless it is to be made afresh.

        Raises what the stage raised there, and EngineUnavailable when its runs are lost or leave nothing.
        """
        self._looking += 1
        try:
            if not refresh and await asyncio.to_thread(recorded):
                return
        finally:
            self._looking -= 1
        call = StageCall(stage=step.name, suffix=suffix, inputs=step.dumped(inputs), refresh=refresh)
        self._waiting[step.key(dict(inputs))] = _Asked(call, recorded)
        batch = self._batch = self._batch or asyncio.create_task(self._send())
        await asyncio.shield(batch)

    def _stored(self, calls: StageCalls) -> ArtifactRef:
        stored = self._artifacts.put_value(calls)
        keep(stored)
        return stored

    async def _send(self) -> None:
        await asyncio.sleep(GATHER_S)
        while self._looking:  # a store may be slow to tell what it has
            await asyncio.sleep(GATHER_S)
        asked, self._waiting, self._batch = self._waiting, {}, None
        calls = tuple(one.call for one in asked.values())
        together = hashlib.sha256("".join(sorted(asked)).encode()).hexdigest()[:16]
        name = "+".join(f"{call.stage}{call.suffix}" for call in calls)
        stored = await asyncio.to_thread(self._stored, StageCalls(calls=calls))
        afresh = any(call.refresh for call in calls)
        own, log, lost = _own_run(), get_run_logger(), 0
        for attempt in count():
            run = await _asked(name, stored, f"{own.id if own else ''}-{together}-{attempt}")
            # This run may have been resumed, and then goes on waiting for the one that it had started.
            past = run.state is not None and (run.state.is_final() or run.state.is_cancelling())
            log.info("Waiting for the flow run '%s' (%s).", name, run.id)
            state = await _end(run)
            # However it ended: the server may have been away when it gave its slot back.
            if (state.is_completed() or not afresh) and await _all_recorded(asked.values()):
                return
            if past:
                continue
            if state.is_completed():
                raise EngineUnavailable(
                    f"The flow run '{name}' is done, but its results are not found here: its worker must have the same "
                    "store (DUBLINE_STORE) and the same versions of packages and models as this one."
                )
            if state.is_cancelled() and own and own.deployment_id and await _over(own.id):
                await asyncio.Event().wait()  # its worker ends this process, or it does so itself (tasks.ending)
            if state.is_failed() or state.is_cancelled():
                raise _error(name, state)
            lost += 1
            if lost == LOST_RUNS:
                raise EngineUnavailable(
                    f"The flow run '{name}' was lost {lost} times; look after the worker of its pool."
                )
            log.warning("The flow run '%s' was lost (%s); asking again.", name, state.message or state.name)


async def _all_recorded(asked: Iterable[_Asked]) -> bool:
    return all(await asyncio.gather(*(asyncio.to_thread(one.recorded) for one in asked)))


def _error(name: str, state: State[Any]) -> DublineError:
    """What the run raised, where its state begins with the type of a DublineError."""
    kind, _, message = (state.message or "").partition(": ")
    known = getattr(errors, kind, None)
    if state.is_failed() and isinstance(known, type) and issubclass(known, DublineError):
        return known(message)
    return EngineFailed(f"The flow run '{name}' ended as {state.name}: {state.message or 'no reason given'}")


def _away(error: BaseException) -> bool:
    """Whether the server is not there for the moment, and did not just refuse something."""
    refused = isinstance(error, httpx.HTTPStatusError) and error.response.status_code < 500
    return isinstance(error, httpx.HTTPError) and not refused


@retry(retry=retry_if_exception(_away), wait=wait_fixed(POLL_S), stop=stop_after_delay(PATIENCE_S), reraise=True)
async def _asked(name: str, calls: ArtifactRef, idempotency_key: str) -> FlowRun:
    own = _own_run()
    try:
        return await arun_deployment(
            DEPLOYMENT,
            parameters={"calls": calls.model_dump(mode="json"), **_whose()},
            flow_run_name=name,
            # An urgent video's inference is urgent, too: the pools' queues have the same names.
            work_queue_name=own.work_queue_name if own else None,
            tags=own.tags if own else None,
            timeout=0,
            idempotency_key=idempotency_key,
        )
    except ObjectNotFound:
        raise ServiceUnavailable(f"The Prefect server has no deployment {DEPLOYMENT}; run: make deploy.") from None


async def _end(run: FlowRun) -> State[Any]:
    """The state in which a run ends, however long the server is away meanwhile."""
    until = time.monotonic() + TAKEN_S
    async with get_client() as client:
        while not (run.state and run.state.is_final()):
            if run.state and run.state.is_scheduled() and time.monotonic() > until:
                until = math.inf
                get_run_logger().warning("No worker has taken the flow run '%s' for %d s.", run.name, TAKEN_S)
            await asyncio.sleep(POLL_S)
            try:
                run = await client.read_flow_run(run.id)
            except ObjectNotFound:
                return Crashed(message="somebody deleted it")
            except httpx.HTTPError as error:
                if not _away(error):
                    raise
    return run.state


async def _over(run: UUID) -> bool:
    async with get_client() as client:
        return await over(client, run)


async def over(client: PrefectClient, run: UUID) -> bool:
    """Whether a run was cancelled or deleted; no where the server is away."""
    try:
        state = (await client.read_flow_run(run)).state
    except ObjectNotFound:
        return True
    except httpx.HTTPError:
        return False
    return state is not None and (state.is_cancelling() or state.is_cancelled())


def _whose() -> dict[str, str | None]:
    """Whose artifacts and checkpoints are meant, and who waits for them."""
    own, run = sealed.used(), _own_run()
    return {
        "tenant": settings().tenant,
        "session": own.session if own else "",
        "asked_by": str(run.id) if run else None,
    }


def _own_run() -> FlowRun | None:
    context = FlowRunContext.get()
    return context.flow_run if context else None


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
