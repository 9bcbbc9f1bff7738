"""Pictures of what operators see in the Prefect UI: `python -m bench.ui` writes them into build/ui.

The stack is the one of infra/compose.yaml on loopback with the tests' fake engines. One video is translated, with gates
that let everything pass; another fails, because a stage finds no memory however often it is tried, and is retried with
the UI's own button, through real gates, of which the tones that speak there break some. Each picture is taken once the
words that it is for are there; without them this fails.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from playwright.sync_api import Page, expect

import blocks
from infra.loopback import ROOT
from tasks.stage import RETRY_DELAYS_S
from tests.faults import strikes
from tests.faults.rig import DEPLOYMENT, Rig
from tests.gateway.browsing import PATIENCE_MS, chromium

WIDTH, HEIGHT = 1600, 1000
DRAWN_MS = 2000
"""The graph is a canvas, which does not tell when it is drawn."""
ARTIFACTS = {"progress": "100", "files": "report.html", "quality": "none broken", "stages": "translate-es"}
"""What stands in each."""
FORM = (
    *("Video", "Target languages", "Folder for results", "Source Language", "Profile", "Glossary", "Voices", "Edits"),
    *("Subtitles in the picture", "Loudness in LUFS"),
)
FORMS = {DEPLOYMENT: FORM, "watch-folder/watch-folder": ("Folder",), "quality-report/quality-report": ("Days",)}
"""Deployments that people start, and what their forms ask for."""
Folder = Annotated[Path, typer.Option(help="Where the pictures go.")]


def main(out: Folder = ROOT / "build" / "ui") -> None:
    """Write pictures of the Prefect UI: two runs, their artifacts, the forms of the deployment and the blocks."""
    out.mkdir(parents=True, exist_ok=True)
    root = Path(tempfile.mkdtemp(prefix="dubline-ui-"))
    try:
        with Rig(root, workers=1) as rig, opened(rig.stack.url, out) as ui:
            translated(rig, ui)
            retried(rig, ui)
            forms(rig, ui)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def translated(rig: Rig, ui: UI) -> None:
    run = rig.submit(rig.video("talk"))
    rig.wait(run, "Completed")
    ui.open(f"/runs/flow-run/{run}")
    ui.graph("run-graph")
    ui.open(f"/runs/flow-run/{run}", tab="Artifacts")
    ui.picture("run-artifacts", "Completed", *ARTIFACTS)
    for key, words in ARTIFACTS.items():
        ui.open(artifact(rig, run, key))
        ui.whole_page(f"artifact-{key}", words)


def retried(rig: Rig, ui: UI) -> None:
    strikes.place(rig.strikes, "translate-es", "before", "memory", times=1 + len(RETRY_DELAYS_S))
    run = rig.submit(rig.video("meeting"), DUBLINE_REAL_GATES="1")
    rig.wait(run, "Failed")
    ui.open(f"/runs/flow-run/{run}")
    ui.picture("failed-run", "Failed", "Retry")
    ui.press("Retry")
    ui.picture("failed-run-retry", "Retry meeting.mp4?")
    ui.press("Retry", in_dialog=True)
    rig.wait(run, "Completed")
    ui.open(f"/runs/flow-run/{run}")
    ui.picture("retried-run", "Completed")
    ui.open(artifact(rig, run, "stages"))
    ui.whole_page("retried-run-stages", "from checkpoint", "true", "false")
    ui.open(artifact(rig, run, "quality"))
    ui.whole_page("retried-run-quality", "review")


def artifact(rig: Rig, run: str, key: str) -> str:
    """Where a run's artifact is shown."""
    wanted = {"flow_runs": {"id": {"any_": [run]}}, "artifacts": {"key": {"any_": [key]}}}
    return f"/artifacts/artifact/{rig.ask('POST', '/artifacts/filter', wanted)[0]['id']}"


def forms(rig: Rig, ui: UI) -> None:
    for name, words in FORMS.items():
        deployment = rig.ask("GET", f"/deployments/name/{name}")["id"]
        ui.open(f"/deployments/deployment/{deployment}/run")
        ui.whole_page(f"form-{name.partition('/')[0]}", *words)
    for name in blocks.__all__:
        kind = getattr(blocks, name)
        ui.open(f"/blocks/catalog/{kind.get_block_type_slug()}/create")
        ui.whole_page(f"block-{kind.get_block_type_slug()}", kind.get_block_type_name(), kind.get_description())


@dataclass(frozen=True)
class UI:
    page: Page
    url: str
    out: Path

    def open(self, path: str, tab: str | None = None) -> None:
        self.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
        self.page.goto(f"{self.url}{path}")
        if tab:
            self.page.get_by_text(tab, exact=True).click()
        self.page.wait_for_load_state("networkidle")

    def press(self, name: str, *, in_dialog: bool = False) -> None:
        place = self.page.get_by_role("dialog") if in_dialog else self.page
        place.get_by_role("button", name=name, exact=True).click()

    def graph(self, name: str) -> None:
        """The run's graph alone, as large as the page."""
        self.page.get_by_title("Toggle fullscreen").click()
        self.page.wait_for_timeout(DRAWN_MS)
        self.page.get_by_title("Recenter graph").click()
        self.picture(name)

    def picture(self, name: str, *words: str) -> None:
        """What the window shows, once these words are in it."""
        for word in words:
            expect(self.page.get_by_text(word).first).to_be_in_viewport()
        self.page.wait_for_timeout(DRAWN_MS)
        path = self.out / f"{name}.png"
        self.page.screenshot(path=path)
        print(path, flush=True)

    def whole_page(self, name: str, *words: str) -> None:
        """The same in a window as high as the page, which scrolls inside its frame."""
        expect(self.page.get_by_text(words[0]).first).to_be_visible()
        wanted = self.page.evaluate("document.querySelector('.app-router-view').scrollHeight")
        self.page.set_viewport_size({"width": WIDTH, "height": max(wanted, HEIGHT)})
        self.picture(name, *words)


@contextmanager
def opened(url: str, out: Path) -> Iterator[UI]:
    """A page that asks nobody but the Prefect server: the UI itself would fetch logos from afar."""
    with chromium() as browser:
        context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
        context.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        context.route(lambda asked: not asked.startswith(url), lambda route: route.abort())
        yield UI(context.new_page(), url, out)


if __name__ == "__main__":
    typer.run(main)
