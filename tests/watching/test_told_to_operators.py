"""What operators are told of a watched video's run: its results are not where the run put them."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.states import Completed

from dubline.publication import MANIFEST, Manifest, PublishedFile
from dubline.settings import settings
from dubline.watching.ledger import Identity
from dubline.watching.options import Options
from dubline.watching.outcome import watched
from tasks import shown
from tasks.report_on_runs import RunFacts, ended_runs
from tests.watching.shed import Shed

WORK = Identity(folder="/videos", content="ab" * 32, options=Options()).work(2)


@pytest.fixture(autouse=True)
def ledger(shed: Shed, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The settings name the shed's."""
    monkeypatch.setenv("DUBLINE_DATABASE", shed.database)
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


def manifest(source: str) -> Manifest:
    video = PublishedFile(role="video", path="clip.es.mp4", sha256="00", language="es")
    return Manifest(
        key="k",
        source=source,
        source_sha256="00",
        source_language="en",
        duration_ms=1000,
        dubbed_track=1,
        dubs=(),
        files=(video,),
    )


class Server:
    """One on which the shed's runs have ended well."""

    def __init__(self, shed: Shed) -> None:
        outs = [run.submission.out for run in shed.runs.all]
        self.runs = [
            FlowRun(flow_id=uuid4(), state=Completed(), parameters={"request": {"out": str(out)}}) for out in outs
        ]

    async def read_flow_runs(self, offset: int, **_: Any) -> list[FlowRun]:
        return self.runs[offset:]


def reported(shed: Shed) -> RunFacts:
    server: Any = Server(shed)
    (facts,) = asyncio.run(ended_runs(server, "translate-video", datetime.now(UTC), datetime.now(UTC)))
    return facts


def finished(shed: Shed) -> Path:
    """Where a video's run has published, and no watcher has looked yet."""
    shed.drop("clip.mp4")
    asyncio.run(shed.take_in())
    (run,) = shed.runs.all
    shed.runs.succeed(run)
    out = Path(run.submission.out)
    (out / MANIFEST).write_text(manifest(run.submission.video).model_dump_json(), encoding="utf-8")
    return out


def test_the_report_finds_what_the_watcher_has_put_into_done(shed: Shed) -> None:
    finished(shed)
    before = reported(shed)
    assert before.manifest is not None and before.reason == ""
    asyncio.run(shed.tick())
    after = reported(shed)
    assert after.manifest is not None and after.reason == ""
    assert after.manifest.source == str(shed.root / "done/clip.mp4")


def test_the_report_says_so_where_somebody_has_taken_the_results_away(shed: Shed) -> None:
    finished(shed)
    asyncio.run(shed.tick())
    shutil.rmtree(shed.root / "done/clip")
    facts = reported(shed)
    assert facts.manifest is None
    assert facts.reason.startswith(f"No manifest can be read in {shed.root / 'done/clip'}: ")


def test_the_ui_names_the_folder_into_which_the_results_come_and_links_to_nothing_that_goes(
    shed: Shed, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    async def made(markdown: str, key: str, description: str) -> None:
        told.extend((markdown, description))

    monkeypatch.setattr(shown, "deployed", lambda: True)
    monkeypatch.setattr(shown, "get_run_logger", lambda: logging.getLogger(__name__))
    monkeypatch.setattr(shown, "acreate_markdown_artifact", made)
    asyncio.run(shown.result_shown_again(finished(shed), manifest("clip.mp4")))
    assert told[0].splitlines()[-1] == "| video | es | clip.es.mp4 |"
    assert told[1] == f"A watcher puts them into a folder named after the video in {(shed.root / 'done').as_uri()}"


@pytest.mark.parametrize("folder", ["/videos", "/a/.dubline/videos", "s3://media/in box", "/odd\nname"])
def test_a_watched_folders_run_is_known_by_where_its_results_go(folder: str) -> None:
    assert watched(f"{folder}/.dubline/{WORK}/out") == (folder, WORK)


@pytest.mark.parametrize(
    "out", ["/out", "/home/me/.dubline/results/out", f"/videos/.dubline/{WORK}/out/es", "s3://a/b"]
)
def test_no_other_run_is_taken_for_one(out: str) -> None:
    assert watched(out) is None
