"""Who did what: every request that changes something, and every one that was refused."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select

from dubline.storage.database import Database, now
from dubline.storage.tables import audit
from dubline.storage.value import Value


class Entry(Value):
    id: int
    at: datetime
    tenant: str
    subject: str
    action: str
    """Name of the route, such as `sessions.cancel`."""
    object: str
    """Id of what it was done to; empty where there is none."""
    address: str
    """The client's."""
    outcome: int
    """Status of the answer."""


async def note(
    database: Database, tenant: str, subject: str, action: str, thing: str, address: str, outcome: int
) -> None:
    row = {
        "at": now(),
        "tenant": tenant,
        "subject": subject,
        "action": action,
        "object": thing[:200],
        "address": address,
        "outcome": outcome,
    }
    await database.change(insert(audit).values(row))


async def page(database: Database, tenant: str, limit: int, before: int | None = None) -> list[Entry]:
    """A tenant's entries, the newest first; those with ids below `before`."""
    rules = [audit.c.tenant == tenant]
    if before is not None:
        rules.append(audit.c.id < before)
    found = await database.rows(select(audit).where(*rules).order_by(audit.c.id.desc()).limit(limit))
    return [Entry.model_validate(dict(row)) for row in found]
