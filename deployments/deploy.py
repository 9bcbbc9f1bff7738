"""Set a Prefect server up for Dubline: `make deploy`. Running it again changes nothing that is as it should be.

Work pools with their queues, the GPU limit, blocks, automations, the deployments of prefect.yaml. Exit codes are those
of dubline/domain/errors.py: 2 when a setting or a block is wrong, 10 when the server cannot be reached; and 1 when
prefect_deploy.py could not bring a deployment up to date.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
from prefect.automations import AutomationCore, EventTrigger, Posture
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate, WorkPoolCreate
from prefect.client.schemas.objects import StateType
from prefect.events import ResourceSpecification
from prefect.events.actions import ChangeFlowRunState, SendNotification
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL
from prefect.workers.process import ProcessWorker

from blocks import EngineProfile, MediaStore, Notification, WatchFolder
from dubline.domain.errors import DublineError, InvalidRequest, ServiceUnavailable
from dubline.proxies import spare_loopback

CHECKOUT = Path(__file__).parent.parent
HEARTBEAT = "prefect.flow-run.heartbeat"
SILENT_S = 90
"""Three missed heartbeats."""
FLOWS = (
    "translate-video",
    "infer",
    "revive",
    "housekeeping",
    "quality-report",
    "watch-folder",
    "reconcile-folder",
)
"""Ours: another team's runs on the same server may have slower hearts."""
GPU_LIMIT = "gpu"
TOLD = "tell-failures"
NOTIFICATION = "dubline"
"""Name of the block that says who is told."""


@dataclass(frozen=True, slots=True)
class Pool:
    name: str
    description: str
    queues: tuple[tuple[str, int], ...]
    """Name and priority; 1 goes first."""


_QUEUES = (("urgent", 2), ("default", 5), ("bulk", 9))
POOLS = (
    Pool("cpu", "Whole videos.", _QUEUES),
    Pool("gpu", "Inference stages, a GPU slot each.", _QUEUES),
    # Whoever looks after videos must not wait for a place behind them: all of them may be frozen.
    Pool("service", "What looks after the videos, at night and all day.", (("default", 5),)),
)


async def set_up(gpu_slots: int) -> None:
    """Everything that is no deployment, and needs none."""
    async with get_client() as client:
        for pool in POOLS:
            await _pool(client, pool)
        await _limit(client, GPU_LIMIT, gpu_slots)
        for block in (EngineProfile, MediaStore, Notification, WatchFolder):
            await block.aregister_type_and_schema()
        await _automation(client, crash_zombies())


async def tell() -> None:
    """Who is told of failures: the channel of the block NOTIFICATION, or nobody where there is no such block.

    Raises InvalidRequest for a channel that does not exist; an automation that was made before stays as it is.
    """
    async with get_client() as client:
        channel = await _channel(client)
        if channel:
            await _automation(client, tell_failures(channel))
            return
        for known in await client.read_automations_by_name(TOLD):
            await client.delete_automation(known.id)
            print(f"removed the automation {TOLD}")


async def _pool(client: PrefectClient, pool: Pool) -> None:
    try:
        await client.read_work_pool(pool.name)
    except ObjectNotFound:
        template = ProcessWorker.get_default_base_job_template()
        wanted = WorkPoolCreate(
            name=pool.name, type="process", description=pool.description, base_job_template=template
        )
        await client.create_work_pool(wanted)
        print(f"created the work pool {pool.name}")
    known = {queue.name: queue for queue in await client.read_work_queues(work_pool_name=pool.name)}
    for name, priority in pool.queues:
        if name not in known:
            await client.create_work_queue(name=name, work_pool_name=pool.name, priority=priority)
            print(f"created the queue {pool.name}/{name}")
        elif known[name].priority != priority:
            await client.update_work_queue(known[name].id, priority=priority)
            print(f"changed the priority of {pool.name}/{name}")


async def _limit(client: PrefectClient, name: str, slots: int) -> None:
    """A limit that is there keeps its size: operators change it in the UI."""
    try:
        await client.read_global_concurrency_limit_by_name(name)
    except ObjectNotFound:
        await client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=name, limit=slots))
        print(f"created the concurrency limit {name} with {slots} slots")


