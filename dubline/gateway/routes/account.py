"""Who am I; a browser's sign-in."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from dubline.gateway import access
from dubline.gateway.access import Guarded, Permission, Viewer, public
from dubline.gateway.errors import Refused
from dubline.gateway.routes.common import Having, nothing, problems
from dubline.gateway.schemas import Body, Shown
from dubline.storage import accounts
from dubline.storage.accounts import Identity, Role

router = APIRouter(prefix="/v1", tags=["account"], route_class=Guarded)


class Me(Shown):
    subject: str
    tenant: str
    role: Role
    permissions: list[Permission]


class SignIn(Body):
    credential: str = Field(max_length=10_000)
    """An API key or an OpenID Connect token."""


@router.get("/me", responses=problems())
async def me(who: Viewer) -> Me:
    return _shown(who)


@router.post("/sign-in", dependencies=[Depends(public)], responses=problems())
async def sign_in(body: SignIn, request: Request, answer: Response, having: Having) -> Me:
    """Exchange a credential for a cookie that scripts cannot read: players and event streams send no other header."""
    found = await access.credential(having, body.credential.strip())
    if found is None:
        await having.limits.refused(access.address(request))
        raise Refused(401, "unauthenticated", "This key or token is not valid (any more).", WWW_Authenticate="Bearer")
    await having.limits.counted(found.subject)
    lasts = timedelta(hours=having.settings.cookie_hours)
    cookie = await accounts.sign_in(having.database, found, lasts)
    answer.set_cookie(
        access.COOKIE,
        cookie,
        max_age=int(lasts.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    request.state.identity = found
    return _shown(found)


@router.post("/sign-out", status_code=204, dependencies=[Depends(public)], responses=problems())
async def sign_out(request: Request, having: Having) -> Response:
    answer = nothing()
    if cookie := request.cookies.get(access.COOKIE):
        await accounts.sign_out(having.database, cookie)
    answer.delete_cookie(access.COOKIE, httponly=True, samesite="strict")
    return answer


def _shown(who: Identity) -> Me:
    granted = [permission for permission in Permission if access.may(who, permission)]
    return Me(subject=who.subject, tenant=who.tenant, role=who.role, permissions=granted)
