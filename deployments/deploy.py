"""Set a Prefect server up for Dubline: `make deploy`. Running it again changes nothing that is as it should be.

Work pools with their queues, the GPU limit, automations, then the deployments of prefect.yaml.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from prefect.automations import AutomationCore, EventTrigger, Posture
from prefect.blocks.core import Block
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate, WorkPoolCreate
from prefect.client.schemas.objects import StateType
from prefect.events import ResourceSpecification
from prefect.events.actions import ChangeFlowRunState, SendNotification
from prefect.exceptions import ObjectNotFound
from prefect.workers.process import ProcessWorker

from blocks import EngineProfile, MediaStore, Notification, WatchFolder

CHECKOUT = Path(__file__).parent.parent
HEARTBEAT = "prefect.flow-run.heartbeat"
SILENT_S = 90
"""Three missed heartbeats."""
GPU_LIMIT = "gpu"


@dataclass(frozen=True, slots=True)
class Pool:
    name: str
    description: str
    queues: tuple[tuple[str, int], ...]
    """Name and priority; 1 goes first."""


POOLS = (
    Pool(
        "cpu",
        "Whole videos, and the services around them.",
        (("service", 1), ("urgent", 2), ("default", 5), ("bulk", 9)),
    ),
    Pool("gpu", "Inference stages, a GPU slot each.", (("urgent", 2), ("default", 5), ("bulk", 9))),
)


async def deploy(gpu_slots: int) -> None:
    """Everything but the deployments themselves."""
    async with get_client() as client:
        for pool in POOLS:
            await _pool(client, pool)
        await _limit(client, GPU_LIMIT, gpu_slots)
        for block in (EngineProfile, MediaStore, Notification, WatchFolder):
            await block.aregister_type_and_schema()
        await _automation(client, crash_zombies())
        if channel := await _channel():
            await _automation(client, tell_failures(channel))


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
        await client.update_automation(known[0].id, wanted)
        print(f"changed the automation {wanted.name}")


def _plain(automation: AutomationCore, fields: set[str]) -> object:
    def without_ids(value: object) -> object:
        if isinstance(value, dict):
            return {name: without_ids(part) for name, part in value.items() if name != "id"}
        # Sets come as lists in any order.
        return sorted((without_ids(part) for part in value), key=str) if isinstance(value, list) else value

    return without_ids(automation.model_dump(mode="json", include=fields))


def crash_zombies() -> AutomationCore:
    """Runs whose heartbeat stays out are marked Crashed; housekeeping takes them up again.

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


async def _channel() -> UUID | None:
    """The block that sends, where a `dubline-notification` of the name `dubline` names one."""
    try:
        notification: Notification = await Notification.aload("dubline")
    except ValueError:
        return None
    channel: Block = await Block.aload(notification.channel)
    return channel._block_document_id


def tell_failures(channel: UUID) -> AutomationCore:
    """A message for each video that failed for good."""
    return AutomationCore(
        name="tell-failures",
        description="Tells the notification channel of runs that failed or were quarantined.",
        trigger=EventTrigger(
            expect={"prefect.flow-run.Failed", "prefect.flow-run.Quarantined"},
            match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
            match_related=ResourceSpecification(
                {"prefect.resource.role": "deployment", "prefect.resource.name": "translate-video"}
            ),
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


def main() -> None:
    asyncio.run(deploy(gpu_slots=1))
    done = subprocess.run([sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"], cwd=CHECKOUT)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
