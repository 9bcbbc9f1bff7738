"""Further target languages of a session that is finished: nothing of the source is heard again."""

from __future__ import annotations

from fastapi import APIRouter

from dubline.gateway import service
from dubline.gateway.access import Editor, Guarded
from dubline.gateway.routes.common import Having, SessionId, problems, shown
from dubline.gateway.schemas import LanguageBody, SessionShown
from dubline.gateway.service import Change
from dubline.storage.sessions import revision

router = APIRouter(prefix="/v1/sessions/{session}/languages", tags=["lines"], route_class=Guarded)


@router.post("", status_code=202, responses=problems(404, 409))
async def add(session: SessionId, body: LanguageBody, having: Having, who: Editor) -> SessionShown:
    """Dub it into one more language."""
    return shown(
        await service.edited(having, who, session, Change({"kind": revision.LANGUAGE, "language": body.language}))
    )
