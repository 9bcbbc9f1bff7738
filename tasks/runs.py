"""The runs of this project's deployments, on a server that other teams may use as well."""

from __future__ import annotations

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
)
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort

TRANSLATE = "translate-video"
"""The deployment that people, programs and watched folders start."""
INFER = "infer"
"""The deployment that those start; the run that asked starts another when one is lost."""
WATCH = "watch-folder"
"""The flow that stays up and watches the folder of a block."""
WATCHED_BLOCK, INBOX = "dubline-watch-folder", "inbox"
"""Type and name of the block whose folder that flow's deployment watches."""


async def runs_of(
    client: PrefectClient, deployment: str, wanted: FlowRunFilter, sort: FlowRunSort | None = None
) -> list[FlowRun]:
    """All such runs of the deployment of that name, whose flow has the same name.

    A deployment's name alone says nothing: it is unique among those of one flow, and another team's model may have an
    `infer`, too.
    """
    found: list[FlowRun] = []
    # How many the server gives at once is its own setting.
    while page := await client.read_flow_runs(
        flow_filter=FlowFilter(name=FlowFilterName(any_=[deployment])),
        flow_run_filter=wanted,
        deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[deployment])),
        sort=sort,
        offset=len(found),
    ):
        found += page
    return found
