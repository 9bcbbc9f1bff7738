"""Reading and changing sessions. Every change is an event as well, written in the same transaction."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, false, func, insert, literal, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from dubline.domain.errors import InvalidRequest
from dubline.storage import seals
from dubline.storage.database import Database, Moment, now
from dubline.storage.sessions import revision
from dubline.storage.sessions.model import ENDED, WAITING, Edit, Event, Session, Source, State, Webhook
from dubline.storage.tables import idempotency_keys, session_edits, session_events, sessions, uploads, webhook_calls

TEXTS = ("glossary", "track", "video")
"""Parts of a request in which people write, such as a track's title, and an address with the secrets in its query:
sealed where the session is, and not for Prefect's eyes in any."""
MOST_AT_ONCE = 1000
"""Rows that one question returns at most."""


@dataclass(frozen=True, slots=True)
class Idempotency:
    key: str
    """The client's, unique within its tenant."""
    fingerprint: str
    """sha256 of what was asked: a key stands for one request."""


@dataclass(frozen=True, slots=True)
class NewSession:
    tenant: str
    owner: str
    title: str
    source: Source
    request: dict[str, Any]
    """With at least `languages`."""
    expires: datetime | None = None
    webhook: Webhook | None = None
    upload: str | None = None
    """Id of the upload that it is made of, and that it takes over with its files."""


async def create(database: Database, new: NewSession, key: Idempotency | None = None) -> tuple[Session, bool]:
    """The session, and whether this call made it.

    Raises InvalidRequest for a key that stood for something else, and for an upload that another session has taken.
    """
    session = new.upload or secrets.token_hex(16)
    try:
        async with database.begin() as connection:
            if key:
                await connection.execute(insert(idempotency_keys).values(_key(new.tenant, key, session)))
            wrapped = await _taken_over(connection, new.upload) if new.upload else seals.new_key(session)
            await connection.execute(insert(sessions).values(_row(new, session, wrapped)))
            await append(connection, session, "state", {"state": State.QUEUED})
    except IntegrityError:
        if key is None:
            raise
        return await _known(database, new.tenant, key), False
    return await existing(database, session), True


async def _taken_over(connection: AsyncConnection, upload: str) -> str | None:
    """The wrapped key of an upload, which ends. Raises InvalidRequest where there is none any more."""
    ended = await connection.execute(delete(uploads).where(uploads.c.id == upload).returning(uploads.c.key))
    found = ended.first()
    if found is None:
        raise InvalidRequest("A session was made of this upload already.")
    wrapped: str | None = found.key
    return wrapped


def _key(tenant: str, key: Idempotency, session: str) -> dict[str, Any]:
    return {
        "tenant": tenant,
        "key": key.key,
        "fingerprint": key.fingerprint,
        "session": session,
        "created": now(),
    }


def _row(new: NewSession, session: str, key: str | None) -> dict[str, Any]:
    at = now()
    return {
        "id": session,
        "tenant": new.tenant,
        "owner": new.owner,
        "title": new.title,
        "state": State.QUEUED,
        "languages": joined(new.request["languages"]),
        "revision": 0,
        "attempt": 0,
        "fraction": 0.0,
        "source": new.source.model_dump(mode="json"),
        "request": _closed_request(new.request, session, key),
        "key": key,
        "result": {},
        "webhook": new.webhook.model_dump(mode="json") if new.webhook else None,
        "last_event": 0,
        "created": at,
        "changed": at,
        "expires": new.expires,
    }


async def _known(database: Database, tenant: str, key: Idempotency) -> Session:
    mine = (idempotency_keys.c.tenant == tenant) & (idempotency_keys.c.key == key.key)
    found = await database.row(select(idempotency_keys).where(mine))
    session = await get(database, tenant, found["session"]) if found else None
    if found is None or session is None:
        raise InvalidRequest(f"The idempotency key '{key.key}' was used for a session that was deleted; use a new one.")
    if found["fingerprint"] != key.fingerprint:
        raise InvalidRequest(f"The idempotency key '{key.key}' was used for another request; use a new one.")
    return session


