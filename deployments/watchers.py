"""Watchers of folders stay up: one begins as soon as its block is there, and another soon after it has ended.

Their schedule in prefect.yaml starts them as well, a quarter of an hour apart. Workers look more often, which costs the
server some questions, and no process. That there is one of each is the limit's doing: a second run is cancelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterNextScheduledStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound

from tasks.runs import INBOX, WATCH, WATCHED_BLOCK
from tasks.server_time import server_now

LOOK_S = 10.0
"""Between two looks of a worker."""
BRIEF_S = 60.0
"""A watcher that ends badly before has a fault that another would have too, such as a block with a wrong language."""
REST_S, MOST_REST_S = 15.0, 900.0
"""How long the next one waits then: twice as long each time."""
_AT_WORK = (StateType.PENDING, StateType.RUNNING, StateType.CANCELLING, StateType.PAUSED)
_ENDED = (StateType.COMPLETED, StateType.FAILED, StateType.CRASHED)
_REMEMBERED = 8
"""Runs that ended badly, of which the wait is made: twice as long so often is MOST_REST_S."""


async def start_missing(client: PrefectClient, pool: str) -> list[str]:
    """Start the watchers of a work pool that should be up and are not; the names of their deployments.

    One should be up when its deployment is not paused, a schedule of it is active, and its block is there.
    """
    flow = FlowFilter(name=FlowFilterName(any_=[WATCH]))
    known = [one for one in await client.read_deployments(flow_filter=flow) if one.work_pool_name == pool]
    wanted = [one for one in known if not one.paused and any(schedule.active for schedule in one.schedules)]
    missing = [one for one in wanted if await _missing(client, one)]
    for one in missing:
        await client.create_flow_run_from_deployment(one.id, tags=one.tags)
    return [one.name for one in missing]


def rest_s(ended: Sequence[FlowRun]) -> float:
    """How long the next watcher waits after these, the last one first."""
    faults = 0
    for run in ended:
        if run.state_type is StateType.COMPLETED or run.total_run_time > timedelta(seconds=BRIEF_S):
            break
        faults += 1
    return min(MOST_REST_S, REST_S * 2 ** (faults - 1)) if faults else 0.0


async def _missing(client: PrefectClient, deployment: DeploymentResponse) -> bool:
    made = await _made(client, deployment)
    if made is None or await _runs(client, deployment, _AT_WORK):
        return False
    now = await server_now(client)
    soon = now + timedelta(seconds=LOOK_S)
    due = FlowRunFilterNextScheduledStartTime.model_validate({"before_": soon})
    if await _runs(client, deployment, [StateType.SCHEDULED], due):
        return False
    ended = await _runs(client, deployment, _ENDED, most=_REMEMBERED)
    at = ended[0].end_time if ended else None
    return at is None or made > at or now >= at + timedelta(seconds=rest_s(ended))


async def _made(client: PrefectClient, deployment: DeploymentResponse) -> datetime | None:
    """When what says which folder is watched was last changed; None where nobody has said it yet."""
    watched = deployment.parameters.get("watched", INBOX)
    if not isinstance(watched, str):
        return deployment.updated
    try:
        return (await client.read_block_document_by_name(watched, WATCHED_BLOCK)).updated
    except ObjectNotFound:
        return None


async def _runs(
    client: PrefectClient,
    deployment: DeploymentResponse,
    states: Sequence[StateType],
    due: FlowRunFilterNextScheduledStartTime | None = None,
    most: int = 1,
) -> list[FlowRun]:
    """In one of these states, the one that ended last first."""
    return await client.read_flow_runs(
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment.id])),
        flow_run_filter=FlowRunFilter(
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(states))), next_scheduled_start_time=due
        ),
        sort=FlowRunSort.END_TIME_DESC,
        limit=most,
    )
