"""Resumable uploads: the tus protocol 1.0.0 (core, creation, termination, expiration).

Bytes are counted as they come and kept a piece at a time, so a gateway that is killed loses at most one piece, and no
announcement is believed: what is beyond the announced length is refused, what is missing is waited for.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from email.utils import format_datetime
from typing import Annotated

from fastapi import APIRouter, Header, Path, Request, Response
from starlette.requests import ClientDisconnect

from dubline.gateway.access import Editor, Guarded
from dubline.gateway.errors import Refused, not_found
from dubline.gateway.routes.common import Having, problems
from dubline.gateway.schemas import Id
from dubline.gateway.services import Services
from dubline.storage import accounts, uploads
from dubline.storage.accounts import Identity
from dubline.storage.session_files import PIECE
from dubline.storage.uploads import Upload

router = APIRouter(prefix="/v1/uploads", tags=["uploads"], route_class=Guarded)
VERSION = "1.0.0"
PIECES = ("application/octet-stream", "application/offset+octet-stream")
"""What bytes may be sent as: the second one is tus's, the first one what generated clients know."""
MB = 1 << 20
UploadId = Annotated[Id, Path(description="An upload's id.")]
Length = Annotated[int, Header(ge=1, le=2**50, description="Bytes of the whole file.")]
Offset = Annotated[int, Header(ge=0, le=2**50, description="Where this piece begins.")]


@router.options("", status_code=204, responses=problems())
async def protocol(having: Having, who: Editor) -> Response:
    """What of tus is understood."""
    most = await _most(having, who)
    told = {"Tus-Version": VERSION, "Tus-Extension": "creation,termination,expiration", "Tus-Max-Size": str(most)}
    return _answer(204, **told)


@router.post("", status_code=201, response_class=Response, responses=problems(413, 507))
async def begin(
    request: Request,
    having: Having,
    who: Editor,
    upload_length: Length,
    upload_metadata: Annotated[str, Header(max_length=2000, description="`filename <base64>`")] = "",
) -> Response:
    """Announce a file; the answer's `Location` takes its bytes."""
    most = await _most(having, who)
    if upload_length > most:
        raise Refused(413, "upload-too-large", f"The file has {upload_length} bytes; {most} are the most.")
    made = await uploads.begin(having.database, who.tenant, who.subject, _name(upload_metadata), upload_length)
    return _answer(201, Location=f"/v1/uploads/{made.id}", **_expires(made))


@router.head("/{upload}", response_class=Response, responses=problems(404))
async def state(upload: UploadId, having: Having, who: Editor) -> Response:
    """How many bytes have arrived."""
    found = await _find(having, who, upload)
    return _answer(200, **_arrived(found), **{"Upload-Length": str(found.length), "Cache-Control": "no-store"})


@router.patch(
    "/{upload}",
    status_code=204,
    responses=problems(404, 409, 413, 415, 507),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in PIECES},
        }
    },
)
async def append(
    request: Request,
    upload: UploadId,
    having: Having,
    who: Editor,
    upload_offset: Offset,
    content_type: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Bytes of the file, from `Upload-Offset` on."""
    if content_type not in PIECES:
        raise Refused(415, "wrong-type", "Send the bytes as application/offset+octet-stream.")
    found = await _find(having, who, upload)
    if upload_offset != found.offset:
        raise Refused(409, "wrong-offset", f"{found.offset} bytes have arrived; go on from there.", **_here(found))
    found = await _taken(request, having, found)
    if found.complete:
        await asyncio.to_thread(found.files.finish, found.file, found.handle, found.length)
    return _answer(204, **_arrived(found), **_expires(found))


@router.delete("/{upload}", status_code=204, responses=problems(404))
async def end(upload: UploadId, having: Having, who: Editor) -> Response:
    """Give it up; its bytes are removed."""
    found = await _find(having, who, upload)
    await uploads.forget(having.database, found)
    await asyncio.to_thread(found.files.remove)
    return _answer(204)


async def _taken(request: Request, having: Services, upload: Upload) -> Upload:
    """Keep what comes, piece by piece. Where the client vanishes, what came before is kept."""
    buffer = bytearray()
    try:
        async for part in request.stream():
            if upload.offset + len(buffer) + len(part) > upload.length:
                raise Refused(413, "more-than-announced", f"The file was announced with {upload.length} bytes.")
            buffer += part
            while len(buffer) >= PIECE:
                upload = await _kept(having, upload, bytes(buffer[:PIECE]))
                del buffer[:PIECE]
    except ClientDisconnect:
        pass
    last = upload.offset + len(buffer) == upload.length
    if buffer and (last or not upload.handle):  # with a handle only the last piece may be smaller
        upload = await _kept(having, upload, bytes(buffer))
    return upload


async def _kept(having: Services, upload: Upload, piece: bytes) -> Upload:
    last = upload.offset + len(piece) == upload.length
    await asyncio.to_thread(upload.files.put, upload.file, upload.handle, upload.offset, piece, last=last)
    found = await uploads.arrived(having.database, upload, len(piece))
    if found is None:
        raise Refused(409, "wrong-offset", "Another request has sent this piece already; ask how far it is.")
    return found


async def _find(having: Services, who: Identity, upload: str) -> Upload:
    found = await uploads.get(having.database, who.tenant, upload)
    if found is None or found.owner != who.subject:
        raise not_found("upload", upload)
    return found


async def _most(having: Services, who: Identity) -> int:
    limits = (await accounts.ensure_tenant(having.database, who.tenant)).limits
    return MB * min(having.settings.upload_mb, limits.upload_mb or having.settings.upload_mb)


def _name(metadata: str) -> str:
    """The file's name, in base64 behind `filename`. Raises Refused for what is not."""
    for pair in metadata.split(","):
        key, _, value = pair.strip().partition(" ")
        if key == "filename":
            try:
                return base64.b64decode(value, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                raise Refused(422, "invalid-metadata", "The filename in Upload-Metadata is no base64 text.") from None
    return "video"


def _arrived(upload: Upload) -> dict[str, str]:
    return {"Upload-Offset": str(upload.offset)}


def _here(upload: Upload) -> dict[str, str]:
    return {"Upload_Offset": str(upload.offset), "Tus_Resumable": VERSION}


def _expires(upload: Upload) -> dict[str, str]:
    return {"Upload-Expires": format_datetime(upload.expires, usegmt=True)}


def _answer(status: int, **headers: str) -> Response:
    return Response(status_code=status, headers={"Tus-Resumable": VERSION, **headers})
