"""Progress, as Server-Sent Events and over a WebSocket: the same events with the same numbers, without gaps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query, WebSocket
from starlette.responses import StreamingResponse
from starlette.websockets import WebSocketDisconnect

from dubline.gateway import service
from dubline.gateway.access import Guarded, Viewer
from dubline.gateway.errors import Refused
from dubline.gateway.routes.common import Having, SessionId, problems
from dubline.gateway.schemas import EventNumber
from dubline.gateway.services import Services
from dubline.storage.accounts import Identity

router = APIRouter(prefix="/v1/sessions", tags=["progress"], route_class=Guarded)
IDLE_S = 15.0
"""After so long without an event a sign of life is sent: proxies close what is silent, and a client that is gone is
noticed."""
RETRY_MS = 1000
"""When a client is to connect again after it was cut off."""
MISSING = 4404
"""Closes a WebSocket whose session was deleted."""
After = Annotated[EventNumber, Query(description="Only events with higher numbers.")]


@router.get(
    "/{session}/events",
    response_class=StreamingResponse,
    responses=problems(404) | {200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def follow(
    session: SessionId,
    having: Having,
    who: Viewer,
    last_event_id: Annotated[EventNumber | None, Header()] = None,
    after: After = 0,
) -> StreamingResponse:
    """What happens to the session, from its beginning or after `Last-Event-ID`. It does not end by itself."""
    await service.read(having, who, session)
    start = after if last_event_id is None else last_event_id
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_lines(having, who, session, start), media_type="text/event-stream", headers=headers)


async def _lines(having: Services, who: Identity, session: str, after: int) -> AsyncIterator[str]:
    yield f"retry: {RETRY_MS}\n\n"
    async for events in having.hub.follow(session, after, IDLE_S):
        if events:  # together: each piece that is sent has its price
            yield "".join(f"id: {event.number}\nevent: {event.kind}\ndata: {event.text}\n\n" for event in events)
        elif await _gone(having, who, session):
            return
        else:
            yield ": still here\n\n"


@router.websocket("/{session}/ws")
async def socket(websocket: WebSocket, session: SessionId, having: Having, who: Viewer, after: After = 0) -> None:
    """The same as JSON messages, for clients that prefer it. A refusal answers the handshake, as it would a request."""
    await service.read(having, who, session)
    await websocket.accept()
    try:
        async for events in having.hub.follow(session, after, IDLE_S):
            for event in events:
                await websocket.send_text(event.text)
            if events:
                continue
            if await _gone(having, who, session):
                await websocket.close(MISSING)
                return
            await websocket.send_text('{"kind": "idle"}')
    except (WebSocketDisconnect, RuntimeError):  # the client is gone: starlette raises the latter for a second send
        return


async def _gone(having: Services, who: Identity, session: str) -> bool:
    try:
        await service.read(having, who, session)
    except Refused:
        return True
    return False
