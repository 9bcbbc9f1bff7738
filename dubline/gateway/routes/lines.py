"""Lines of a dub: read them, change one, take a change back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from dubline.gateway import reading, service
from dubline.gateway.access import Editor, Guarded, Viewer
from dubline.gateway.errors import not_found
from dubline.gateway.routes.common import Code, Having, SessionId, problems, shown
from dubline.gateway.schemas import LineBody, LinesShown, SessionShown, SpeakerBody
from dubline.gateway.service import Change
from dubline.gateway.services import Services
from dubline.storage.accounts import Identity
from dubline.storage.sessions import revision

router = APIRouter(prefix="/v1/sessions/{session}/languages/{language}", tags=["lines"], route_class=Guarded)
Segment = Annotated[str, Path(max_length=100, description="A line's id.")]


@router.get("/lines", responses=problems(404, 409))
async def find(session: SessionId, language: Code, having: Having, who: Viewer) -> LinesShown:
    """The lines of the newest finished revision, with what the quality gates found in each."""
    return await (await reading.published(await service.read(having, who, session))).lines(language)


@router.patch("/lines/{segment}", status_code=202, responses=problems(404, 409))
async def change(
    session: SessionId, language: Code, segment: Segment, body: LineBody, having: Having, who: Editor
) -> SessionShown:
    """Change a line and dub it again; all other lines keep their text, voice and speed."""
    await _require(having, who, session, language, segment)
    try:
        edit = body.edit(segment, language)
    except ValidationError as error:
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in error.errors()]) from None
    made = {"kind": revision.LINE, "line": edit.model_dump(mode="json", exclude_none=True)}
    return shown(await service.edited(having, who, session, Change(made, language)))


@router.delete("/lines/{segment}", status_code=202, responses=problems(404, 409))
async def undo(session: SessionId, language: Code, segment: Segment, having: Having, who: Editor) -> SessionShown:
    """Take all changes of a line back."""
    await _require(having, who, session, language, segment)
    made = {"kind": revision.UNDO, "segment": segment, "language": language}
    return shown(await service.edited(having, who, session, Change(made, language)))


@router.put("/speakers/{speaker}", status_code=202, responses=problems(404, 409))
async def cast(
    session: SessionId,
    language: Code,
    speaker: Annotated[str, Path(max_length=100)],
    body: SpeakerBody,
    having: Having,
    who: Editor,
) -> SessionShown:
    """Give a speaker another voice."""
    found = await reading.published(await service.read(having, who, session))
    if speaker not in {line.speaker for line in found.dub(language).lines}:
        raise not_found("speaker", speaker)
    made = {"kind": revision.CAST, "voice": {"speaker": speaker, "voice": body.voice, "language": language}}
    return shown(await service.edited(having, who, session, Change(made, language)))


async def _require(having: Services, who: Identity, session: str, language: str, segment: str) -> None:
    found = await reading.published(await service.read(having, who, session))
    if segment not in {line.segment for line in found.dub(language).lines}:
        raise not_found("line", segment)
