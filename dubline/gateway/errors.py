"""What went wrong, as RFC 9457 problem documents: `{"type", "title", "status", "code", "detail"}`.

`code` is stable and for programs, `detail` is one sentence for people. This is the one table from errors to statuses.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from dubline.domain import errors
from dubline.storage.sessions.told import for_tenants

MEDIA_TYPE = "application/problem+json"
STATUS: dict[type[errors.DublineError], int] = {
    errors.UnsupportedLanguage: 422,
    errors.InvalidRequest: 422,
    errors.InvalidMedia: 422,
    errors.OutputUnavailable: 507,
    errors.ServiceUnavailable: 503,
}
"""Of errors that the library raises; what is not here is 500."""
RETRY_S = 5
"""When to try again after 503."""
MOST_FIELDS = 20
LONGEST_NAME = 100
KINDS = {"segment": "line", "path": "artifact", "language": "language of this session", "key": "valid key"}
"""What the parts of a path name, where the part is called otherwise."""
log = structlog.get_logger()


class Fault(BaseModel):
    """A part of the request that is wrong."""

    at: str = Field(description="Where, such as body.languages.0")
    problem: str


class Problem(BaseModel):
    """RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    code: str = Field(description="Stable, for programs.")
    detail: str = Field(description="One sentence: what, where, what to do.")
    fields: list[Fault] | None = Field(default=None, description="What is wrong with the request, part by part.")


class Refused(HTTPException):
    """A request that is not done; the answer says why. FastAPI lets an HTTPException pass while it reads a body."""

    fields: list[Fault] | None = None

    def __init__(self, status: int, code: str, detail: str, **headers: str) -> None:
        super().__init__(status, detail, {name.replace("_", "-"): value for name, value in headers.items()})
        self.status, self.code = status, code


def not_found(kind: str, name: str) -> Refused:
    """The same for what is not there and for what is another tenant's."""
    shown = printable(name)
    shown = shown if len(shown) <= LONGEST_NAME else f"{shown[:LONGEST_NAME]}…"
    return Refused(404, "not-found", f"There is no {kind} '{shown}'; check its id.")


def invalid(at: str, problem: str) -> Refused:
    """What is wrong with one part of the request; `problem` is a sentence."""
    return _of_faults([Fault(at=at, problem=problem)])


def printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)


def answer(refused: Refused) -> Response:
    said = Problem(
        title=HTTPStatus(refused.status).phrase,
        status=refused.status,
        code=refused.code,
        detail=refused.detail,
        fields=refused.fields,
    )
    return JSONResponse(said.model_dump(exclude_none=True), refused.status, refused.headers, MEDIA_TYPE)


def refusal(error: Exception, where: str) -> Refused:
    """What is told of an error that `where` ended with, over whichever protocol."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, errors.DublineError):
        status, told = status_of(error), for_tenants(str(error))
        if told != str(error):
            log.warning("refused", where=where, error=str(error))
        again = {"Retry_After": str(RETRY_S)} if status == 503 else {}
        return Refused(status, error.code, told, **again)
    if isinstance(error, RequestValidationError | WebSocketRequestValidationError):
        found = error.errors()
        return next(filter(None, map(_nowhere, found)), None) or _invalid(found)
    if isinstance(error, HTTPException):  # of FastAPI itself
        code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
        return Refused(error.status_code, code, f"{error.detail}.", **error.headers or {})
    # As text of our own making: what renders an exc_info may show variables, credentials among them.
    log.error("unforeseen", where=where, error=repr(error), trace="".join(traceback.format_tb(error.__traceback__)))
    return Refused(500, "internal-error", "Something went wrong here that nobody foresaw; it is in the log.")


def status_of(error: errors.DublineError) -> int:
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 500)


def _nowhere(found: Any) -> Refused | None:
    """An id of another form than ours have is one that is not there."""
    where, *names = found["loc"]
    return not_found(KINDS.get(names[0], names[0]), str(found.get("input", ""))) if where == "path" else None


def _invalid(found: Sequence[Any]) -> Refused:
    return _of_faults(
        [
            Fault(at=printable(".".join(map(str, one["loc"]))), problem=_sentence(one["msg"]))
            for one in found[:MOST_FIELDS]
        ]
    )


def _of_faults(faults: list[Fault]) -> Refused:
    first = f"{faults[0].at}: {faults[0].problem}" if faults else "The request is not as the API describes it."
    refused = Refused(422, errors.InvalidRequest.code, first)
    refused.fields = faults
    return refused


def _sentence(message: str) -> str:
    told = printable(message.removeprefix("Value error, "))
    return told if told.endswith((".", "?", "!")) else f"{told}."


def install(app: FastAPI) -> None:
    for kind in (HTTPException, errors.DublineError, RequestValidationError, WebSocketRequestValidationError):
        app.add_exception_handler(kind, _answered)


async def _answered(request: Request, error: Exception) -> Response:
    refused = refusal(error, request.url.path)
    if refused.status == 405:
        refused.headers = {"Allow": ", ".join(_methods(request))}
    return answer(refused)


def _methods(request: Request) -> list[str]:
    """All that the path can be asked for; each route knows only its own."""
    here = [
        route.methods or ()
        for route in iter_route_contexts(request.app.routes)
        if isinstance(route.original_route, APIRoute) and route.path_regex.match(request.url.path)
    ]
    return sorted({method for methods in here for method in methods})
