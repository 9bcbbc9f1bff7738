"""Crashed runs go on where they were, a limited number of times; one that keeps crashing is set aside with its reason.

Prefect marks a run Crashed when its process ends badly, and an automation does when its heartbeat stays out. Nothing of
that starts it again: that is done here, for runs of deployments, which a worker can take up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.states import Scheduled

MOST_CRASHES = 3
"""A video that ends its process so often is not the machine's fault."""
QUARANTINED = "Quarantined"
"""Name of the Failed state of a run that is not resumed any more."""
SETTLED_S = 10
"""Before, a worker's own late report of the crash could overwrite what is done here."""
STARTING_S = 600
"""A run that is Pending for longer lost its worker between being taken and being started."""


@dataclass(frozen=True, slots=True)
class Revived:
    resumed: tuple[str, ...]
    quarantined: tuple[str, ...]


async def revive(client: PrefectClient, deployment: str) -> Revived:
    """Look after every crashed or never started run of a deployment. Says the names of the runs it changed."""
    resumed, quarantined = [], []
    for run in await _lost(client, deployment):
        crashes = await _crashes(client, run.id)
        if len(crashes) >= MOST_CRASHES:
            await client.set_flow_run_state(run.id, _quarantine(crashes), force=True)
            quarantined.append(run.name)
        else:
            await client.set_flow_run_state(
                run.id, Scheduled(name="AwaitingRetry", message="Resumed after a crash."), force=True
            )
            resumed.append(run.name)
    return Revived(tuple(resumed), tuple(quarantined))


async def _lost(client: PrefectClient, deployment: str) -> list[FlowRun]:
    runs = await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.CRASHED, StateType.PENDING]))
        ),
        deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[deployment])),
    )
    return [run for run in runs if _for_long(run)]


def _for_long(run: FlowRun) -> bool:
    if run.state is None:
        return False
    limit = SETTLED_S if run.state.is_crashed() else STARTING_S
    return datetime.now(UTC) - run.state.timestamp > timedelta(seconds=limit)


async def _crashes(client: PrefectClient, run: UUID) -> list[State]:
    states = await client.read_flow_run_states(run)
    return sorted((state for state in states if state.is_crashed()), key=lambda state: state.timestamp)


def _quarantine(crashes: list[State]) -> State:
    last = crashes[-1].message or "its process ended without a word"
    message = (
        f"Its process was lost {len(crashes)} times, the last time: {last} Look into the video and the worker's log, "
        "then choose Retry."
    )
    return State(type=StateType.FAILED, name=QUARANTINED, message=message)
