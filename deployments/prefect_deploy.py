"""`prefect deploy --all`, which sends of a deployment that exists only what prefect.yaml says.

Prefect's own (3.8) also sends what the file does not say, as empty: it takes away an operator's parameters, job
variables, limit and pause, and beside a schedule of the operator's all others are made anew, active. And it leaves
schedules that the file no longer has. All else is its own: reading the file, versions, deployments that are new.
"""

from __future__ import annotations

import sys
from typing import Any
from uuid import UUID

from prefect.cli import app
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentScheduleUpdate, DeploymentUpdate
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import PrefectHTTPStatusError

_update = PrefectClient.update_deployment


async def update(client: PrefectClient, deployment_id: UUID, deployment: DeploymentUpdate) -> None:
    """In the place of `PrefectClient.update_deployment`. Ends the process with a sentence where somebody has to act."""
    there = await client.read_deployment(deployment_id)
    schedules = {schedule.slug: schedule for schedule in deployment.schedules or () if schedule.slug}
    if len(schedules) < len(deployment.schedules or ()):
        sys.exit(f"A schedule of {there.name} in prefect.yaml has no slug of its own; give it one, such as nightly.")
    try:
        await _update(client, deployment_id, said(deployment, there))
    except PrefectHTTPStatusError as error:
        if error.response.status_code != 409:
            raise
        sys.exit(
            f"The deployment {there.name} cannot be brought up to date ({error.response.json()['detail']}); "
            "put it right in the Prefect UI or in prefect.yaml, and run make deploy again."
        )
    await _put(client, there, schedules)


def said(sent: DeploymentUpdate, there: DeploymentResponse) -> DeploymentUpdate:
    """What prefect.yaml says, over what is there. A pause is always the operators'."""
    unsaid = {"paused", "schedules"} | {name for name in sent.model_fields_set if getattr(sent, name) in (None, {})}
    fields = {name: getattr(sent, name) for name in sent.model_fields_set - unsaid}
    if sent.parameters:
        fields["parameters"] = there.parameters | sent.parameters
    if sent.job_variables:
        fields["job_variables"] = _over(sent.job_variables, there.job_variables)
    if sent.concurrency_options and there.concurrency_options:
        said_options = sent.concurrency_options.model_dump(exclude_unset=True)
        fields["concurrency_options"] = there.concurrency_options.model_copy(update=said_options)
    return DeploymentUpdate(**fields)


async def _put(client: PrefectClient, there: DeploymentResponse, wanted: dict[str, DeploymentScheduleUpdate]) -> None:
    """Schedules with a slug are prefect.yaml's; what it does not say of them, such as `active`, is the operators'."""
    known = {schedule.slug: schedule for schedule in there.schedules if schedule.slug}
    for slug in known.keys() - wanted.keys():
        await client.delete_deployment_schedule(there.id, known[slug].id)
    for slug, schedule in wanted.items():
        fields = {name: getattr(schedule, name) for name in schedule.model_fields_set - {"replaces"}}
        if slug in known:  # without parameters the server would take away those that are there
            fields["parameters"] = known[slug].parameters | fields.get("parameters", {})
            await client.update_deployment_schedule(there.id, known[slug].id, **fields)
        else:
            await client.create_deployment_schedules(there.id, [DeploymentScheduleCreate(**fields)])


def _over(upper: dict[str, Any], lower: dict[str, Any]) -> dict[str, Any]:
    """Also within, as in the variables of `env`."""
    both = {name for name in upper.keys() & lower.keys() if isinstance(upper[name], dict)}
    return lower | upper | {name: _over(upper[name], lower[name]) for name in both if isinstance(lower[name], dict)}


def main() -> None:
    # Prefect has no hook between reading the file and sending; `update` takes what its one caller there gives.
    PrefectClient.update_deployment = update  # type: ignore[method-assign, assignment]
    sys.argv[1:1] = ["--no-prompt", "deploy", "--all"]
    app()


if __name__ == "__main__":
    main()