async def get(database: Database, tenant: str, session: str) -> Session | None:
    """A tenant's session; None where it has none of that id, or one that is being deleted."""
    mine = (sessions.c.id == session) & (sessions.c.tenant == tenant) & (sessions.c.state != State.DELETING)
    row = await database.row(select(sessions).where(mine))
    return _session(row) if row else None


async def find(database: Database, session: str) -> Session | None:
    """Whosever it is, and in whatever state."""
    row = await database.row(select(sessions).where(sessions.c.id == session))
    return _session(row) if row else None


async def existing(database: Database, session: str) -> Session:
    """One that is known to be there."""
    found = await find(database, session)
    if found is None:
        raise InvalidRequest(f"There is no session '{session}'; it was deleted.")
    return found


async def usage(database: Database, tenant: str, since: datetime) -> tuple[int, int]:
    """How many sessions of a tenant are at work, and how many were created since then."""
    mine = select(func.count()).select_from(sessions).where(sessions.c.tenant == tenant)
    active = await database.rows(mine.where(sessions.c.state.in_(WAITING)))
    recent = await database.rows(mine.where(sessions.c.created > since))
    return active[0]["count_1"], recent[0]["count_1"]


async def oldest(database: Database, tenant: str) -> datetime | None:
    """When the oldest of a tenant's sessions was created that finds finished work among the tenant's."""
    mine = (sessions.c.tenant == tenant) & (sessions.c.state != State.DELETING) & sessions.c.key.is_(None)
    row = await database.row(select(func.min(sessions.c.created).label("created")).where(mine))
    found: datetime | None = row["created"] if row else None
    return found


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sessions a list is to show."""

    state: State | None = None
    language: str | None = None
    owner: str | None = None
    text: str | None = None
    """Part of the title, in whatever case."""


async def page(
    database: Database, tenant: str, wanted: Wanted, limit: int, before: tuple[datetime, str] | None = None
) -> list[Session]:
    """A tenant's sessions, the newest first; those that stand behind `before` (creation and id) in that order."""
    rules: list[ColumnElement[bool]] = [sessions.c.tenant == tenant, sessions.c.state != State.DELETING]
    if wanted.state:
        rules.append(sessions.c.state == wanted.state)
    if wanted.language:
        rules.append(sessions.c.languages.contains(f" {wanted.language} ", autoescape=True))
    if wanted.owner:
        rules.append(sessions.c.owner == wanted.owner)
    if wanted.text:
        rules.append(sessions.c.title.icontains(wanted.text, autoescape=True))
    if before:
        at, last = before
        rules.append(or_(sessions.c.created < at, and_(sessions.c.created == at, sessions.c.id < last)))
    ordered = select(sessions).where(*rules).order_by(sessions.c.created.desc(), sessions.c.id.desc())
    return [_session(row) for row in await database.rows(ordered.limit(limit))]


async def in_states(database: Database, *states: State) -> list[Session]:
    """Of all tenants, those that were changed the longest ago first."""
    found = select(sessions).where(sessions.c.state.in_(states)).order_by(sessions.c.changed).limit(MOST_AT_ONCE)
    return [_session(row) for row in await database.rows(found)]


async def expired(database: Database, at: datetime) -> list[Session]:
    past = (sessions.c.expires < at) & (sessions.c.state != State.DELETING)
    return [_session(row) for row in await database.rows(select(sessions).where(past).limit(MOST_AT_ONCE))]


@dataclass(frozen=True, slots=True)
class OnlyIf:
    """What must hold for a change to be made: another process may have been there first."""

    states: Sequence[State]
    attempt: int | None = None
    revision: int | None = None
    run: str | None = None
    """The run that works on it."""
    or_free: bool = False
    """Also where no run does."""

    def holds(self) -> list[ColumnElement[bool]]:
        rules: list[ColumnElement[bool]] = [sessions.c.state.in_(self.states)]
        rules += [sessions.c.attempt == self.attempt] if self.attempt is not None else []
        rules += [sessions.c.revision == self.revision] if self.revision is not None else []
        if self.run is not None:
            rules.append(or_(sessions.c.run == self.run, sessions.c.run.is_(None) if self.or_free else false()))
        return rules


