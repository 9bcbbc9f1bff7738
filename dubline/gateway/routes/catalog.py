"""What can be asked for: profiles with their languages, voices and licences."""

from __future__ import annotations

from statistics import median

from fastapi import APIRouter

from dubline.gateway import catalog
from dubline.gateway.access import Guarded, Viewer
from dubline.gateway.routes.common import Having, problems
from dubline.gateway.schemas import Shown
from dubline.storage.offers import ProfileOffered
from dubline.storage.sessions import store

router = APIRouter(prefix="/v1", tags=["catalogue"], route_class=Guarded)
LATEST = 100
"""Runs that are looked at to say how good estimates are."""


class Estimates(Shown):
    """How good `eta_s` is: what was foretold once the video's length was known, against what the runs took."""

    runs: int
    median_error: float | None
    """Of foretold over taken, less one, without its sign; null without runs."""


@router.get("/profiles", responses=problems())
async def find(having: Having, who: Viewer) -> list[ProfileOffered]:
    """The profiles that work on the machines that translate, with the pairs and voices that they have there."""
    return list((await catalog.offered(having.database)).profiles)


@router.get("/estimates", responses=problems())
async def estimates(having: Having, who: Viewer) -> Estimates:
    """Over your tenant's latest runs."""
    found = await store.foretold(having.database, who.tenant, LATEST)
    errors = [abs(foretold / took - 1) for foretold, took in found]
    return Estimates(runs=len(errors), median_error=round(median(errors), 3) if errors else None)
