"""A run sees to its own end where nobody else does."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import httpx
import pytest
from prefect.exceptions import ObjectNotFound

from tasks import ending


class Server:
    """One that no longer knows the run."""

    async def read_flow_run(self, run: str) -> NoReturn:
        raise ObjectNotFound(httpx.HTTPError("404"))


def test_a_run_that_somebody_deleted_publishes_nothing_more(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def client() -> AbstractAsyncContextManager[Server]:
        return nullcontext(Server())

    def leave(out: Path) -> NoReturn:
        raise SystemExit(str(out))

    monkeypatch.setattr(ending, "get_client", client)
    monkeypatch.setattr(ending, "_leave", leave)
    context = SimpleNamespace(flow_run=SimpleNamespace(id="gone"), flow=object())
    with pytest.raises(SystemExit, match=str(tmp_path)):
        asyncio.run(ending._leave_if_cancelled(context, tmp_path))  # type: ignore[arg-type]  # what it reads of one
