"""Sessions: create, list, read, cancel, resume, delete."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from dubline.gateway import service
from dubline.gateway.access import Editor, Guarded, Viewer
from dubline.gateway.errors import Refused
from dubline.gateway.routes.common import Having, SessionId, nothing, problems, shown
from dubline.gateway.schemas import IdempotencyKey, Name, NewSessionBody, SessionPage, SessionShown, StageShown, Text
from dubline.storage.sessions import store
from dubline.storage.sessions.model import Session, State
from dubline.storage.sessions.store import Wanted

router = APIRouter(prefix="/v1/sessions", tags=["sessions"], route_class=Guarded)
Key = Annotated[IdempotencyKey | None, Header(description="Makes it safe to send this again.")]


@router.post("", status_code=201, responses=problems(404, 409) | {200: {"model": SessionShown}})
async def create(
    body: NewSessionBody, having: Having, who: Editor, answer: Response, idempotency_key: Key = None
) -> SessionShown:
    """Translate a video. Sent again with the same key, it answers 200 with the session that is there."""
    session, made = await service.create(having, who, body, idempotency_key)
    answer.status_code = 201 if made else 200
    answer.headers["Location"] = f"/v1/sessions/{session.id}"
    return shown(session)


@router.get("", responses=problems())
async def find(
    having: Having,
    who: Viewer,
    state: State | None = None,
    language: Annotated[Name | None, Query()] = None,
    owner: Annotated[Text | None, Query()] = None,
    text: Annotated[Text | None, Query(description="Part of the title.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200, description="`next` of the page before.")] = None,
) -> SessionPage:
    """Your tenant's sessions, the newest first."""
    wanted = Wanted(state=state, language=language, owner=owner, text=text)
    before = _place(cursor) if cursor else None
    found = await store.page(having.database, who.tenant, wanted, limit + 1, before)
    more = _cursor(found[limit - 1]) if len(found) > limit else None
    return SessionPage(sessions=[shown(session) for session in found[:limit]], next=more)


@router.get("/{session}", responses=problems(404))
async def read(session: SessionId, having: Having, who: Viewer) -> SessionShown:
    return shown(await service.read(having, who, session))


@router.get("/{session}/stages", responses=problems(404))
async def stages(session: SessionId, having: Having, who: Viewer) -> list[StageShown]:
    """How far each stage of the present run, or the last one, has come."""
    await service.read(having, who, session)
    return [StageShown.model_validate(stage) for stage in await store.stages(having.database, session)]


@router.post("/{session}/cancel", responses=problems(404))
async def cancel(session: SessionId, having: Having, who: Editor) -> SessionShown:
    """End its run; what its stages have finished stays, for a resumption."""
    return shown(await service.cancel(having, who, session))


@router.post("/{session}/resume", responses=problems(404, 409))
async def resume(session: SessionId, having: Having, who: Editor) -> SessionShown:
    """Go on after the last finished stage of a session that failed or was cancelled."""
    return shown(await service.resume(having, who, session))


@router.post("/{session}/take-back", responses=problems(404, 409))
async def take_back(session: SessionId, having: Having, who: Editor) -> SessionShown:
    """Take back the changes that are not in the dub that is served: those that failed, or whose run was cancelled."""
    return shown(await service.take_back(having, who, session))


@router.delete("/{session}", status_code=204, responses=problems(404))
async def delete(session: SessionId, having: Having, who: Editor) -> Response:
    """Gone for everybody at once; its files follow as soon as its run has ended."""
    await service.delete(having, who, session)
    return nothing()


def _cursor(session: Session) -> str:
    return base64.urlsafe_b64encode(f"{session.created.isoformat()} {session.id}".encode()).decode()


def _place(cursor: str) -> tuple[datetime, str]:
    try:
        at, _, session = base64.urlsafe_b64decode(cursor.encode()).decode("ascii").partition(" ")
        place = datetime.fromisoformat(at).astimezone(UTC)
    except (ValueError, OverflowError):
        place, session = None, ""
    if place is None or not session.isalnum():
        raise Refused(422, "invalid-cursor", "The cursor is not one that a page gave; begin without it.")
    return place, session
