"""Results: the list of files, each file (with ranges), the report, the transcript."""

from __future__ import annotations

import asyncio
import mimetypes
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import PurePosixPath
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Header, Path, Query
from starlette.responses import Response, StreamingResponse

from dubline.gateway import reading, service
from dubline.gateway.access import Guarded, Viewer
from dubline.gateway.errors import Refused, not_found
from dubline.gateway.routes.common import Having, SessionId, problems
from dubline.gateway.schemas import ArtifactShown
from dubline.publication import ManifestLine
from dubline.reporting.model import RunReport
from dubline.storage.session_files import Files

router = APIRouter(prefix="/v1/sessions", tags=["results"], route_class=Guarded)
RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)")
SHOWN_INLINE = ("video/", "audio/", "text/vtt", "application/json")
"""What a browser may open in its place; everything else, HTML above all, is saved."""
BINARY_SCHEMA = {"schema": {"type": "string", "format": "binary"}}
BYTES = {"application/octet-stream": BINARY_SCHEMA, "*/*": BINARY_SCHEMA}
"""The first is for generators of clients, which know no wildcard; the type is that of the file."""
BINARY: dict[int | str, dict[str, Any]] = {
    200: {"description": "The whole file.", "content": BYTES},
    206: {"description": "The range that was asked for.", "content": BYTES},
}


@router.get("/{session}/artifacts", responses=problems(404, 409))
async def find(session: SessionId, having: Having, who: Viewer) -> list[ArtifactShown]:
    """The files of the newest finished revision."""
    return (await reading.published(await service.read(having, who, session))).artifacts()


@router.get("/{session}/artifacts/{path:path}", response_class=Response, responses=problems(404, 409, 416) | BINARY)
async def download(
    session: SessionId,
    path: Annotated[str, Path(max_length=500, description="As the list of artifacts names it.")],
    having: Having,
    who: Viewer,
    range: Annotated[str | None, Header(max_length=200)] = None,
    download: Annotated[bool, Query(description="To be saved under its name, not shown.")] = False,
) -> Response:
    """One file, or a range of it."""
    found = await reading.published(await service.read(having, who, session))
    return await _file(found.files, found.name(path), range, download)


@router.get("/{session}/source", response_class=Response, responses=problems(404, 416) | BINARY)
async def source(
    session: SessionId, having: Having, who: Viewer, range: Annotated[str | None, Header(max_length=200)] = None
) -> Response:
    """The video that was uploaded."""
    found = await service.read(having, who, session)
    if found.source.kind != "upload":
        raise not_found("upload of this session", found.source.name)
    return await _file(found.files, found.source.file, range, False)


@router.get("/{session}/report", responses=problems(404, 409))
async def report(session: SessionId, having: Having, who: Viewer) -> RunReport:
    """The quality report of the newest finished revision."""
    return await (await reading.published(await service.read(having, who, session))).report()


@router.get("/{session}/transcript", responses=problems(404, 409))
async def transcript(session: SessionId, having: Having, who: Viewer) -> list[ManifestLine]:
    """What is said in the source, line by line, with its first dub."""
    found = await reading.published(await service.read(having, who, session))
    return list(found.manifest.dubs[0].lines)


async def _file(files: Files, name: str, wanted: str | None, save: bool) -> Response:
    size = await asyncio.to_thread(files.size, name)
    if size is None:
        raise not_found("file", PurePosixPath(name).name)
    span = _span(wanted, size)
    start, end = span or (0, size)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    inline = kind.startswith(SHOWN_INLINE) and not save
    shown_as = "inline" if inline else "attachment"
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Length": str(end - start),
        "Content-Disposition": f"{shown_as}; filename*=UTF-8''{quote(PurePosixPath(name).name)}",
        "Cache-Control": "private, no-cache",
    }
    if span:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return StreamingResponse(
        _pieces(files.read(name, start, end)), 206 if span else 200, headers=headers, media_type=kind
    )


def _span(wanted: str | None, size: int) -> tuple[int, int] | None:
    """First byte, and the one behind the last; None for the whole file, also where it is no single range (RFC 9110)."""
    match = RANGE.fullmatch(wanted) if wanted else None
    if match is None or match.groups() == ("", "") or (all(match.groups()) and int(match[2]) < int(match[1])):
        return None
    first, last = match.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last) + 1, size) if first and last else size
    if start >= end:
        raise Refused(416, "range-not-satisfiable", f"The file has {size} bytes.", Content_Range=f"bytes */{size}")
    return start, end


async def _pieces(found: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Read in a thread, and no faster than the client takes it."""
    while (piece := await asyncio.to_thread(next, found, None)) is not None:
        yield piece
