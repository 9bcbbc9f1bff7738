"""Progress in the Prefect UI: one artifact a run, which in the end says 100, whatever the server does meanwhile."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from prefect.exceptions import ObjectNotFound, ParameterTypeError

from dubline.request import TranslateRequest
from dubline.telemetry.progress import tell
from flows.translate_video import translate_video
from tasks import shown
from tasks.session import SessionRun
from tests.waiting import PATIENCE_S


class Server:
    """The artifacts of one run."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.artifacts: dict[UUID, float] = {}
        self.before_answer: Callable[[], None] = lambda: None
        self.answers = asyncio.Event()
        self.answers.set()
        monkeypatch.setattr(shown, "deployed", lambda: True)
        monkeypatch.setattr(shown, "acreate_progress_artifact", self.made)
        monkeypatch.setattr(shown, "aupdate_progress_artifact", self.changed)
        monkeypatch.setattr(shown, "_begun", self.begun)

    async def made(self, share: float, key: str, description: str) -> UUID:
        artifact = uuid4()
        self.artifacts[artifact] = share
        self.before_answer()
        await self.answers.wait()
        return artifact

    async def changed(self, artifact: UUID, share: float) -> None:
        if artifact not in self.artifacts:
            raise ObjectNotFound(Exception())
        self.artifacts[artifact] = share

    async def begun(self) -> UUID | None:
        return next(iter(self.artifacts), None)


def test_a_run_that_ends_while_its_artifact_is_made_leaves_one_that_says_100(monkeypatch: pytest.MonkeyPatch) -> None:
    async def shares() -> list[float]:
        server, made = Server(monkeypatch), asyncio.Event()
        server.answers.clear()
        server.before_answer = made.set
        async with shown.progress_shown(("es",)):
            await made.wait()
            asyncio.get_running_loop().call_later(0.1, server.answers.set)
        return list(server.artifacts.values())

    assert asyncio.run(shares()) == [100.0]


def test_an_answer_that_is_late_or_lost_leaves_one_artifact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown, "ALIVE_S", 0.1)
    monkeypatch.setattr(shown, "EVERY_S", 0.01)

    async def shares() -> list[float]:
        server = Server(monkeypatch)
        server.answers.clear()
        async with shown.progress_shown(("es",)):
            await asyncio.sleep(0.3)
        return list(server.artifacts.values())

    assert asyncio.run(shares()) == [100.0]


def test_a_server_that_makes_an_artifact_late_makes_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown, "ALIVE_S", 0.05)
    monkeypatch.setattr(shown, "EVERY_S", 0.01)

    async def shares() -> list[float]:
        server = Server(monkeypatch)
        make, asked = server.made, 0

        async def late(*arguments: Any, **named: Any) -> UUID:
            nonlocal asked
            asked += 1
            await asyncio.sleep(0.2)
            return await make(*arguments, **named)

        monkeypatch.setattr(shown, "acreate_progress_artifact", late)
        async with shown.progress_shown(("es",)):
            async with asyncio.timeout(PATIENCE_S):
                while not server.artifacts:
                    await asyncio.sleep(0.01)
        assert asked == 1
        return list(server.artifacts.values())

    assert asyncio.run(shares()) == [100.0]


def test_an_artifact_that_somebody_removed_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown, "ALIVE_S", 0.01)
    monkeypatch.setattr(shown, "EVERY_S", 0.01)

    async def shares() -> list[float]:
        server = Server(monkeypatch)
        async with shown.progress_shown(("es",)):
            await asyncio.sleep(0.1)
            server.artifacts.clear()
            await asyncio.sleep(0.1)
        return list(server.artifacts.values())

    assert asyncio.run(shares()) == [100.0]


def test_a_server_that_is_away_does_not_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object, **__: object) -> UUID:
        raise httpx.ConnectError("refused")

    async def ran() -> None:
        Server(monkeypatch)
        monkeypatch.setattr(shown, "acreate_progress_artifact", away)
        async with shown.progress_shown(("es",)):
            await asyncio.sleep(0)

    asyncio.run(ran())


def test_what_nobody_foresaw_in_the_telling_does_not_end_the_run(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def wrong(_: object) -> float:
        raise RuntimeError("wrong share")

    async def ran() -> None:
        Server(monkeypatch)
        monkeypatch.setattr(shown.Estimate, "fraction", property(wrong))
        monkeypatch.setattr(shown.Estimate, "observe", lambda _, __: wrong(None))
        async with shown.progress_shown(("es",)):
            tell("ingest", "done", 1.0)

    asyncio.run(ran())
    assert "Progress could not be taken in" in caplog.text and "The progress could not be shown" in caplog.text


def test_wrong_parameters_are_named_and_not_printed(caplog: pytest.LogCaptureFixture) -> None:
    edit = {"segment": "0001", "start_ms": 5, "source_text": "private"}
    request = {"video": "https://host/a.mp4?token=private", "out": "/out", "languages": ["es"], "edits": [edit]}
    with pytest.raises(ParameterTypeError, match="start_ms and end_ms belong together") as refused:
        translate_video.validate_parameters({"request": request})
    assert "private" not in f"{refused.value}{caplog.text}"


def test_a_run_bears_the_profile_and_all_languages_also_those_a_session_got_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    borne: list[str] = []
    request = TranslateRequest(video=Path("/v.mp4"), languages=("es",), out=Path("/out"), profile="house")

    @asynccontextmanager
    async def session_of(_: TranslateRequest) -> AsyncIterator[SessionRun]:
        yield SessionRun(request.model_copy(update={"languages": ("es", "fr", "pt")}))

    async def nothing(*_: object) -> None: ...

    async def tagged(*tags: str) -> None:
        borne.extend(tags)

    module = sys.modules[translate_video.fn.__module__]
    for name, stand_in in {"session_of": session_of, "tagged": tagged}.items():
        monkeypatch.setattr(module, name, stand_in)
    for name in ("use_media_store", "know_profile", "translated"):
        monkeypatch.setattr(module, name, nothing)
    asyncio.run(translate_video.fn(request))
    assert borne == ["house", "es", "fr", "pt"]
