"""What can be done with sessions, whoever asks by whichever protocol. Routes and the gRPC service call this."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

from dubline.domain.errors import ServiceUnavailable
from dubline.gateway import access, possible, runs, sources
from dubline.gateway.errors import Refused, not_found
from dubline.gateway.schemas import FORM, MOST_LANGUAGES, NewSessionBody
from dubline.gateway.services import Services
from dubline.storage import accounts, session_files, uploads
from dubline.storage.accounts import Identity
from dubline.storage.addresses import check_address
from dubline.storage.database import now
from dubline.storage.sessions import failing, revision, store
from dubline.storage.sessions.model import ENDED, WAITING, Failure, Session, Source, State, Webhook
from dubline.storage.sessions.store import Idempotency, NewSession, OnlyIf

DAY = timedelta(days=1)


async def create(having: Services, who: Identity, body: NewSessionBody, key: str | None) -> tuple[Session, bool]:
    """The session, and whether it is new. Its run is started if Prefect can be reached, else as soon as it can."""
    request = body.request()
    await possible.request(having, request)
    if body.webhook:
        check_address(body.webhook.url)
    source = await _source(having, who, body)
    await _within_limits(having, who.tenant)
    new = NewSession(
        tenant=who.tenant,
        owner=who.subject,
        title=body.title or source.name,
        source=source,
        request=request,
        expires=now() + (timedelta(days=body.keep_days) if body.keep_days else having.settings.keep_days * DAY),
        webhook=Webhook(url=str(body.webhook.url), secret=body.webhook.secret) if body.webhook else None,
        upload=body.source.upload,
    )
    session, made = await store.create(having.database, new, _idempotency(key, body))
    return (await started(having, session)) if made else session, made


def _idempotency(key: str | None, body: NewSessionBody) -> Idempotency | None:
    if key is None:
        return None
    asked = json.dumps(body.model_dump(mode="json"), sort_keys=True)
    return Idempotency(key, hashlib.sha256(asked.encode()).hexdigest())


async def _source(having: Services, who: Identity, body: NewSessionBody) -> Source:
    if body.source.url:
        return sources.of_url(body.source.url)
    if body.source.object:
        return sources.of_object(body.source.object, having.settings.buckets)
    name = str(body.source.upload)
    if not re.fullmatch(FORM, name):
        raise Refused(404, "not-found", "There is no upload of that id; check it.")  # what a body has is not quoted
    upload = await uploads.get(having.database, who.tenant, name)
    if upload is None:
        return await _taken(having, who.tenant, name)
    if not upload.complete:
        raise Refused(
            409, "upload-incomplete", f"{upload.offset} of {upload.length} bytes have arrived; send the rest."
        )
    return Source(kind="upload", location=upload.location, name=upload.name, size=upload.length)


async def _taken(having: Services, tenant: str, upload: str) -> Source:
    """Of a request that is made again: its session was made of that upload."""
    session = await store.get(having.database, tenant, upload)
    if session is None:
        raise not_found("upload", upload)
    return session.source


async def _within_limits(having: Services, tenant: str) -> None:
    limits = (await accounts.ensure_tenant(having.database, tenant)).limits
    active, today = await store.usage(having.database, tenant, now() - DAY)
    if limits.sessions_at_once is not None and active >= limits.sessions_at_once:
        raise Refused(
            429,
            "too-many-sessions",
            f"{active} sessions are queued or running, as many as your tenant may have; wait for one to end.",
            Retry_After="60",
        )
    if limits.sessions_a_day is not None and today >= limits.sessions_a_day:
        raise Refused(
            429,
            "daily-quota",
            f"{today} sessions were created within 24 hours, as many as your tenant may have; try again later.",
            Retry_After="3600",
        )


async def started(having: Services, session: Session) -> Session:
    """The session with a run, where it waits for one and Prefect can be reached; else as it is."""
    if session.state is not State.QUEUED or session.run:
        return session
    try:
        tags = [runs.tag(session.id), f"tenant:{session.tenant}"]
        run = await having.runs.create(
            parameters(session), session.run_key, PurePosixPath(session.source.location).name, tags
        )
    except ServiceUnavailable:
        return session  # the reconciler tries again
    mine = OnlyIf(WAITING, attempt=session.attempt, run=run, or_free=True)
    if not await store.change(having.database, session.id, mine, [], run=run, running=session.revision):
        await having.runs.cancel(run)  # it was cancelled, resumed or edited meanwhile, and nobody wants this one
    return await store.existing(having.database, session.id)


def parameters(session: Session) -> dict[str, Any]:
    """Of the deployment. They refer to the session; texts stay in the database."""
    out = session_files.folder(session.tenant, session.id) / "out" / str(session.revision)
    request = {name: value for name, value in session.request.items() if name not in store.TEXTS}
    reference = session.model_dump(include={"id", "tenant", "revision", "attempt"})
    return {"request": request | {"video": session.source.location, "out": str(out), "session": reference}}


async def read(having: Services, who: Identity, session: str) -> Session:
    found = await store.get(having.database, who.tenant, session)
    if found is None:
        raise not_found("session", session)
    return found


async def cancel(having: Services, who: Identity, name: str) -> Session:
    """End its run. Nothing happens to one that has ended."""
    session = await read(having, who, name)
    access.changeable(who, session.owner)
    if session.state in (*ENDED, State.CANCELLING):
        return session
    here = OnlyIf((session.state,), attempt=session.attempt)
    told = [("state", {"state": State.CANCELLING, "by": who.subject})]
    if await store.change(having.database, name, here, told, state=State.CANCELLING, eta_s=None):
        await stop(having, await store.existing(having.database, name))
        having.runs_changed.set()
    return await read(having, who, name)


async def stop(having: Services, session: Session) -> None:
    """End the run of a session that is being cancelled, if Prefect can be reached; else the reconciler does."""
    try:
        if session.run is None:  # perhaps one was created whose id was not noted yet: the same key finds it
            if not await _ever_created(having, session):
                await settle(having, session, State.CANCELLED)
        else:
            await having.runs.cancel(session.run)
    except ServiceUnavailable:
        return


async def _ever_created(having: Services, session: Session) -> bool:
    run = await having.runs.of_key(session.run_key)
    if run is None:
        return False
    await store.change(having.database, session.id, OnlyIf((State.CANCELLING,)), [], run=run)
    await having.runs.cancel(run)
    return True


async def settle(having: Services, session: Session, state: State) -> bool:
    """Note that a session has ended, for the run it has; whether this call did."""
    told = [("state", {"state": state})]
    return await store.change(having.database, session.id, _same(session), told, state=state, error=None, eta_s=None)


async def failed(having: Services, session: Session, failure: Failure) -> bool:
    """Note that the run it has failed; whether this call did."""
    return await failing.failed(having.database, session, _same(session), failure)


def _same(session: Session) -> OnlyIf:
    return OnlyIf((session.state,), attempt=session.attempt, run=session.run)


async def resume(having: Services, who: Identity, name: str) -> Session:
    """Go on after the last finished stage of one that failed or was cancelled, or whose last changes failed."""
    session = await read(having, who, name)
    access.changeable(who, session.owner)
    if session.state not in (State.FAILED, State.CANCELLED) and not (session.state is State.DONE and session.error):
        raise Refused(
            409, "not-resumable", f"The session is {session.state}; only a failed or cancelled one is resumed."
        )
    here = OnlyIf((session.state,), attempt=session.attempt)
    queued = {"state": State.QUEUED, "attempt": session.attempt + 1, "run": None, "running": None, "error": None}
    told = [("state", {"state": State.QUEUED, "by": who.subject})]
    await store.change(having.database, name, here, told, **queued)
    return await started(having, await read(having, who, name))


async def take_back(having: Services, who: Identity, name: str) -> Session:
    """Forget the changes that are not in the dub that is served, as where they failed."""
    session = await read(having, who, name)
    access.changeable(who, session.owner)
    if session.state not in ENDED or not await failing.behind(having.database, session):
        raise Refused(
            409,
            "nothing-to-take-back",
            f"The session is {session.state}, and no change of it has ended without being in its dub.",
        )
    if not await failing.take_back(having.database, session, who.subject):
        raise edited_meanwhile()
    return await read(having, who, name)


async def delete(having: Services, who: Identity, name: str) -> None:
    """It is gone for everybody at once; its files go as soon as its run has ended."""
    session = await read(having, who, name)
    access.changeable(who, session.owner)
    await store.mark_deleted(having.database, session)
    having.runs_changed.set()


@dataclass(frozen=True, slots=True)
class Change:
    """What a person changes in a session that has a dub."""

    edit: dict[str, Any]
    language: str | None = None
    """One that the session must have."""


async def edited(having: Services, who: Identity, name: str, change: Change) -> Session:
    """Note an edit and make a new dub with it; where one is being made, after that.

    What would fail its run is refused before anything is stored.
    """
    for _ in range(10):
        session = await read(having, who, name)
        access.changeable(who, session.owner)
        if session.dubbed is None:
            raise Refused(409, "no-dub-yet", f"The session is {session.state}; edits need a finished dub.")
        if session.state is State.CANCELLING:
            raise Refused(409, "cancelling", "The session is being cancelled; edit it when that is done.")
        if change.language and change.language not in session.languages:
            raise not_found("language of this session", change.language)
        edit = await possible.edit(having, session, change.edit)
        values: dict[str, Any] = {}
        if edit["kind"] == revision.LANGUAGE:
            joined = dict.fromkeys((*session.languages, edit["language"]))
            if len(joined) > MOST_LANGUAGES:
                raise Refused(422, "too-many-languages", f"A session has {MOST_LANGUAGES} target languages at most.")
            values = {"languages": store.joined(tuple(joined))}
        if found := await store.edit(having.database, session, who.subject, edit, **values):
            return await started(having, found)
    raise edited_meanwhile()


def edited_meanwhile() -> Refused:
    return Refused(409, "edited-meanwhile", "Others edit this session at the same time; try again.", Retry_After="1")


async def files_gone(session: Session) -> None:
    """Remove all that a session has in the store."""
    await asyncio.to_thread(session.files.remove)
