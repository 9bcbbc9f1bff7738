"""A page in a real browser, for tests: what it shows, whom it asks, and what it complains about."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, expect, sync_playwright

from dubline.storage.accounts import Role


class Gateway(Protocol):
    url: str

    def key(self, role: Role = ...) -> str: ...


PATIENCE_MS = 30_000
PICTURES = Path(__file__).parent.parent.parent / "build" / "screenshots"
"""A folder for each test, to be looked at."""
PLACES = """() => [...document.querySelectorAll("video")].map((video) => video.currentTime)"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's, without a window. As long as it is there, its driver has an event loop in this thread."""
    with sync_playwright() as driver:
        quiet = ["--no-sandbox", "--disable-dev-shm-usage"]
        expect.set_options(timeout=PATIENCE_MS)
        started = driver.chromium.launch(executable_path=shutil.which("chromium"), args=quiet)
        yield started
        started.close()


class Seen:
    """A page, what it asked of whom, and what it complained about."""

    def __init__(self, page: Page, gateway: Gateway, pictures: Path) -> None:
        self.page, self.gateway, self.pictures = page, gateway, pictures
        self.complaints: list[str] = []
        self.allowed: list[str] = []
        self.hosts: set[str] = set()
        page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc or "none"))

    def allow(self, pattern: str) -> None:
        """A complaint that this test provokes."""
        self.allowed.append(pattern)

    def check(self) -> None:
        rest = [said for said in self.complaints if not any(re.search(pattern, said) for pattern in self.allowed)]
        assert not rest, "the browser complained"
        assert self.hosts <= {urlsplit(self.gateway.url).netloc, "none"}, "a request left the host"

    def sign_in(self, role: Role = Role.EDITOR) -> None:
        self.page.goto(self.gateway.url)
        self.page.get_by_label("API key or token").fill(self.gateway.key(role))
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", name="Sessions")).to_be_visible()

    def open(self, session: str) -> None:
        self.page.goto(f"{self.gateway.url}/#/sessions/{session}")
        expect(self.page.get_by_role("heading", level=1)).to_have_text("talk.mp4")

    def picture(self, name: str) -> None:
        self.page.screenshot(path=self.pictures / f"{name}.png", full_page=True)


def line(page: Page, number: int) -> Any:
    return page.get_by_role("list", name="Lines").get_by_role("listitem").nth(number - 1)
