"""Housekeeping goes through the whole store, and leaves what a session that lives still needs."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from contextlib import nullcontext
from datetime import datetime, timedelta
from email.utils import formatdate
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ParameterTypeError
from prefect.logging import disable_run_logger
from prefect.utilities.callables import parameter_schema
from sqlalchemy import select, update

from dubline import outputs
from dubline.domain.errors import InvalidRequest, OutputUnavailable, StoreUnavailable
from dubline.domain.past_run import PastRun
from dubline.settings import settings
from dubline.storage import accounts, run_times, session_files, tables, uploads
from dubline.storage.artifacts import ArtifactStore
from dubline.storage.chosen import clear_store
from dubline.storage.database import Database, now
from dubline.storage.locations import BucketFile
from dubline.storage.places import DAY_S, LocalPlace
from dubline.storage.s3 import BucketPlace
from dubline.storage.sessions import store
from dubline.storage.sessions.model import Source
from dubline.storage.sessions.store import Idempotency, NewSession
from dubline.watching.ledger import Identity, Ledger
from dubline.watching.options import Options
from flows import housekeeping
from tests.s3_server import S3Server
from tests.storage.test_outputs import fill

PART = b"x" * (5 << 20)
"""S3's least part but for the last one."""


class Server:
    """A Prefect server whose runs all ended badly."""

    def __init__(self) -> None:
        self.runs: list[FlowRun] = []

    def run(self, **parameters: Any) -> None:
        self.runs.append(FlowRun(flow_id=uuid4(), parameters=parameters))

    async def hello(self) -> httpx.Response:
        return httpx.Response(200, headers={"date": formatdate(usegmt=True)})

    async def read_flow_runs(self, offset: int, **_: Any) -> list[FlowRun]:
        return self.runs[offset : offset + 2]


