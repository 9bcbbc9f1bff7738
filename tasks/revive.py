"""Crashed runs go on where they were, a limited number of times; one that keeps crashing is set aside with its reason.

Prefect marks a run Crashed when its process ends badly, and an automation does when its heartbeat stays out; but events
can be lost, the heartbeats' with a Redis that is killed. So silence is looked for here, too: a run that lives tells its
progress. And nothing of that starts a run again: that is done here, for runs of deployments, which workers take up.

Watchers of folders need none of it: their schedule starts another, and one that was given up and still lives ends when
it cannot renew its place under its deployment's limit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Crashed, Scheduled

from tasks.elsewhere import cancel_asked
from tasks.runs import INFER, TRANSLATE, runs_of
from tasks.server_time import server_now
from tasks.shown import progress_of

SILENT_S = 120.0
"""Of a run that tells its progress every ALIVE_S (tasks.shown): it, its machine or its network is gone."""
SURE_S = 20
"""Between two looks. While the server was away no run could tell anything; back again, it hears of all that live."""
TOLD_S = 30.0
"""A process that lives has done what it was told by then, whether its worker lives or not (tasks.ending)."""
MOST_CRASHES = 3
"""A video that ends its process so often is not the machine's fault."""
QUARANTINED = "Quarantined"
"""Name of the Failed state of a run that is not resumed any more."""
SETTLED_S = 10
"""Before, a second report of the crash could overwrite what is done here: Prefect's own worker makes one, and ours does
where the server did not hear the first."""
STARTING_S = 180
"""A run that is Pending for longer lost its worker between being taken and being started: a worker takes no more runs
than it starts at once."""


@dataclass(frozen=True, slots=True)
class Revived:
    resumed: tuple[str, ...]
    quarantined: tuple[str, ...]


async def mark_lost(
    client: PrefectClient, silent_s: float = SILENT_S, starting_s: float = STARTING_S, sure_s: float = SURE_S
) -> tuple[str, ...]:
    """Mark Crashed what has no process any more. Says the names of these runs.

    That is what runs but has not told its progress for `silent_s`, and inference that a worker took `starting_s` ago
    and did not start: whoever asked for it waits for its end.
    """
    silent = f"It was silent for more than {silent_s:g} s: its process or machine is gone."
    never = f"A worker took it and did not start it within {starting_s:g} s."
    return (
        *await _mark(client, await _sure(client, silent_s, sure_s), Crashed(message=silent)),
        *await _mark(client, await _never_started(client, INFER, starting_s), Crashed(message=never)),
    )


async def end_cancelled(client: PrefectClient, told_s: float = TOLD_S, sure_s: float = SURE_S) -> tuple[str, ...]:
    """Mark Cancelled what was told so `told_s` ago and has no process that could do it. Says the names of these runs.

    That is a run that was cancelled while it waited to be resumed, or whose machine is gone. What it had asked for is
    cancelled with it.
    """
    before = await _told(client, told_s)
    if not before:
        return ()
    await asyncio.sleep(sure_s)
    after = await _told(client, told_s)
    still = [run for run, moved in after.values() if run.id in before and before[run.id][1] == moved]
    for run in still:
        await cancel_asked(client, run)
    return tuple(await _mark(client, still, Cancelled(message="It had no process any more.")))


async def _told(client: PrefectClient, told_s: float) -> dict[UUID, tuple[FlowRun, datetime | None]]:
    """Runs that were told to end, each with when it last told its progress."""
    now = await server_now(client)
    told = await _in_state(client, StateType.CANCELLING, TRANSLATE, INFER)
    return {run.id: (run, await _heard(client, run)) for run in told if _older(run.state, told_s, now)}


async def _mark(client: PrefectClient, runs: Iterable[FlowRun], state: State) -> list[str]:
    return [run.name for run in runs if await _set(client, run, state)]


