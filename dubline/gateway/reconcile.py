"""Sessions and Prefect agree again after either was away: what was not started is started, what ended is noted.

Any number of gateways may do this at once: each step says from what it changes a session, and does nothing otherwise.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress

import structlog

from dubline.domain import errors
from dubline.domain.errors import DublineError, ServiceUnavailable
from dubline.gateway import service
from dubline.gateway.runs import SESSION_EVENTS, RunState, ended
from dubline.gateway.services import Services
from dubline.storage import uploads
from dubline.storage.database import now
from dubline.storage.sessions import store
from dubline.storage.sessions.model import Failure, Session, State

EVERY_S = 3.0
LEAST_S = 0.5
"""Between two looks, however much happens."""
LOST = Failure(
    code="run-lost", message="Its flow run is not on the Prefect server any more; resume the session.", retryable=True
)
UNFORESEEN = Failure(
    code="internal-error",
    message="Something went wrong in its run that nobody foresaw; operators find it in the run's log.",
    retryable=True,
)
RAISED = re.compile(r"Flow run encountered an exception:? (?:[\w.]+\.)?(?P<kind>\w+): (?P<said>.*)", re.DOTALL)
"""What Prefect says of a flow that raised an error."""
log = structlog.get_logger()


async def run(having: Services) -> None:
    """Look, for as long as the gateway lives: every so often, and soon after a run has changed."""
    while True:
        with suppress(ServiceUnavailable):  # then all is as it was, and is looked at again
            await once(having)
        await asyncio.sleep(LEAST_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(EVERY_S - LEAST_S):
                await having.runs_changed.wait()
        having.runs_changed.clear()


async def listen(having: Services) -> None:
    """Let Prefect's events wake those who look. What they say is not believed, and some may be lost."""
    while True:
        with suppress(ServiceUnavailable):
            async for name in having.runs.news():
                if name.startswith(SESSION_EVENTS):
                    having.hub.wake()
                else:
                    having.runs_changed.set()
        await asyncio.sleep(EVERY_S)


async def once(having: Services) -> None:
    await _agree(having)
    await _delete(having)
    for upload in await uploads.abandoned(having.database):
        if await uploads.forget(having.database, upload):
            await asyncio.to_thread(upload.files.remove)
    for session in await store.expired(having.database, now()):
        await store.mark_deleted(having.database, session)


async def _agree(having: Services) -> None:
    at_work = await store.in_states(having.database, State.QUEUED, State.RUNNING, State.CANCELLING)
    states = await having.runs.states([session.run for session in at_work if session.run])
    for session in at_work:
        try:
            await _settle(having, session, states.get(session.run) if session.run else None)
        except DublineError as error:
            log.warning("reconcile", session=session.id, error=str(error))


async def _settle(having: Services, session: Session, state: RunState | None) -> None:
    if session.run is None:
        await (service.stop if session.state is State.CANCELLING else service.started)(having, session)
    elif state is None:
        await service.failed(having, session, LOST)
    elif not ended(state):
        if session.state is State.CANCELLING:
            await having.runs.cancel(session.run)
    elif session.state is State.CANCELLING or state.type == "CANCELLED":
        await service.settle(having, session, State.CANCELLED)
    elif state.type == "FAILED":
        await service.failed(having, session, _why(state))
    # A run that completed wrote so itself, before it ended.


def _why(state: RunState) -> Failure:
    """What a run says that could not say it to its session. Of what nobody foresaw operators know more than tenants."""
    raised = RAISED.fullmatch(state.message)
    if raised is None:
        return Failure(
            code=f"run-{state.name.lower()}", message=state.message or "Its flow run failed.", retryable=True
        )
    kind = getattr(errors, raised["kind"], None)
    if isinstance(kind, type) and issubclass(kind, DublineError):
        return Failure.of(kind(raised["said"]))
    return UNFORESEEN


async def _delete(having: Services) -> None:
    """Once all its runs have ended, so that nothing is written behind the deletion's back."""
    for session in await store.in_states(having.database, State.DELETING):
        runs = await having.runs.of_session(session.id)
        going = [run for run, state in (await having.runs.states(runs)).items() if not ended(state)]
        for run in going:
            await having.runs.cancel(run)
        if going:
            continue
        await service.files_gone(session)
        for run in runs:
            await having.runs.forget(run)
        await store.remove(having.database, session.id)