async def change(
    database: Database, session: str, only_if: OnlyIf, events: Sequence[tuple[str, dict[str, Any]]], **values: Any
) -> bool:
    """Change a session and tell of it, or neither; whether this call did."""
    async with database.begin() as connection:
        changed = update(sessions).where(sessions.c.id == session, *only_if.holds())
        if not (await connection.execute(changed.values(**values, changed=now()))).rowcount:
            return False
        for kind, data in events:
            await append(connection, session, kind, data)
    return True


async def edit(database: Database, session: Session, by: str, what: dict[str, Any], **values: Any) -> Session | None:
    """Add an edit and queue the session for it; None where another came in between, so look again.

    One that is being worked on stays as it is: the run that ends finds that there is more to do.
    """
    next_one = session.revision + 1
    working = session.state is State.RUNNING or (session.state is State.QUEUED and session.run)
    queue = {} if working else {"state": State.QUEUED, "run": None, "running": None, "error": None, "fraction": 0.0}
    mine = (
        (sessions.c.id == session.id) & (sessions.c.revision == session.revision) & (sessions.c.state == session.state)
    )
    async with database.begin() as connection:
        changed = update(sessions).where(mine).values(revision=next_one, changed=now(), **queue, **values)
        if not (await connection.execute(changed)).rowcount:
            return None
        kept = _closed(session.id, session.key, f"edit {next_one}", what)
        row = {"session": session.id, "revision": next_one, "at": now(), "by": by, "edit": kept}
        await connection.execute(insert(session_edits).values(row))
        await append(connection, session.id, "edit", {"revision": next_one})
        if queue:
            await append(connection, session.id, "state", {"state": State.QUEUED})
    return await existing(database, session.id)


async def asked(database: Database, session: Session, until: int) -> dict[str, Any]:
    """What the session asks for at one of its revisions, in clear."""
    changes = [edit.edit for edit in await edits(database, session.id, until)]
    return revision.asked(_opened_request(session), changes)


async def edits(database: Database, session: str, until: int) -> list[Edit]:
    """What people changed, up to that revision, in order."""
    mine = (session_edits.c.session == session) & (session_edits.c.revision <= until)
    both = select(session_edits, sessions.c.key).join(sessions).where(mine)
    return [_edit(row) for row in await database.rows(both.order_by(session_edits.c.revision))]


def _edit(row: Any) -> Edit:
    what = _opened(row["session"], row["key"], f"edit {row['revision']}", row["edit"])
    return Edit(revision=row["revision"], at=row["at"], by=row["by"], edit=what)


async def foretold(database: Database, tenant: str, limit: int) -> list[tuple[float, float]]:
    """Seconds that a tenant's latest finished runs were said to take when their length was known, and took."""
    latest = select(sessions.c.result).where(sessions.c.tenant == tenant, sessions.c.state == State.DONE)
    found = await database.rows(latest.order_by(sessions.c.changed.desc()).limit(limit))
    results = [row["result"] for row in found if row["result"].get("foretold_s")]
    return [(result["foretold_s"], result["took_s"]) for result in results]


async def events(database: Database, session: str, after: int, limit: int = MOST_AT_ONCE) -> list[Event]:
    """Those with numbers above `after`, in order."""
    mine = (session_events.c.session == session) & (session_events.c.number > after)
    found = await database.rows(select(session_events).where(mine).order_by(session_events.c.number).limit(limit))
    return [Event.model_validate(dict(row)) for row in found]


async def events_of(database: Database, after: Mapping[str, int]) -> dict[str, list[Event]]:
    """The events of several sessions, of each those above its number; sessions without new ones are left out."""
    new = or_(*(and_(session_events.c.session == one, session_events.c.number > last) for one, last in after.items()))
    ordered = select(session_events).where(new).order_by(session_events.c.session, session_events.c.number)
    found: dict[str, list[Event]] = {}
    for row in await database.rows(ordered.limit(MOST_AT_ONCE)):
        found.setdefault(row["session"], []).append(Event.model_validate(dict(row)))
    return found


