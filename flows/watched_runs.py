"""The watcher's side of Prefect: create runs of a deployment by idempotency key, and tell how they stand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

from dubline.domain.errors import InvalidRequest, ServiceUnavailable
from dubline.watching.runs import Standing, Submission, Submitted
from tasks.runs import TRANSLATE
from tasks.server_time import server_now

TAG = "watched-folder"
RESUMED = f"{TRANSLATE}/{TRANSLATE}"
"""The deployment whose crashed runs are always resumed or quarantined: none of them has ended."""
CRASH_GRACE = timedelta(minutes=5)
"""How long a crashed run of another deployment may take to be resumed before it counts as failed."""
PAGE = 200
"""Flow runs in one answer of Prefect's API; its limit."""
REFUSED = frozenset((400, 409, 413, 422))
"""Answers that mean the parameters do not fit the deployment, or are too many."""


class PrefectRuns:
    """Follows the `Runs` protocol. `deployment` is `flow/deployment`, a flow with one parameter, `request`."""

    def __init__(self, client: PrefectClient, deployment: str) -> None:
        self._client, self._deployment = client, deployment

    async def submit(self, submission: Submission) -> Submitted:
        async with _answering(f"create a run of {self._deployment}"):
            try:
                # Asked for each time: it may be deployed anew, under another id, while the watcher is up.
                deployment = await self._client.read_deployment_by_name(self._deployment)
                run = await self._client.create_flow_run_from_deployment(
                    deployment.id,
                    parameters={"request": submission.options.request(submission.video, submission.out)},
                    name=submission.name,
                    tags=[TAG],
                    idempotency_key=submission.key,
                )
            except ObjectNotFound as error:
                raise ServiceUnavailable(
                    f"There is no deployment {self._deployment}; run `make deploy`, the video is submitted then."
                ) from error
            except PrefectHTTPStatusError as error:
                if error.response.status_code not in REFUSED:
                    raise
                raise InvalidRequest(
                    f"The deployment {self._deployment} refused the request ({error.response.text}); correct the "
                    "options or deploy the same version that watches."
                ) from error
            return Submitted(str(run.id), standing(run, await self._given_up([run])))

    async def standings(self, runs: Sequence[str]) -> Mapping[str, Standing]:
        found: list[FlowRun] = []
        async with _answering("tell how the runs stand"):
            for start in range(0, len(runs), PAGE):
                wanted = FlowRunFilterId(any_=[UUID(run) for run in runs[start : start + PAGE]])
                found += await self._client.read_flow_runs(flow_run_filter=FlowRunFilter(id=wanted), limit=PAGE)
            given_up = await self._given_up(found)
        return {str(run.id): standing(run, given_up) for run in found}

    async def _given_up(self, runs: Sequence[FlowRun]) -> set[UUID]:
        """Those that crashed and that nobody will resume."""
        crashed = {run.id: run for run in runs if run.state and run.state.type is StateType.CRASHED}
        if not crashed:
            return set()
        since, resumed = await server_now(self._client) - CRASH_GRACE, await self._resumed()
        return {
            run.id
            for run in crashed.values()
            if (resumed is None or run.deployment_id != resumed) and run.state and run.state.timestamp < since
        }

    async def _resumed(self) -> UUID | None:
        """The deployment whose crashed runs are resumed or quarantined; runs of one that was removed are not."""
        if self._deployment != RESUMED:
            return None
        with suppress(ObjectNotFound):
            return (await self._client.read_deployment_by_name(RESUMED)).id
        return None


def standing(run: FlowRun, given_up: Collection[UUID]) -> Standing:
    state = run.state
    if state is None or not state.is_final():
        return Standing(None)
    if state.type is StateType.COMPLETED:
        return Standing(True)
    if state.type is StateType.CRASHED and run.id not in given_up:
        return Standing(None)  # it may be resumed
    return Standing(False, _sentence(state.message) if state.type is not StateType.CANCELLED else "It was cancelled.")


def _sentence(message: str | None) -> str:
    """Prefect's message without what it puts before an exception's own text."""
    text = " ".join((message or "The run ended without a message; its logs in the Prefect UI say more.").split())
    return text.removeprefix("Flow run encountered an exception: ")


@asynccontextmanager
async def _answering(what: str) -> AsyncIterator[None]:
    try:
        yield
    except (httpx.HTTPError, PrefectHTTPStatusError) as error:
        raise ServiceUnavailable(f"The Prefect server did not {what} ({error}); it is asked again.") from error
