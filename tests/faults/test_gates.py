"""A run on the real stack that is cancelled while Great Expectations is at work on its gates."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import strikes
from tests.faults.rig import Rig
from tests.waiting import until

pytestmark = pytest.mark.stack
REAL = {"DUBLINE_REAL_GATES": "1"}


def test_a_run_cancelled_while_a_gate_is_checked_leaves_nothing_and_the_next_goes_through_all(rig: Rig) -> None:
    video = rig.video("gates")
    struck = rig.lain_in_wait(video.stem, ("check-media", "checking"), action="hang")
    cancelled = rig.submit(video, key="gates, not", **REAL, **struck)
    until(lambda: not strikes.left(Path(struck["DUBLINE_STRIKES"])))
    rig.set_state(cancelled, "CANCELLING")
    until(lambda: not rig.processes_of(cancelled))
    rig.wait(cancelled, "Cancelled")
    assert "check-media" in at_work(rig, cancelled), "its verdict was never recorded"
    run = rig.submit(video, **REAL)
    rig.wait(run, "Completed")
    assert at_work(rig, run) == []
    rig.ended_well(video, runs=[cancelled, run])


def at_work(rig: Rig, run: str) -> list[str]:
    """Gates of a run that have begun and have no verdict yet."""
    told = [event for event in rig.ledger.events if event["run"] == run and event.get("key")]
    begun = {event["key"]: event["stage"] for event in told if event["event"] == "begun"}
    ended = {event["key"] for event in told if event["event"] == "committed"}
    return [stage for key, stage in begun.items() if stage.startswith("check-") and key not in ended]
