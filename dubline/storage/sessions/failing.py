"""What becomes of a session whose run failed. What was finished before is served on, whatever an edit came to."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import delete, update

from dubline.storage.database import Database, now
from dubline.storage.sessions import store
from dubline.storage.sessions.model import ENDED, Edit, Failure, Session, State
from dubline.storage.sessions.store import OnlyIf
from dubline.storage.tables import session_edits, sessions


async def failed(database: Database, session: Session, mine: OnlyIf, failure: Failure) -> bool:
    """Note that the run that `mine` describes failed; whether this call did.

    A session that has a dub is done all the same, and says what its last changes came to. Where somebody changed
    something since the run began, another run makes that: it may be what was wrong.
    """
    error = failure.model_dump(mode="json")
    if session.dubbed is None:
        told = ("state", {"state": State.FAILED, "error": error})
        return await store.change(database, session.id, mine, [told], state=State.FAILED, error=error, eta_s=None)
    made = session.revision if session.running is None else session.running
    done = {"state": State.DONE, "error": error, "eta_s": None, "stage": None, "fraction": 1.0}
    told = ("state", {"state": State.DONE, "error": error})
    if await store.change(database, session.id, replace(mine, revision=made), [told], **done):
        return True
    again = {"state": State.QUEUED, "run": None, "running": None, "eta_s": None, "fraction": 0.0}
    return await store.change(database, session.id, mine, [("state", {"state": State.QUEUED})], **again)


async def behind(database: Database, session: Session) -> list[Edit]:
    """The changes that are not in the dub that is served."""
    since = session.dubbed if session.dubbed is not None else session.revision
    return [edit for edit in await store.edits(database, session.id, session.revision) if edit.revision > since]


async def take_back(database: Database, session: Session, by: str) -> bool:
    """Forget those changes: the session is done as it was before them. False where it was changed meanwhile."""
    before = await store.asked(database, session, session.dubbed or 0)
    same = (sessions.c.id == session.id) & (sessions.c.revision == session.revision) & sessions.c.state.in_(ENDED)
    done = {"state": State.DONE, "error": None, "eta_s": None, "stage": None, "fraction": 1.0, "changed": now()}
    languages = store.joined(before["languages"])
    async with database.begin() as connection:
        if not (await connection.execute(update(sessions).where(same).values(languages=languages, **done))).rowcount:
            return False
        late = (session_edits.c.session == session.id) & (session_edits.c.revision > session.dubbed)
        await connection.execute(delete(session_edits).where(late))
        told = {"revision": session.revision, "taken_back": True, "by": by}
        await store.append(connection, session.id, "edit", told)
        if session.state is not State.DONE:
            await store.append(connection, session.id, "state", {"state": State.DONE})
    return True
