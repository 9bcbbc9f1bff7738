from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from dubline.settings import settings
from tests.fault_proxy import FaultProxy
from tests.s3_server import S3Server


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3")).start()
    yield server
    server.stop()


@pytest.fixture
def settle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A home of its own; the settings are read anew, and again after the test."""
    monkeypatch.setenv("DUBLINE_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def in_s3(settle: None, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """This process keeps its artifacts and checkpoints in the server, below a prefix of the test's own."""
    for name, value in s3_server.environment(uuid4().hex).items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    return s3_server


@pytest.fixture(params=["local", "s3"])
def place_kind(request: pytest.FixtureRequest, settle: None) -> str:
    """Both places, each in turn; the test is the same."""
    if request.param == "s3":
        request.getfixturevalue("in_s3")
    return str(request.param)


@pytest.fixture
def proxy(in_s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """Between this process and the server."""
    with FaultProxy(in_s3.port) as between:
        monkeypatch.setenv("DUBLINE_S3_ENDPOINT", between.endpoint)
        settings.cache_clear()
        yield between
