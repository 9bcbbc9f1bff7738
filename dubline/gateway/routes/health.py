"""For whoever watches the gateway: is it up, and what can it do at this moment."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Response
from sqlalchemy import select

from dubline.domain.errors import ServiceUnavailable
from dubline.gateway.access import Guarded, public
from dubline.gateway.routes.common import Having
from dubline.gateway.schemas import Shown
from dubline.storage.tables import tenants

router = APIRouter(tags=["health"], route_class=Guarded)


class Health(Shown):
    database: bool
    prefect: bool
    workers: int
    """How many are online; 0 also where nobody can tell."""


@router.get("/healthz", dependencies=[Depends(public)])
async def alive() -> dict[str, str]:
    """It answers, so it lives."""
    return {"status": "ok"}


@router.get("/readyz", dependencies=[Depends(public)], responses={503: {"model": Health}})
async def ready(having: Having, answer: Response) -> Health:
    """What can be done: without the database nothing (503), without Prefect or workers sessions wait."""
    database = prefect = True
    workers = 0
    try:
        await having.database.rows(select(tenants.c.id).limit(1))
    except ServiceUnavailable:
        database = False
    try:
        workers = await having.runs.workers()
    except ServiceUnavailable:
        prefect = False
    answer.status_code = 200 if database else 503
    return Health(database=database, prefect=prefect, workers=workers)
