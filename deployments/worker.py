"""Prefect's process worker, which goes on when a run is scheduled again while its process is still here.

`python -m deployments.worker --pool cpu --limit 2` takes the options of `prefect worker start`. That one (Prefect 3.8),
with a limit, ends at once in such a case, and every video on the machine with it: somebody chose Retry before the
cancelled run's process was gone, or a frozen run was resumed. Without a limit it knows nothing of such a process, and
the run gets a second one; so the limit has to be given.

The process of a run that has ended gives its place up to one that waits for it. A frozen one would keep it for ever.

It sees to it that folders are watched (`watchers`), and reports a crash once. It also starts a run's process at once:
Prefect's first starts another, which fetches the code; ours is installed.
"""

from __future__ import annotations

import sys
import time
import warnings
from contextlib import suppress
from itertools import pairwise
from typing import Any
from uuid import UUID

import httpx
import psutil
from anyio import CapacityLimiter
from prefect.cli import app
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import TERMINAL_STATES, FlowRun
from prefect.client.schemas.responses import WorkerFlowRunResponse
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_WORKER_QUERY_SECONDS, temporary_settings
from prefect.utilities.processutils import command_to_string
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

from deployments import offers
from deployments.watchers import LOOK_S, start_missing
from dubline.domain.errors import InvalidRequest
from dubline.proxies import spare_loopback
from dubline.settings import settings, share_threads

QUERY_S = 3
"""Between two looks for work, unless PREFECT_WORKER_QUERY_SECONDS says otherwise. Prefect's own is 10, and a video that
is dropped is to run within 15 s."""
SPELLED = {"-l": "--limit", "-p": "--pool"}
AUTO = "auto"
"""A limit: as many runs as fit this machine."""
GRACE_S = 15.0
"""For a process to end by itself when its run was scheduled again or has ended; one that is frozen never does."""


class Configuration(ProcessJobConfiguration):
    """A run's process is Prefect's engine, in this Python, unless its deployment says otherwise."""

    def prepare_for_flow_run(self, *args: Any, **kwargs: Any) -> None:
        self.command = self.command or command_to_string([sys.executable, "-m", "prefect.engine"])
        super().prepare_for_flow_run(*args, **kwargs)


with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)  # "The existing type will be overridden", as it shall

    class Worker(ProcessWorker):
        """Takes a run up again when the process that it has of it is gone."""

        job_configuration = Configuration

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._since: dict[UUID, float] = {}
            """When each run that was given up was first seen beside its process."""
            self._looked = -LOOK_S

        async def run(self, flow_run: FlowRun, *args: Any, **kwargs: Any) -> ProcessWorkerResult:
            """As Prefect's, which reports a crash twice: its runner when the process ends, and the worker some seconds
            later, perhaps over what was made of the run meanwhile. The second is for where the first was not heard."""
            result = await super().run(flow_run, *args, **kwargs)
            told = result.status_code != 0 and await self._told(flow_run.id)
            return result.model_copy(update={"status_code": 0}) if told else result

        async def _told(self, run: UUID) -> bool:
            """Whether the server knows of a process's end; no where it is away."""
            try:
                state = (await self.client.read_flow_run(run)).state
            except ObjectNotFound:
                return True
            except httpx.HTTPError:
                return False
            return state is not None and not (state.is_running() or state.is_pending())

        async def _submit_scheduled_flow_runs(self, flow_run_response: list[WorkerFlowRunResponse]) -> list[FlowRun]:
            held = _held(self.limiter)
            scheduled = {one.flow_run.id for one in flow_run_response}
            given_up = held & scheduled
            if scheduled > given_up and not self.limiter.available_tokens:
                given_up |= await self._ended(held)
            self._since = {run: self._since.get(run, time.monotonic()) for run in given_up}
            for run, since in self._since.items():
                if time.monotonic() - since > GRACE_S:
                    self._logger.warning("Ending the process of flow run '%s', which was given up.", run)
                    end(run)
            submitted = await super()._submit_scheduled_flow_runs(
                [one for one in flow_run_response if one.flow_run.id not in held]
            )
            await self._keep_watching()
            return submitted

        async def _keep_watching(self) -> None:
            """Now and then see to it that folders are watched."""
            if time.monotonic() - self._looked < LOOK_S:
                return
            self._looked = time.monotonic()
            with suppress(httpx.HTTPError, ObjectNotFound):  # a server that is away, a deployment that goes just now
                for name in await start_missing(self.client, self._work_pool_name):
                    self._logger.info("Started the watcher '%s', which was not up.", name)

        async def _ended(self, runs: set[UUID]) -> set[UUID]:
            """Those of the runs that are over, however they ended."""
            over = FlowRunFilterState(type=FlowRunFilterStateType(any_=list(TERMINAL_STATES)))
            wanted = FlowRunFilter(id=FlowRunFilterId(any_=list(runs)), state=over)
            return {run.id for run in await self.client.read_flow_runs(flow_run_filter=wanted)}


def _held(limiter: CapacityLimiter) -> set[UUID]:
    """The runs whose processes are here."""
    return {run for run in limiter.statistics().borrowers if isinstance(run, UUID)}


def end(run: UUID) -> None:
    """Kill the processes of a run that this process started."""
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if process.environ().get("PREFECT__FLOW_RUN_ID") in (str(run), run.hex):
                process.kill()


def spelled(options: list[str]) -> list[str]:
    """With limit and pool in one form: `-l3`, `-l=3` and `--limit=3` become `--limit 3`."""
    return [word for option in options for word in _words(option)]


def _words(option: str) -> list[str]:
    for short, name in SPELLED.items():
        if option.startswith(f"{name}="):
            return [name, option.removeprefix(f"{name}=")]
        if option.startswith(short):
            return [word for word in (name, option.removeprefix(short).removeprefix("=")) if word]
    return [option]


def limit_of(options: list[str]) -> int:
    """How many runs it is told, as `spelled`, to work on at once; 1 where it only tells its options.

    `auto` becomes what fits this machine. Raises InvalidRequest where nothing is said.
    """
    for at, (option, said) in enumerate(zip(options, [*options[1:], ""], strict=False)):
        if option == "--limit":
            if said == AUTO:
                options[at + 1] = said = str(settings().runs_at_once)
            if said.isdecimal() and int(said):
                return int(said)
        if option in ("--help", "-h"):
            return 1
    raise InvalidRequest(
        "A worker needs --limit, the number of runs that it works on at once; add for example --limit 3, or "
        "--limit auto for as many as fit this machine."
    )


def pool(options: list[str]) -> str:
    """The pool that the options name, as `spelled`; none where they name none."""
    return next((named for option, named in pairwise(options) if option == "--pool"), "")


def main() -> None:
    try:
        options = spelled(sys.argv[1:])
        spare_loopback()  # for its runs as well, which inherit this and the next
        share_threads(limit_of(options))
    except InvalidRequest as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    sys.argv[1:] = ["worker", "start", "--type", ProcessWorker.type, *options]
    query = temporary_settings(set_defaults={PREFECT_WORKER_QUERY_SECONDS: QUERY_S})
    with offers.telling(pool(options)), query:
        app()


if __name__ == "__main__":
    main()
