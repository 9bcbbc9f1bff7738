from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from dubline.settings import settings
from dubline.storage.accounts import Role
from tests.gateway import talk
from tests.gateway.browsing import PATIENCE_MS, PICTURES, Seen, chromium
from tests.gateway.served import Served, served


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A DUBLINE_HOME of the test's own."""
    yield from _home(tmp_path / "home", monkeypatch)


@pytest.fixture
def gateway(home: Path) -> Iterator[Served]:
    with served(home) as found:
        yield found


@pytest.fixture(scope="module")
def shared_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for many small requests of a module: nothing is counted against them."""
    with pytest.MonkeyPatch.context() as patched:
        for home in _home(tmp_path_factory.mktemp("gateway"), patched):
            unlimited: dict[str, Any] = {"rate": "1000000/minute", "refused_rate": "1000000/minute"}
            with served(home, **unlimited) as found:
                yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Of one module, for the sake of its event loop."""
    with chromium() as started:
        yield started


@pytest.fixture
def seen(browser: Browser, gateway: Served, request: pytest.FixtureRequest) -> Iterator[Seen]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    found = Seen(context.new_page(), gateway, PICTURES / request.node.name)
    yield found
    found.picture("last")
    context.close()
    found.check()


@pytest.fixture
def dubbed(seen: Seen, gateway: Served) -> str:
    """A finished session, shown."""
    seen.sign_in(Role.OPERATOR)
    with gateway.client() as client:
        session = talk.made(gateway, client)
    seen.open(session)
    expect(seen.page.get_by_role("heading", name="Lines")).to_be_visible()
    return session


def _home(folder: Path, patched: pytest.MonkeyPatch) -> Iterator[Path]:
    patched.setenv("DUBLINE_HOME", str(folder))
    settings.cache_clear()
    yield folder
    patched.undo()  # before the settings are read again
    settings.cache_clear()