@pytest.fixture(autouse=True)
def server(settle: None, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("DUBLINE_TENANT", "")  # set back after the test
    made = Server()
    monkeypatch.setattr(housekeeping, "get_client", lambda: nullcontext(made))
    return made


def keep_house(retention_days: float = 30.0) -> None:
    with disable_run_logger():
        asyncio.run(housekeeping.housekeeping.fn(retention_days))


def in_database(work: Any, *arguments: Any) -> Any:
    async def done() -> Any:
        async with Database.opened() as database:
            return await work(database, *arguments)

    return asyncio.run(done())


def aged_record(tenant: str, days: float) -> Path:
    """A record of a tenant and its artifact, last used so long ago; where the artifact is."""
    folder, then = settings().home / "tenants" / tenant, time.time() - days * DAY_S
    ref = ArtifactStore(folder / "artifacts").put_bytes(tenant.encode(), ".flac")
    LocalPlace(folder / "checkpoints").write("mix/ab/abcd", ref.model_dump_json().encode())
    artifact = folder / "artifacts" / ref.sha256[:2] / f"{ref.sha256}.flac"
    for path in (artifact, folder / "checkpoints/mix/ab/abcd"):
        os.utime(path, (then, then))
    return artifact


def record_is_there(tenant: str) -> bool:
    return (settings().home / "tenants" / tenant / "checkpoints/mix/ab/abcd").exists()


async def session(database: Database, tenant: str, created: datetime) -> store.Session:
    await accounts.ensure_tenant(database, tenant)
    source = Source(kind="object", location="/v.mp4", name="v.mp4")
    new = NewSession(tenant=tenant, owner="me", title="v", source=source, request={"languages": ["es"]})
    made, _ = await store.create(database, new)
    await database.change(update(tables.sessions).where(tables.sessions.c.id == made.id).values(created=created))
    return made


def test_what_a_live_session_has_used_is_kept_however_long_it_lives() -> None:
    made = in_database(session, "acme", now() - timedelta(days=40))
    in_database(session, "other", now() - timedelta(days=20))
    artifact = aged_record("acme", 40.5), aged_record("other", 40.5)
    keep_house()
    assert record_is_there("acme") and artifact[0].exists(), "an edit now costs an edit"
    assert not record_is_there("other")
    in_database(store.mark_deleted, made)
    keep_house()
    assert not record_is_there("acme")


def test_idempotency_keys_outlive_their_session_and_the_retention() -> None:
    async def asked(database: Database, key: str, days: float) -> store.Session:
        await accounts.ensure_tenant(database, "acme")
        source = Source(kind="object", location="/v.mp4", name="v.mp4")
        new = NewSession(tenant="acme", owner="me", title="v", source=source, request={"languages": ["es"]})
        made, _ = await store.create(database, new, Idempotency(key, "f" * 64))
        mine = tables.idempotency_keys.c.key == key
        await database.change(update(tables.idempotency_keys).where(mine).values(created=now() - timedelta(days=days)))
        return made

    async def known(database: Database) -> set[str]:
        return {row["key"] for row in await database.rows(select(tables.idempotency_keys.c.key))}

    in_database(asked, "old, its session lives", 99)
    for key, days in (("old", 31), ("young", 29)):
        in_database(store.remove, in_database(asked, key, days).id)
    keep_house()
    assert in_database(known) == {"old, its session lives", "young"}
    with pytest.raises(InvalidRequest, match="deleted"):
        in_database(asked, "young", 29)


def test_of_what_runs_took_stays_what_estimates_look_at(monkeypatch: pytest.MonkeyPatch) -> None:
    async def noted(database: Database, profile: str, seconds: float) -> None:
        await run_times.note(database, profile, PastRun(video_s=1, languages=1, seconds=seconds, spans={}, again=False))

    monkeypatch.setattr(run_times, "REMEMBERED", 2)
    for seconds in (1, 2, 3):
        in_database(noted, "offline", seconds)
    in_database(noted, "studio", 4)
    keep_house()
    monkeypatch.undo()
    assert [run.seconds for run in in_database(run_times.known, "offline")] == [3, 2]
    assert [run.seconds for run in in_database(run_times.known, "studio")] == [4]


def test_one_tenant_s_fault_does_not_keep_the_others_from_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    for tenant in ("acme", "other"):
        in_database(accounts.ensure_tenant, tenant)
        aged_record(tenant, 99)
    collect = housekeeping.collect

    def away(*arguments: Any, **more: Any) -> Any:
        if settings().tenant == "acme":
            raise StoreUnavailable("It does not answer.")
        return collect(*arguments, **more)

    monkeypatch.setattr(housekeeping, "collect", away)
    with pytest.raises(StoreUnavailable):
        keep_house()
    assert (record_is_there("acme"), record_is_there("other")) == (True, False)


@pytest.mark.parametrize("days", [1.9, 0, -1])
def test_what_may_be_in_use_cannot_be_asked_for(days: float) -> None:
    with pytest.raises(ParameterTypeError, match="retention_days"):
        housekeeping.housekeeping.validate_parameters({"retention_days": days})
    assert housekeeping.housekeeping.validate_parameters({"retention_days": 2}) == {"retention_days": 2.0}
    shown = parameter_schema(housekeeping.housekeeping).properties["retention_days"]
    assert (shown["minimum"], shown["default"]) == (2, 30.0) and "two days" in shown["description"]


def abandoned(uri: str) -> str:
    """An upload of two parts that nobody goes on with; its handle."""
    folder, _, name = uri.rpartition("/")
    place = BucketPlace(folder)
    handle = place.begin_upload(name)
    for number in (1, 2):
        place.put_part(name, handle, number, PART)
    return handle


def begun(server: S3Server, prefix: str) -> set[str]:
    """Keys below the prefix with unfinished uploads, as the server tells them."""
    found = server.files.list_multipart_uploads(server.bucket)
    start = f"{prefix.removeprefix(f's3://{server.bucket}/')}/"
    return {upload["Key"].removeprefix(start) for upload in found if upload["Key"].startswith(start)}


def test_uploads_that_nobody_goes_on_with_end_in_the_whole_store(in_s3: S3Server) -> None:
    places = ["artifacts/ab/a.mp4", "tenants/acme/artifacts/ab/b.mp4", "sessions/acme/1/artifacts/c.mp4", "quality/d/e"]
    outside = f"s3://{in_s3.bucket}/{uuid4().hex}/other.mp4"
    for address in [*(f"{settings().store}/{place}" for place in places), outside]:
        abandoned(address)
    in_database(accounts.ensure_tenant, "acme")
    mine = in_database(uploads.begin, "acme", "me", "f.mp4", 3 * len(PART))
    mine.files.put(mine.file, mine.handle, 0, PART, last=False)
    assert in_database(uploads.handles) == {mine.handle}

    assert clear_store(time.time() - 3600, {mine.handle}) == 0
    assert clear_store(time.time() + 60, {mine.handle}) == len(places)
    assert begun(in_s3, settings().store) == {f"sessions/acme/{mine.id}/{mine.file}"}, "somebody sends it still"
    assert begun(in_s3, outside.rpartition("/")[0]) == {"other.mp4"}, "what is not below the prefix is not ours"
    keep_house()
    assert begun(in_s3, settings().store), "what is young may be at work"
    mine.files.remove()


def test_an_upload_that_dies_as_it_begins_is_known_and_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: Any) -> str:
        raise Killed

    in_database(accounts.ensure_tenant, "acme")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(session_files.LocalFiles, "begin", killed)
        in_database(uploads.begin, "acme", "me", "f.mp4", 10)
    in_database(lambda database: database.change(update(tables.uploads).values(expires=now() - timedelta(days=1))))
    (left,) = in_database(uploads.abandoned)
    assert (left.name, left.handle) == ("f.mp4", "")


