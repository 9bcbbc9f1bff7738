"""What several routes need."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Path, Response

from dubline.gateway import runs
from dubline.gateway.errors import Problem
from dubline.gateway.schemas import Id, SessionShown
from dubline.gateway.services import Services, services
from dubline.storage.sessions.model import Session

Having = Annotated[Services, Depends(services)]
SessionId = Annotated[Id, Path(description="A session's id.")]
Code = Annotated[str, Path(pattern="^[a-z]{2,3}(-[a-z]{2,8})?$", description="A target language of the session.")]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the OpenAPI document: these answers, and those that every route can give."""
    return {
        status: {"model": Problem, "description": "See `code`."}
        for status in sorted({401, 403, 422, 429, 503, *statuses})
    }


def shown(session: Session) -> SessionShown:
    result = session.result
    return SessionShown(
        **session.model_dump(include=SHOWN),
        languages=list(session.languages),
        source=session.source.kind,
        source_language=result.get("source_language") or session.request.get("source_language"),
        profile=session.request["profile"],
        duration_s=result.get("duration_s"),
        warnings=result.get("warnings", []),
        flagged=result.get("flagged"),
        run=runs.ui_url(session.run) if session.run else None,
    )


SHOWN = {
    *("id", "title", "owner", "state", "stage", "fraction", "eta_s", "revision", "dubbed", "error"),
    *("created", "changed", "expires", "last_event"),
}


def nothing() -> Response:
    return Response(status_code=204)
