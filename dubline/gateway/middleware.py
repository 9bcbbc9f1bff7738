"""What every answer gets, and what is kept of every request: security headers, a limit for bodies, the audit log."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dubline.gateway.access import SAFE, address
from dubline.gateway.audited import noted
from dubline.gateway.errors import Refused, answer, refusal
from dubline.gateway.services import services
from dubline.storage.accounts import Identity

LARGEST_BODY = 4 << 20
"""Bytes of a request that is no upload: a glossary of 5000 terms fits."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
DOWNLOAD_POLICY = "default-src 'none'; sandbox"
"""For files that strangers made: whatever they hold, no browser runs it."""
UPLOADS = "/v1/uploads/"


def install(app: FastAPI) -> None:
    app.add_middleware(LastResort)
    app.add_middleware(Audited)
    app.add_middleware(SmallBodies)
    app.add_middleware(SecurityHeaders)


class SecurityHeaders:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/v1/"):
                    headers["Content-Security-Policy"] = DOWNLOAD_POLICY
                    headers.setdefault("Cache-Control", "no-store")
                # The page's scripts are of one release, also after an upgrade.
                headers.setdefault("Cache-Control", "no-cache")
                if scope["scheme"] == "https":
                    headers["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        await self._app(scope, receive, sent)


class SmallBodies:
    """Refuses bodies that are too large while they come; a client's announcement is not believed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(UPLOADS):
            await self._app(scope, receive, send)
            return
        size = 0

        async def received() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > LARGEST_BODY:
                raise Refused(413, "body-too-large", f"A request's body may have {LARGEST_BODY} bytes.")
            return message

        await self._app(scope, received, send)


class LastResort:
    """Answers where nobody foresaw an error. In here, so that this answer gets its headers like every other."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def sent(message: Message) -> None:
            nonlocal started
            started = started or message["type"] in ("http.response.start", "websocket.accept")
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except Exception as error:  # whatever nobody foresaw is a 500 with headers, a body and a line of log
            refused = refusal(error, scope["path"])
            if started:
                raise
            await answer(refused)(scope, receive, send)


class Audited:
    """Notes who changed what and how it was answered, and every refusal of somebody who is known."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sent)
        finally:
            await self._note(Request(scope), status)

    async def _note(self, request: Request, status: int) -> None:
        who: Identity | None = getattr(request.state, "identity", None)
        changes = request.method not in SAFE and request.method != "PATCH"
        edits = request.method == "PATCH" and not request.url.path.startswith(UPLOADS)
        if who is None or not (changes or edits or status in (403, 404)):
            return
        route = request.scope.get("route")
        action = f"{request.method} {getattr(route, 'path', request.url.path)}"
        thing = str(next(iter(request.path_params.values()), ""))
        await noted(services(request), who, action, thing, address(request), status)
