"""The runs behind the sessions: the one place of the gateway that talks to the Prefect server, by its client alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterIdempotencyKey,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventFilter, EventNameFilter
from prefect.exceptions import ObjectNotFound, PrefectException
from prefect.settings import PREFECT_API_URL, PREFECT_UI_URL
from prefect.states import Cancelled, Cancelling
from websockets.exceptions import WebSocketException

from dubline.domain.errors import ServiceUnavailable

DEPLOYMENT = "translate-video/translate-video"
SESSION_EVENTS, RUN_EVENTS = "dubline.session", "prefect.flow-run."
PROFILE_BLOCK = "dubline-engine-profile"
BATCH = 200
"""Runs that are asked for at a time."""


@dataclass(frozen=True, slots=True)
class RunState:
    """What Prefect says of a run."""

    type: str
    """SCHEDULED, PENDING, RUNNING, COMPLETED, FAILED, CANCELLED, CRASHED, PAUSED or CANCELLING."""
    name: str
    message: str
    at: datetime


class Runs:
    """All methods raise ServiceUnavailable when the Prefect server cannot be reached or knows no deployment."""

    async def create(self, parameters: dict[str, Any], key: str, name: str, tags: Sequence[str]) -> str:
        """Start a run; its id. The same key gives the same run."""
        async with _client() as client:
            try:
                deployment = await client.read_deployment_by_name(DEPLOYMENT)
            except ObjectNotFound:
                raise ServiceUnavailable(
                    f"The Prefect server has no deployment {DEPLOYMENT}; run: make deploy."
                ) from None
            run = await client.create_flow_run_from_deployment(
                deployment.id, parameters=parameters, idempotency_key=key, name=name, tags=[*deployment.tags, *tags]
            )
        return str(run.id)

    async def of_key(self, key: str) -> str | None:
        """The run that was created with an idempotency key."""
        async with _client() as client:
            wanted = FlowRunFilter(idempotency_key=FlowRunFilterIdempotencyKey(any_=[key]))
            found = await client.read_flow_runs(flow_run_filter=wanted, limit=1)
        return str(found[0].id) if found else None

    async def cancel(self, run: str) -> None:
        """Nothing happens to one that has ended. One that crashed has no process to be told, and is not resumed now."""
        told = "Cancelled by its session."
        async with _client() as client:
            try:
                found = await client.read_flow_run(UUID(run))
                if found.state and found.state.is_crashed():
                    await client.set_flow_run_state(found.id, Cancelled(message=told), force=True)
                elif found.state and not found.state.is_final() and not found.state.is_cancelling():
                    await client.set_flow_run_state(found.id, Cancelling(message=told))
            except ObjectNotFound:
                return

    async def states(self, runs: Sequence[str]) -> dict[str, RunState]:
        """What is known of each; one that the server does not have is left out."""
        found: list[FlowRun] = []
        async with _client() as client:
            for start in range(0, len(runs), BATCH):
                ids = [UUID(run) for run in runs[start : start + BATCH]]
                found += await client.read_flow_runs(
                    flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=ids)), limit=BATCH
                )
        return {str(run.id): _state(run.state) for run in found if run.state}

    async def of_session(self, session: str) -> list[str]:
        """All runs that were ever made for it, and by those: what a run asks for has its tags."""
        wanted = FlowRunFilter(tags=FlowRunFilterTags(all_=[tag(session)]))
        found: list[FlowRun] = []
        async with _client() as client:
            while more := await client.read_flow_runs(flow_run_filter=wanted, limit=BATCH, offset=len(found)):
                found += more
        return [str(run.id) for run in found]

    async def forget(self, run: str) -> None:
        """Remove what the server knows of a run."""
        async with _client() as client:
            try:
                await client.delete_flow_run(UUID(run))
            except ObjectNotFound:
                return

    async def news(self) -> AsyncIterator[str]:
        """Names of events about runs and sessions, as they happen, until the server is gone. Some may be missed."""
        wanted = EventFilter(event=EventNameFilter(prefix=[SESSION_EVENTS, RUN_EVENTS]))
        try:
            async with get_events_subscriber(filter=wanted, reconnection_attempts=0) as subscriber:
                async for event in subscriber:
                    yield event.event
        except (httpx.HTTPError, OSError, WebSocketException, PrefectException) as error:
            raise ServiceUnavailable(f"The Prefect server sends no events ({type(error).__name__}).") from error

    async def has_profile(self, name: str) -> bool:
        """Whether a block holds a profile of that name."""
        async with _client() as client:
            try:
                await client.read_block_document_by_name(name, PROFILE_BLOCK)
            except ObjectNotFound:
                return False
        return True

    async def workers(self) -> int:
        """How many workers are online of the pool whose runs translate videos."""
        from prefect.client.schemas.objects import WorkerStatus

        async with _client() as client:
            try:
                deployment = await client.read_deployment_by_name(DEPLOYMENT)
            except ObjectNotFound:
                return 0
            found = await client.read_workers_for_work_pool(deployment.work_pool_name or "")
        return sum(worker.status == WorkerStatus.ONLINE for worker in found)


def tag(session: str) -> str:
    """By which a session's runs are found."""
    return f"session:{session}"


def ui_url(run: str) -> str | None:
    """Where people see a run; None where no UI is known."""
    base = PREFECT_UI_URL.value() or (PREFECT_API_URL.value() or "").removesuffix("/api")
    return f"{base.rstrip('/')}/runs/flow-run/{run}" if base else None


def ended(state: RunState) -> bool:
    return StateType(state.type) in (StateType.COMPLETED, StateType.FAILED, StateType.CANCELLED)


def _state(state: State[Any]) -> RunState:
    return RunState(state.type.value, state.name or "", state.message or "", state.timestamp)


@asynccontextmanager
async def _client() -> AsyncIterator[PrefectClient]:
    try:
        async with get_client() as client:
            yield client
    except (httpx.HTTPError, OSError, PrefectException) as error:
        raise ServiceUnavailable(
            f"The Prefect server does not answer ({type(error).__name__}); what was asked is kept until it does."
        ) from error
