"""Who is asking, and whether they may. Every route names the permission it needs, or that it needs none."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Iterator
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Depends, Request, Response, Security, WebSocket
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.requests import HTTPConnection

from dubline.gateway.errors import Refused
from dubline.gateway.services import Services, services
from dubline.storage import accounts
from dubline.storage.accounts import Identity, Role

COOKIE = "dubline"
SAFE = frozenset(("GET", "HEAD", "OPTIONS"))


class _Bearer(HTTPBearer):
    """For the OpenAPI document: `known` reads the credentials, those of a WebSocket as well."""

    async def __call__(self, request: HTTPConnection) -> None: ...


class _Cookie(APIKeyCookie):
    """For the OpenAPI document, too."""

    async def __call__(self, request: HTTPConnection) -> None: ...


_bearer = _Bearer(scheme_name="bearer", description="An API key, or an OpenID Connect token.")
_cookie = _Cookie(name=COOKIE, scheme_name="cookie", description="A browser that signed in.")


class Permission(StrEnum):
    READ = "sessions:read"
    """Sessions of the tenant, their progress and results."""
    WRITE = "sessions:write"
    """Create sessions; change one's own."""
    OPERATE = "sessions:operate"
    """Change anybody's."""
    ADMINISTER = "tenant:administer"
    """Keys, limits and the audit log."""


GRANTED: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset((Permission.READ,)),
    Role.EDITOR: frozenset((Permission.READ, Permission.WRITE)),
    Role.OPERATOR: frozenset((Permission.READ, Permission.WRITE, Permission.OPERATE)),
    Role.ADMIN: frozenset(Permission),
}


def granted(role: Role, scopes: Collection[str]) -> frozenset[Permission]:
    """A key's scopes take away from its role, and add nothing."""
    return frozenset(permission for permission in GRANTED[role] if not scopes or permission in scopes)


def may(identity: Identity, permission: Permission) -> bool:
    return permission in granted(identity.role, identity.scopes)


def require(identity: Identity, permission: Permission) -> None:
    """Raises Refused."""
    if not may(identity, permission):
        said = f"This needs the permission {permission}, which your {identity.role}'s credentials do not have."
        raise Refused(403, "forbidden", said)


class Allowed:
    """The dependency of a route: who asks, once it is clear that they may. Raises Refused 401, 403 or 429."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(
        self,
        request: HTTPConnection,
        _: Annotated[None, Security(_bearer)] = None,
        __: Annotated[None, Security(_cookie)] = None,
    ) -> Identity:
        found = await known(request)
        require(found, self.permission)
        return found


Viewer = Annotated[Identity, Depends(Allowed(Permission.READ))]
Editor = Annotated[Identity, Depends(Allowed(Permission.WRITE))]
Admin = Annotated[Identity, Depends(Allowed(Permission.ADMINISTER))]


async def known(request: HTTPConnection) -> Identity:
    """Who asks; found once for each request. Raises Refused 401, or 429 for too many requests."""
    before: Identity | None = getattr(request.state, "identity", None)
    if before:
        return before
    having = services(request)
    shown = request.headers.get("authorization", "")
    found = await of_header(having, shown) or await _of_cookie(request, having)
    found = await admitted(having, found, address(request))
    request.state.identity = found  # for the audit log as well
    return found


async def admitted(having: Services, found: Identity | None, address: str) -> Identity:
    """Counts the request. Raises Refused 401 where nobody was found, or 429 for too many requests."""
    if found is None:
        await having.limits.refused(address)
        raise Refused(
            401,
            "unauthenticated",
            "Show an API key or a token in the header 'Authorization: Bearer ...', or sign in.",
            WWW_Authenticate="Bearer",
        )
    await having.limits.counted(found.subject)
    return found


async def of_header(having: Services, authorization: str) -> Identity | None:
    kind, _, shown = authorization.partition(" ")
    if kind.lower() != "bearer" or not shown:
        return None
    return await credential(having, shown.strip())


async def credential(having: Services, shown: str) -> Identity | None:
    """Of an API key or a token."""
    if shown.startswith(f"{accounts.PREFIX}_"):
        return await accounts.identify(having.database, shown)
    return await having.tokens.identify(shown) if having.tokens else None


async def _of_cookie(request: HTTPConnection, having: Services) -> Identity | None:
    """Browsers send cookies with whatever a foreign page makes them ask; the Origin says whose page it was."""
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        return None
    found = await accounts.of_cookie(having.database, cookie)
    unsafe = isinstance(request, WebSocket) or request.scope.get("method", "GET") not in SAFE
    if found and unsafe and not _own_page(request):
        raise Refused(403, "foreign-page", "A page of another site may not act in the name of who is signed in here.")
    return found


def _own_page(request: HTTPConnection) -> bool:
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] == request.headers.get("host")


def address(request: HTTPConnection) -> str:
    return request.client.host if request.client else "unknown"


def changeable(identity: Identity, owner: str) -> None:
    """Raises Refused where somebody else's is not theirs to change."""
    if owner != identity.subject and not may(identity, Permission.OPERATE):
        raise Refused(403, "not-yours", f"Changing another one's session needs the permission {Permission.OPERATE}.")


def public() -> None:
    """The dependency of a route that anybody may call, so that none is open by oversight."""


def rule(dependant: Dependant) -> Allowed | None:
    """What a route asks for; None where it is public. Raises LookupError where it says neither."""
    found = list(_calls(dependant))
    allowed = next((one for one in found if isinstance(one, Allowed)), None)
    if allowed is None and public not in found:
        raise LookupError(f"The route {dependant.path} says neither what it asks for nor that it is public.")
    return allowed


def _calls(dependant: Dependant) -> Iterator[object]:
    for one in dependant.dependencies:
        yield one.call
        yield from _calls(one)


class Guarded(APIRoute):
    """Asks who it is before it reads a body: what a stranger sends is not parsed."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle, asked = super().get_route_handler(), rule(self.dependant)

        async def guarded(request: Request) -> Response:
            if asked:
                await asked(request)
            return await handle(request)

        return guarded