async def _automation(client: PrefectClient, wanted: AutomationCore) -> None:
    known = await client.read_automations_by_name(wanted.name)
    if not known:
        await client.create_automation(wanted)
        print(f"created the automation {wanted.name}")
        return
    fields = {"description", "trigger", "actions"}
    if _plain(known[0], fields) != _plain(wanted, fields):
        kept = {"enabled": known[0].enabled}  # an operator's choice
        await client.update_automation(known[0].id, wanted.model_copy(update=kept))
        print(f"changed the automation {wanted.name}")


def _plain(automation: AutomationCore, fields: set[str]) -> object:
    def without_ids(value: object) -> object:
        if isinstance(value, dict):
            return {name: without_ids(part) for name, part in value.items() if name != "id"}
        # Sets come as lists in any order.
        return sorted((without_ids(part) for part in value), key=str) if isinstance(value, list) else value

    return without_ids(automation.model_dump(mode="json", include=fields))


def crash_zombies() -> AutomationCore:
    """Runs whose heartbeat stays out are marked Crashed; `revive` takes them up again.

    One that is scheduled again has no heart until a worker takes it up.
    """
    still = ("Completed", "Failed", "Cancelled", "Crashed", "AwaitingRetry")
    return AutomationCore(
        name="crash-zombies",
        description="Marks a run as crashed when its heartbeat stays out.",
        trigger=EventTrigger(
            after={HEARTBEAT},
            expect={HEARTBEAT, *(f"prefect.flow-run.{state}" for state in still)},
            match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
            match_related=ResourceSpecification({"prefect.resource.role": "flow", "prefect.resource.name": [*FLOWS]}),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=SILENT_S),
        ),
        actions=[
            ChangeFlowRunState(
                name="Crashed",
                state=StateType.CRASHED,
                message=f"There was no heartbeat for {SILENT_S} s: its process or machine is gone.",
                force=False,
            )
        ],
    )


async def _channel(client: PrefectClient) -> UUID | None:
    """The block that sends, where the block NOTIFICATION names one."""
    slug = Notification.get_block_type_slug()
    try:
        named = (await client.read_block_document_by_name(NOTIFICATION, slug)).data["channel"]
    except ObjectNotFound:
        return None
    kind, _, name = named.partition("/")
    try:
        return (await client.read_block_document_by_name(name, kind, include_secrets=False)).id
    except ObjectNotFound:
        raise InvalidRequest(
            f"Nobody is told of failures: the block {slug}/{NOTIFICATION} names the channel {named}, and there is no "
            "such block; make it in the UI, or name another there, and run make deploy again."
        ) from None


def tell_failures(channel: UUID) -> AutomationCore:
    """A message for each video that failed for good."""
    return AutomationCore(
        name=TOLD,
        description="Tells the notification channel of runs that failed or were quarantined.",
        trigger=EventTrigger(
            expect={"prefect.flow-run.Failed", "prefect.flow-run.Quarantined"},
            match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
            # Other teams' flows may have a deployment of that name.
            match_related=[
                ResourceSpecification({"prefect.resource.role": role, "prefect.resource.name": "translate-video"})
                for role in ("flow", "deployment")
            ],
            for_each={"prefect.resource.id"},
            posture=Posture.Reactive,
            threshold=1,
        ),
        actions=[
            SendNotification(
                block_document_id=channel,
                subject="Dubline: {{ flow_run.name }} {{ flow_run.state.name }}",
                body="{{ flow_run.state.message }}\n{{ flow_run|ui_url }}",
            )
        ],
    )


def deploy() -> None:
    """Raises InvalidRequest, ServiceUnavailable. What is told comes last: without it the rest is as it should be."""
    address = PREFECT_API_URL.value()
    if not address:  # Prefect's client would start a server of its own, for as long as it needs it
        raise InvalidRequest("No Prefect server is named; set PREFECT_API_URL, such as to http://127.0.0.1:4200/api.")
    try:
        asyncio.run(set_up(gpu_slots=1))
        done = subprocess.run([sys.executable, "-m", "deployments.prefect_deploy"], cwd=CHECKOUT)
        if done.returncode:
            sys.exit(done.returncode)  # it has said why
        asyncio.run(tell())
    except httpx.HTTPStatusError as error:
        what = f"answered {error.response.status_code}"
        raise ServiceUnavailable(
            f"The Prefect server at {address} {what}; look into its log, and try again."
        ) from error
    except httpx.TransportError as error:
        what = str(error) or type(error).__name__
        raise ServiceUnavailable(
            f"The Prefect server at {address} cannot be reached ({what}); start it, or set PREFECT_API_URL."
        ) from error


def main() -> None:
    try:
        spare_loopback()
        deploy()
    except DublineError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
