"""For a tenant's administrators: API keys, limits, the audit log."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from dubline.gateway.access import Admin, Guarded, granted
from dubline.gateway.errors import Refused, not_found
from dubline.gateway.routes.common import Having, nothing, problems
from dubline.gateway.schemas import KeyBody, KeyShown, NewKeyShown
from dubline.storage import accounts, audit
from dubline.storage.accounts import Key, Limits
from dubline.storage.audit import Entry
from dubline.storage.database import now

router = APIRouter(prefix="/v1", tags=["administration"], route_class=Guarded)


@router.get("/keys", responses=problems())
async def find(having: Having, who: Admin) -> list[KeyShown]:
    return [_shown(key) for key in await accounts.keys(having.database, who.tenant)]


@router.post("/keys", status_code=201, responses=problems())
async def make(body: KeyBody, having: Having, who: Admin) -> NewKeyShown:
    """A new key, which may do nothing that yours may not. Its secret is in this answer and nowhere else."""
    if not granted(body.role, body.scopes) <= granted(who.role, who.scopes):
        raise Refused(403, "forbidden", "The new key would be allowed more than yours is; give it fewer scopes.")
    expires = now() + timedelta(days=body.days) if body.days else None
    key, secret = await accounts.make_key(
        having.database, who.tenant, body.name, body.role, tuple(body.scopes), expires
    )
    return NewKeyShown(**_shown(key).model_dump(), secret=secret)


@router.delete("/keys/{key}", status_code=204, responses=problems(404))
async def revoke(key: Annotated[str, Path(pattern="^[A-Za-z0-9]{12}$")], having: Having, who: Admin) -> Response:
    """It ends at once, and so does every browser that signed in with it."""
    if not await accounts.revoke(having.database, who.tenant, key):
        raise not_found("valid key", key)
    return nothing()


@router.get("/limits", responses=problems())
async def limits(having: Having, who: Admin) -> Limits:
    return (await accounts.ensure_tenant(having.database, who.tenant)).limits


@router.get("/audit", responses=problems())
async def log(
    having: Having,
    who: Admin,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Only entries with lower ids.")] = None,
) -> list[Entry]:
    """Who changed what, and who was refused; the newest first."""
    return await audit.page(having.database, who.tenant, limit, before)


def _shown(key: Key) -> KeyShown:
    return KeyShown(**key.model_dump(exclude={"tenant", "scopes"}), scopes=list(key.scopes))
