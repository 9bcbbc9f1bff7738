"""What a run tells of its session: nothing before it knows, then what is left, with what was asked meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from dubline.domain.errors import EngineFailed
from dubline.request import TranslateRequest
from dubline.settings import settings
from dubline.storage import accounts
from dubline.storage.database import Database
from dubline.storage.sessions import revision, store
from dubline.storage.sessions.model import Source, State
from dubline.storage.sessions.store import NewSession, OnlyIf
from dubline.telemetry.progress import StageProgress, VideoLength
from tasks import session as running
from tests.waiting import PATIENCE_S

RUN = "11111111-1111-1111-1111-111111111111"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("DUBLINE_HOME", str(tmp_path))
    monkeypatch.setattr(running, "emit_event", lambda *_: None)
    settings.cache_clear()
    yield
    settings.cache_clear()


async def begun(database: Database, dubbed: int | None = None) -> Any:
    await accounts.ensure_tenant(database, "acme")
    asked = {"languages": ["es"], "profile": "offline", "voices": []}
    source = Source(kind="upload", location="/x/talk.mp4", name="talk.mp4")
    made, _ = await store.create(database, NewSession("acme", "key:1", "Talk", source, asked))
    here = OnlyIf((State.QUEUED,))
    await store.change(database, made.id, here, [], run=RUN, dubbed=dubbed)
    reference = made.model_dump(include={"id", "tenant", "revision", "attempt"})
    request = TranslateRequest.model_validate(
        {"video": "/x/talk.mp4", "languages": ["es"], "out": "/x/out", "session": reference}
    )
    assert request.session
    return await running._begun(database, request, request.session, RUN)


def test_what_is_left_is_told_once_it_is_known_and_with_what_was_added() -> None:
    asyncio.run(_left_is_told())


async def _left_is_told() -> None:
    async with Database.opened() as database:
        told = await begun(database)
        told._heard(StageProgress("ingest", "running", 0.0))
        await told._write()
        assert (await store.existing(database, told.session.id)).eta_s is None
        told._heard(VideoLength(30.0))
        told._heard(StageProgress("diarize", "running", 0.0))
        told._estimate._seen["diarize"].began -= 20
        told._heard(StageProgress("diarize", "done", 1.0))
        await told._write()
        alone = (await store.existing(database, told.session.id)).eta_s
        assert alone is not None and alone > 5
        now = await store.existing(database, told.session.id)
        added = {"kind": revision.LANGUAGE, "language": "fr"}
        assert await store.edit(database, now, "key:1", added, languages=" es fr ")
        await told._look_behind()
        told._heard(StageProgress("attribute", "done", 1.0))
        await told._write()
        longer = (await store.existing(database, told.session.id)).eta_s
        assert longer is not None and longer > alone + 5, "another run follows"


def test_what_nobody_foresaw_in_the_telling_does_not_end_the_run(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(running, "EVERY_S", 0.01)
    asyncio.run(_is_told_again(monkeypatch))
    assert "The session's progress could not be told" in caplog.text


async def _is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Database.opened() as database:
        told, write, asked = await begun(database), store.change, 0
        done = asyncio.Event()

        async def wrong_at_first(*arguments: Any, **values: Any) -> bool:
            nonlocal asked
            asked += 1
            if asked == 1:
                raise RuntimeError("wrong progress")
            done.set()
            return await write(*arguments, **values)

        monkeypatch.setattr(store, "change", wrong_at_first)
        async with told.telling():
            told._heard(VideoLength(30.0))
            told._heard(StageProgress("ingest", "done", 1.0))
            async with asyncio.timeout(PATIENCE_S):
                await done.wait()


@pytest.mark.parametrize(("dubbed", "state"), [(None, State.FAILED), (0, State.DONE)])
def test_a_run_that_fails_leaves_what_there_is(dubbed: int | None, state: State) -> None:
    asyncio.run(_fails(dubbed, state))


async def _fails(dubbed: int | None, state: State) -> None:
    async with Database.opened() as database:
        told = await begun(database, dubbed)
        await told.failed(EngineFailed("It broke below /srv/dubline/x."))
        found = await store.existing(database, told.session.id)
        assert (found.state, found.dubbed) == (state, dubbed)
        assert found.error and found.error.code == "engine-failed"
        assert found.error.message == "It broke below a place on the server."
        event = (await store.events(database, found.id, 0))[-1]
        assert event.data["error"]["message"] == found.error.message