async def _set(client: PrefectClient, run: FlowRun, state: State) -> bool:
    """Whether the run was still there: one that somebody deletes meanwhile must not keep the others waiting."""
    try:
        await client.set_flow_run_state(run.id, state, force=True)
    except ObjectNotFound:
        return False
    return True


async def _sure(client: PrefectClient, silent_s: float, sure_s: float) -> list[FlowRun]:
    """Runs that are silent, and still are at a second look."""
    if not await _silent_runs(client, silent_s):
        return []
    await asyncio.sleep(sure_s)
    return await _silent_runs(client, silent_s)


async def _silent_runs(client: PrefectClient, silent_s: float) -> list[FlowRun]:
    now = await server_now(client)
    running = await _in_state(client, StateType.RUNNING, TRANSLATE, INFER)
    return [run for run in running if _older(run.state, silent_s, now) and await _silent(client, run, silent_s, now)]


async def _silent(client: PrefectClient, run: FlowRun, silent_s: float, now: datetime) -> bool:
    heard = await _heard(client, run)
    return heard is None or now - heard > timedelta(seconds=silent_s)


async def _heard(client: PrefectClient, run: FlowRun) -> datetime | None:
    """When it last told its progress, by the server's clock."""
    told = await progress_of(client, run.id)
    return max((one.updated for one in told if one.updated), default=None)


async def resume_lost(client: PrefectClient, starting_s: float = STARTING_S, settled_s: float = SETTLED_S) -> Revived:
    """Resume or quarantine every video's run that crashed or never started. Says the names of the runs it changed."""
    resumed, quarantined = [], []
    for run in await _lost(client, starting_s, settled_s):
        lost = await _crashes(client, run.id)
        if len(lost) >= MOST_CRASHES:
            quarantined += await _mark(client, [run], _quarantine(lost))
        else:
            again: State = Scheduled(name="AwaitingRetry", message="Resumed after a crash.")
            resumed += await _mark(client, [run], again)
    return Revived(tuple(resumed), tuple(quarantined))


async def _lost(client: PrefectClient, starting_s: float, settled_s: float) -> list[FlowRun]:
    now = await server_now(client)
    crashed = await _in_state(client, StateType.CRASHED, TRANSLATE)
    settled = [run for run in crashed if _older(run.state, settled_s, now)]
    return settled + await _never_started(client, TRANSLATE, starting_s)


async def _never_started(client: PrefectClient, deployment: str, starting_s: float) -> list[FlowRun]:
    now = await server_now(client)
    pending = await _in_state(client, StateType.PENDING, deployment)
    return [run for run in pending if _older(run.state, starting_s, now)]


async def _in_state(client: PrefectClient, state: StateType, *deployments: str) -> list[FlowRun]:
    wanted = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[state])))
    return [run for name in deployments for run in await runs_of(client, name, wanted)]


def _older(state: State | None, seconds: float, now: datetime) -> bool:
    return state is not None and now - state.timestamp > timedelta(seconds=seconds)


async def _crashes(client: PrefectClient, run: UUID) -> list[State]:
    return crashes(await client.read_flow_run_states(run))


def crashes(states: Iterable[State]) -> list[State]:
    """The first report of each crash since it was last quarantined, when a person chose Retry.

    The first, as a frozen run's process is silent first, and later ended by its worker.
    """
    found: list[State] = []
    worked = False
    for state in sorted(states, key=lambda state: state.timestamp):
        if state.name == QUARANTINED:
            found.clear()
        if state.is_crashed() and worked:
            found.append(state)
        worked = not state.is_crashed() and (worked or state.is_pending() or state.is_running())
    return found


def _quarantine(crashes: list[State]) -> State:
    last = crashes[-1].message or "its process ended without a word"
    message = (
        f"Its process was lost {len(crashes)} times, the last time: {last} Look into the video and the worker's log, "
        "then choose Retry."
    )
    return State(type=StateType.FAILED, name=QUARANTINED, message=message)