async def stages(database: Database, session: str) -> list[dict[str, Any]]:
    """Name, state and finished share of each stage that was begun since it was queued last, in order."""
    mine = (session_events.c.session == session) & session_events.c.kind.in_(("stage", "state"))
    ordered = select(session_events.c.kind, session_events.c.data).where(mine).order_by(session_events.c.number)
    found: dict[str, dict[str, Any]] = {}
    for row in await database.rows(ordered):
        if row["kind"] == "stage":
            found[row["data"]["name"]] = row["data"]
        elif row["data"]["state"] == State.QUEUED:
            found = {}
    return list(found.values())


async def newest(database: Database, watched: Sequence[str]) -> dict[str, int]:
    """Session -> number of its last event, for those that are there."""
    found = await database.rows(select(sessions.c.id, sessions.c.last_event).where(sessions.c.id.in_(watched)))
    return {row["id"]: row["last_event"] for row in found}


async def mark_deleted(database: Database, session: Session) -> None:
    """For everybody it is gone; its files and its row go once nothing works on it any more.

    What people wrote goes now, and so does the key of a sealed one: from here on nobody can read it.
    """
    async with database.begin() as connection:
        gone = update(sessions).where(sessions.c.id == session.id, sessions.c.state != State.DELETING)
        plain: dict[str, Any] = {"request": {"languages": []}, "key": None, "changed": now()}
        if (await connection.execute(gone.values(state=State.DELETING, **plain))).rowcount:
            await connection.execute(delete(session_edits).where(session_edits.c.session == session.id))
            await append(connection, session.id, "state", {"state": State.DELETING})


async def remove(database: Database, session: str) -> None:
    """The row and all that refers to it. The idempotency key stays until `forget_keys`, so that it is
    not taken for a new one."""
    await database.change(delete(sessions).where(sessions.c.id == session))


async def forget_keys(database: Database, before: datetime) -> int:
    """Remove idempotency keys from before then whose session is gone, so that nobody repeats its request any more.

    Returns how many there were.
    """
    there = select(sessions.c.id)
    past = (idempotency_keys.c.created < before) & idempotency_keys.c.session.not_in(there)
    return await database.change(delete(idempotency_keys).where(past))


async def append(connection: AsyncConnection, session: str, kind: str, data: dict[str, Any]) -> None:
    """The update holds the session's row until the transaction ends, so numbers come without gaps and in order."""
    counted = update(sessions).where(sessions.c.id == session).values(last_event=sessions.c.last_event + 1)
    number = (await connection.execute(counted.returning(sessions.c.last_event))).scalar_one()
    row = {"session": session, "number": number, "at": now(), "kind": kind, "data": data}
    await connection.execute(insert(session_events).values(row))
    if kind == "state" and data["state"] in ENDED:
        told = select(sessions.c.id, literal(number), literal(0), literal(now(), Moment))
        told = told.where(sessions.c.id == session, sessions.c.webhook.is_not(None))
        await connection.execute(insert(webhook_calls).from_select(["session", "event", "tries", "next"], told))


def joined(languages: Sequence[str]) -> str:
    """Between spaces, so that one can be looked for."""
    return f" {' '.join(languages)} "


def _session(row: Any) -> Session:
    return Session.model_validate(dict(row) | {"languages": row["languages"].split()})


def _closed_request(request: dict[str, Any], session: str, key: str | None) -> dict[str, Any]:
    """All but its texts is for lists, and for Prefect, to see."""
    texts = {name: _closed(session, key, name, request[name]) for name in TEXTS if request.get(name)}
    return request | texts


def _opened_request(found: Session) -> dict[str, Any]:
    texts = {name: found.request[name] for name in TEXTS if found.request.get(name)}
    return found.request | {name: _opened(found.id, found.key, name, text) for name, text in texts.items()}


def _closed(session: str, key: str | None, name: str, value: Any) -> Any:
    return seals.seal_of(session, key).pack(name, value) if key else value


def _opened(session: str, key: str | None, name: str, value: Any) -> Any:
    """Raises OutputUnavailable where the session is sealed and its key cannot be had."""
    if key is None:
        return value
    return seals.seal_of(session, key).unpack(name, value)
