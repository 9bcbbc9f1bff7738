"""Uploads in pieces. What arrived is what the database says: a piece counts once it is stored and its end is noted.

The note is an update that says from where it goes on, so of two clients that send the same piece one goes on and the
other learns that it is behind; no lock is held, and a process that is killed in mid-piece leaves nothing to mend.
"""

from __future__ import annotations

import asyncio
import secrets
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from pydantic import Field
from sqlalchemy import delete, insert, select, update

from dubline.storage import seals, session_files
from dubline.storage.database import Database, now
from dubline.storage.session_files import Files
from dubline.storage.tables import uploads
from dubline.storage.value import Value

KEPT = timedelta(days=1)
"""How long an upload that nobody uses stays."""


class Upload(Value):
    id: str
    """Also that of the session which is made of it."""
    tenant: str
    owner: str
    name: str
    """The file's, made safe."""
    length: int
    """Bytes, as announced."""
    offset: int
    """Bytes that have arrived."""
    handle: str
    """What the store knows it by."""
    key: str | None = Field(default=None, repr=False)
    """That of the session, wrapped, where it is sealed."""
    created: datetime
    expires: datetime

    @property
    def complete(self) -> bool:
        return self.offset == self.length

    @property
    def file(self) -> str:
        """Its name among the session's files, which Prefect gets to know: of a sealed session it tells nothing."""
        return f"source/{f'video{PurePosixPath(self.name).suffix}' if self.key else self.name}"

    @property
    def files(self) -> Files:
        return session_files.files(self.tenant, self.id, self.key)

    @property
    def location(self) -> str:
        return str(session_files.folder(self.tenant, self.id) / self.file)


async def begin(database: Database, tenant: str, owner: str, name: str, length: int) -> Upload:
    at, session = now(), secrets.token_hex(16)
    key = await asyncio.to_thread(seals.new_key, session)
    upload = Upload(
        id=session,
        tenant=tenant,
        owner=owner,
        name=session_files.safe_name(name),
        length=length,
        offset=0,
        handle="",
        key=key,
        created=at,
        expires=at + KEPT,
    )
    # Noted first: what the store began and nobody knows of would stay for ever.
    await database.change(insert(uploads).values(upload.model_dump()))
    handle = await asyncio.to_thread(upload.files.begin, upload.file)
    await database.change(update(uploads).where(uploads.c.id == upload.id).values(handle=handle))
    return upload.model_copy(update={"handle": handle})


async def get(database: Database, tenant: str, upload: str) -> Upload | None:
    mine = (uploads.c.id == upload) & (uploads.c.tenant == tenant)
    row = await database.row(select(uploads).where(mine))
    return Upload.model_validate(dict(row)) if row else None


async def arrived(database: Database, upload: Upload, size: int) -> Upload | None:
    """Note a piece that was stored at its end; None where another was noted there before."""
    offset, until = upload.offset + size, now() + KEPT
    here = (uploads.c.id == upload.id) & (uploads.c.offset == upload.offset)
    if not await database.change(update(uploads).where(here).values(offset=offset, expires=until)):
        return None
    return upload.model_copy(update={"offset": offset, "expires": until})


async def handles(database: Database) -> set[str]:
    """What the store knows all those by that are being received."""
    return {row["handle"] for row in await database.rows(select(uploads.c.handle))}


async def abandoned(database: Database) -> list[Upload]:
    """Those that nobody made a session of in time."""
    found = await database.rows(select(uploads).where(uploads.c.expires < now()))
    return [Upload.model_validate(dict(row)) for row in found]


async def forget(database: Database, upload: Upload) -> bool:
    """Whether this call removed it."""
    return await database.change(delete(uploads).where(uploads.c.id == upload.id)) > 0
