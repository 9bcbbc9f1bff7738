"""The quality report lies in the store, so whoever reaches the store can read it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterEndTime
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.exceptions import ParameterTypeError

from dubline.domain.errors import OutputUnavailable
from dubline.storage.chosen import shared
from dubline.storage.locations import BucketFile
from dubline.storage.places import LocalPlace, Place
from dubline.storage.s3 import BucketPlace
from flows.quality_report import quality_report
from tasks import report_on_runs
from tasks.report_on_runs import INDEX, RunFacts, publish

FILES = {INDEX, "runs.csv", "dubs.csv", "data_docs.html"}


def test_a_report_replaces_that_of_the_same_day(place_kind: str) -> None:
    folder = shared("quality") / "2026-01-02"
    assert isinstance(folder, BucketFile) == (place_kind == "s3")
    place: Place = LocalPlace(folder) if isinstance(folder, Path) else BucketPlace(folder)
    for name in ("one.mp4", "<b>.mp4"):
        publish([RunFacts(name, "Failed", 0.5, "It was broken.", None)], folder, "Dubs of a day")
        assert {entry.key for entry in place.entries()} == FILES
    index = (place.read(INDEX) or b"").decode()
    assert "&lt;b&gt;.mp4" in index and "one.mp4" not in index
    assert (place.read("runs.csv") or b"").decode() == "run,state,minutes,reason\n<b>.mp4,Failed,0.5,It was broken.\n"


@pytest.mark.parametrize("days", [0, -1, 10**9, float("nan")])
def test_a_report_on_no_days_cannot_be_asked_for(days: float) -> None:
    with pytest.raises(ParameterTypeError, match="days"):
        quality_report.validate_parameters({"days": days})
    assert quality_report.validate_parameters({"days": 0.5})["days"] == 0.5


class Server:
    """One that knows two finished runs, of which one published where nobody may look any more."""

    def __init__(self) -> None:
        self.asked: list[FlowRunFilterEndTime] = []

    async def read_flow_runs(self, flow_run_filter: FlowRunFilter, offset: int, **_: Any) -> list[FlowRun]:
        assert flow_run_filter.end_time
        if offset:
            return []  # the first answer had all
        self.asked.append(flow_run_filter.end_time)
        done = State(type=StateType.COMPLETED, name="Completed")
        return [
            FlowRun(flow_id=uuid4(), name=name, state=done, parameters={"request": {"out": f"/{name}"}})
            for name in ("open", "closed")
        ]


def test_a_run_whose_results_cannot_be_read_costs_the_report_on_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(out: Path) -> str:
        if out.name == "closed":
            raise OutputUnavailable("There is no bucket.")
        return "manifest"

    monkeypatch.setattr(report_on_runs.outputs, "read", read)
    server, until = Server(), datetime(2026, 1, 2, 3, 47, tzinfo=UTC)
    since = until - timedelta(days=1)
    asked = report_on_runs.ended_runs(server, "translate-video", since, until)  # type: ignore[arg-type]  # asks just this
    runs = asyncio.run(asked)
    assert [(run.name, run.manifest, run.reason) for run in runs] == [
        ("open", "manifest", ""),
        ("closed", None, "Its results cannot be read: There is no bucket."),
    ]
    assert [(ended.after_, ended.before_) for ended in server.asked] == [(since, until)]
