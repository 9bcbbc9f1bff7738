"""The watcher's flows with a real Prefect server, a deployment and its runs."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from dubline.domain.errors import InvalidRequest, ServiceUnavailable
from dubline.watching.options import Options
from dubline.watching.runs import Submission
from tests.pipeline.workshop import make_video

ROOT = Path(__file__).parent.parent.parent
WAIT_S = 300
pytestmark = pytest.mark.server


@pytest.fixture(scope="module", autouse=True)
def api(prefect_server: str) -> Iterator[str]:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: prefect_server}):
        yield prefect_server


@pytest.fixture(scope="module")
def deployment(api: str) -> Iterator[str]:
    """A deployment of the stand-in, and a process that runs its runs."""
    environment = os.environ | {"PREFECT_API_URL": api, "PREFECT_RUNNER_POLL_FREQUENCY": "1"}
    command = [sys.executable, "-c", "from tests.watching.stand_in import serve; serve('watched')"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        yield "stand-in/watched"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def submission(key: str, video: Path, **options: object) -> Submission:
    return Submission(key, video.name, str(video), str(video.parent / "out"), Options(**options))


async def deployed(deployment: str) -> None:
    from prefect import get_client
    from prefect.exceptions import ObjectNotFound

    async with get_client() as client:
        for _ in range(WAIT_S * 2):
            try:
                await client.read_deployment_by_name(deployment)
                return
            except ObjectNotFound:
                await asyncio.sleep(0.5)
    raise AssertionError("not deployed")


async def watched_until(folder: Path, deployment: str, expected: set[str]) -> None:
    """Run `watch-folder` until the folder holds the paths."""
    from flows.watch_folder import WatchedFolder, watch_folder

    watched = WatchedFolder(folder=str(folder), languages=("es",), still_s=0.5, deployment=deployment)
    watcher = asyncio.create_task(watch_folder(watched))
    deadline = time.monotonic() + WAIT_S
    while not all((folder / path).exists() for path in expected) and time.monotonic() < deadline:
        assert not watcher.done(), watcher
        await asyncio.sleep(0.2)
    watcher.cancel()
    await asyncio.gather(watcher, return_exceptions=True)
    assert {path for path in expected if (folder / path).exists()} == expected


def test_a_dropped_video_is_run_by_prefect_and_put_into_done_or_failed(deployment: str, tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    make_video(tmp_path / "good.mp4")
    make_video(tmp_path / "bad.mp4", seconds=1)
    for name in ("good.mp4", "bad.mp4"):
        shutil.move(tmp_path / name, folder / name)

    async def scenario() -> None:
        await deployed(deployment)
        await watched_until(folder, deployment, {"done/good/dub.mp4", "done/good.mp4", "failed/bad.mp4.reason.txt"})

    asyncio.run(scenario())
    reason = (folder / "failed/bad.mp4.reason.txt").read_text()
    assert "There is no voice for it; choose another profile." in reason
    assert "Flow run: " in reason


def test_reconcile_settles_what_no_watcher_saw(deployment: str, tmp_path: Path) -> None:
    from flows.watch_folder import WatchedFolder, reconcile_folder

    make_video(tmp_path / "clip.mp4", seconds=3)
    watched = WatchedFolder(folder=str(tmp_path), languages=("es",), still_s=0.2, deployment=deployment)

    async def scenario() -> None:
        await deployed(deployment)
        deadline = time.monotonic() + WAIT_S
        while not (tmp_path / "done/clip.mp4").exists() and time.monotonic() < deadline:
            await reconcile_folder(watched)

    asyncio.run(scenario())
    assert (tmp_path / "done/clip/dub.mp4").exists()


def test_a_key_submitted_twice_is_one_run(deployment: str, tmp_path: Path) -> None:
    from prefect import get_client

    from flows.watched_runs import PrefectRuns

    async def scenario() -> None:
        await deployed(deployment)
        async with get_client() as client:
            runs = PrefectRuns(client, deployment)
            once = submission(f"key-{tmp_path}", make_video(tmp_path / "clip.mp4"), languages=("es",))
            first, second = await asyncio.gather(runs.submit(once), runs.submit(once))
            assert first.run == second.run
            assert first.standing.succeeded is not False  # it may have ended before the slower one was answered
            assert set(await runs.standings([first.run])) == {first.run}

    asyncio.run(scenario())


def test_a_refused_request_and_a_missing_deployment_are_told_apart(deployment: str, tmp_path: Path) -> None:
    from prefect import get_client

    from flows.watched_runs import PrefectRuns

    async def scenario() -> None:
        await deployed(deployment)
        async with get_client() as client:
            with pytest.raises(ServiceUnavailable, match="There is no deployment"):
                await PrefectRuns(client, "stand-in/none").submit(
                    submission("a", tmp_path / "a.mp4", languages=("es",))
                )
            with pytest.raises(InvalidRequest, match="refused"):
                await PrefectRuns(client, deployment).submit(submission("b", tmp_path / "b.mp4"))  # no languages

    asyncio.run(scenario())


def test_an_edited_block_reaches_the_watcher_that_is_up(
    api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from blocks.watch_folder import WatchFolder
    from flows import watch_folder as flow

    watched: list[tuple[str, tuple[str, ...]]] = []

    class SeenEnough(Exception):
        pass

    async def save(folder: str, *languages: str) -> None:
        (tmp_path / folder).mkdir(exist_ok=True)
        block = WatchFolder(folder=str(tmp_path / folder), languages=list(languages))
        await block.save("press", overwrite=True)

    async def watch(watcher, tell, complain, outdated) -> None:
        watched.append((Path(watcher.folder.key).name, watcher._defaults.languages))
        assert not await outdated()
        edits = [("a", "es", "fr"), ("b", "es")][len(watched) - 1 :]
        if not edits:
            raise SeenEnough
        await save(*edits[0])
        monkeypatch.setattr(watcher, "busy", busy)
        if edits[0][0] != "a":
            assert not await outdated(), "what is under way in the other folder is put away first"
        assert await outdated()

    under_way = [False, True]

    async def busy() -> bool:
        return under_way.pop()

    async def scenario() -> None:
        await save("a", "es")
        with pytest.raises(SeenEnough):
            await flow.watch_folder("press")

    monkeypatch.setattr(flow, "REREAD_S", 0.0)
    monkeypatch.setattr(flow, "watch", watch)
    asyncio.run(scenario())
    assert watched == [("a", ("es",)), ("a", ("es", "fr")), ("b", ("es",))]


def test_a_block_that_does_not_fit_ends_no_watcher(monkeypatch: pytest.MonkeyPatch) -> None:
    from flows import watch_folder as flow

    async def broken(_: str) -> None:
        raise InvalidRequest("The block is wrong; correct it.")

    folder, told = flow.WatchedFolder(folder="/videos", languages=("es",)), []
    monkeypatch.setattr(flow, "REREAD_S", 0.0)
    monkeypatch.setattr(flow, "known", broken)
    monkeypatch.setattr(flow, "get_run_logger", lambda: SimpleNamespace(warning=lambda *said: told.append(said)))
    changes = flow._Changes("press", folder, watcher=None)
    assert not asyncio.run(changes.found())
    assert changes.folder == folder
    assert "The block is wrong" in str(told)


def test_a_wrong_language_is_refused_where_it_is_entered_and_takes_nothing_in(api: str) -> None:
    from blocks.watch_folder import WatchFolder
    from flows import watch_folder as flow

    reason = r"'Spanish' is not a language code that Dubline knows; did you mean 'es' \(Spanish\)\?"
    for kind in (WatchFolder, flow.WatchedFolder):
        with pytest.raises(ValidationError, match=reason):
            kind(folder="/videos", languages=["Spanish"])
        assert kind.model_json_schema()["properties"]["languages"]["items"]["pattern"]

    async def scenario() -> None:
        form = {"folder": "/videos", "languages": ["es", "Spanish"], "profile": "offline"}  # nobody has checked it
        await WatchFolder.model_construct(**form).save("wrong", overwrite=True)
        with pytest.raises(
            InvalidRequest, match=rf"block dubline-watch-folder/wrong .* languages\.1 \({reason}\); corr"
        ):
            await flow.watch_folder("wrong")

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("deployment", "of_it", "given_up"),
    [
        ("translate-video/translate-video", True, False),
        ("translate-video/translate-video", False, True),
        ("own/own", True, True),
    ],
)
def test_a_crash_ends_only_what_nobody_resumes_and_by_the_server_s_clock(
    api: str, monkeypatch: pytest.MonkeyPatch, deployment: str, of_it: bool, given_up: bool
) -> None:
    from prefect import flow, get_client
    from prefect.states import Crashed

    from flows import watched_runs

    name = deployment.partition("/")[0]

    @flow(name=name)
    def crashing() -> None: ...

    async def later(client) -> object:
        return (await server_now(client)) + watched_runs.CRASH_GRACE + timedelta(minutes=1)

    async def scenario() -> None:
        async with get_client() as client:
            made = await client.create_deployment(await client.create_flow_from_name(name), name)
            run = await (client.create_flow_run_from_deployment(made) if of_it else client.create_flow_run(crashing))
            await client.set_flow_run_state(run.id, Crashed(), force=True)
            runs = watched_runs.PrefectRuns(client, deployment)
            assert (await runs.standings([str(run.id)]))[str(run.id)].succeeded is None
            monkeypatch.setattr(watched_runs, "server_now", later)
            assert (await runs.standings([str(run.id)]))[str(run.id)].succeeded is (False if given_up else None)

    server_now = watched_runs.server_now
    asyncio.run(scenario())
