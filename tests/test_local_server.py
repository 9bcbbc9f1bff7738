"""The Prefect server that commands start: one that cannot start says so, and where to read why."""

from __future__ import annotations

from pathlib import Path

import pytest

from dubline import server
from dubline.domain.errors import ServiceUnavailable
from dubline.server import Server
from dubline.settings import Settings


def test_a_server_that_ends_while_it_starts_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "settings", lambda: Settings(home=tmp_path))
    monkeypatch.setattr(server.sys, "executable", "/bin/false")
    with pytest.raises(ServiceUnavailable, match=r"ended while it started; its log is .*server\.log"):
        server.wait(server.start())


def test_a_server_that_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "settings", lambda: Settings(home=tmp_path))
    monkeypatch.setattr(server, "BOOT_TIMEOUT_S", 0)
    monkeypatch.setattr(server, "running", lambda: Server(1, 0.0, 1, ""))
    with pytest.raises(ServiceUnavailable, match="does not answer after 0 s"):
        server.wait(Server(1, 0.0, 1, ""))