def test_results_that_are_put_whole_take_earlier_attempts_with_them(in_s3: S3Server) -> None:
    out = BucketFile(f"s3://{in_s3.bucket}/{uuid4().hex}/out")
    abandoned(f"{out}/clip.es.mp4")
    time.sleep(1.1)  # S3 has whole seconds
    fill(out)
    assert not begun(in_s3, out)


def test_who_may_not_list_uploads_may_publish(in_s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: Any) -> int:
        raise OutputUnavailable("Access is denied.")

    monkeypatch.setattr(BucketPlace, "abort_uploads", denied)
    out = BucketFile(f"s3://{in_s3.bucket}/{uuid4().hex}/out")
    fill(out)
    assert outputs.in_place(out, "asked")


def test_uploads_of_runs_that_ended_badly_end_wherever_they_were_to_publish(
    in_s3: S3Server, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    outs = [f"s3://{in_s3.bucket}/{uuid4().hex}/out" for _ in range(3)]
    for out in outs:
        abandoned(f"{out}/clip.es.mp4")
    for out in ("/a/folder", "s3://no-such-bucket/out", outs[0], "s3://none//", outs[1]):
        server.run(request={"out": out})
    server.run()
    keep_house()
    assert [len(begun(in_s3, out)) for out in outs] == [1, 1, 1], "what is young may be at work"
    monkeypatch.setattr(housekeeping, "MIN_GRACE_S", -60)
    keep_house()
    assert [len(begun(in_s3, out)) for out in outs] == [0, 0, 1], "nobody asked for the last one here"


def test_copies_that_a_killed_watcher_began_end_and_people_s_own_uploads_do_not(
    in_s3: S3Server, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = f"s3://{in_s3.bucket}/{uuid4().hex}"

    async def watched() -> None:
        async with Ledger.opened() as ledger:
            for each in (folder, "/a/folder"):
                identity = Identity(folder=each, content="0" * 64, options=Options(languages=("es",)))
                assert await ledger.insert(identity, 1, "clip.mp4")

    asyncio.run(watched())
    for name in (".dubline/0/in/clip.mp4", "done/clip.mp4", "failed/clip.mp4", "clip.mp4", "other/clip.mp4"):
        abandoned(f"{folder}/{name}")
    monkeypatch.setattr(housekeeping, "MIN_GRACE_S", -60)
    keep_house()
    assert begun(in_s3, folder) == {"clip.mp4", "other/clip.mp4"}


def test_a_bucket_that_is_closed_to_housekeeping_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def denied(*_: Any) -> int:
        raise OutputUnavailable("Access is denied.")

    monkeypatch.setattr(BucketPlace, "abort_uploads", denied)
    monkeypatch.setattr(housekeeping, "get_run_logger", logging.getLogger)
    assert housekeeping.end_uploads([BucketFile("s3://one/out"), BucketFile("s3://two/out")], 0, ()) == 0
    assert caplog.messages == ["Left uploads below 2 of 2 places: Access is denied."]
