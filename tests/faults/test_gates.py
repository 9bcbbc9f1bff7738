"""A run on the real stack that is cancelled while Great Expectations is at work on its gates."""

from __future__ import annotations

import pytest

from tests.faults.rig import Rig
from tests.waiting import until

pytestmark = pytest.mark.stack
REAL = {"DUBLINE_REAL_GATES": "1"}


def test_a_run_cancelled_while_a_gate_is_checked_leaves_nothing_and_the_next_goes_through_all(rig: Rig) -> None:
    video = rig.video("gates")
    cancelled = rig.submit(video, key="gates, not", **REAL)
    until(lambda: "check-media" in at_work(rig, cancelled))
    rig.set_state(cancelled, "CANCELLING")
    until(lambda: not rig.processes_of(cancelled))
    rig.wait(cancelled, "Cancelled")
    assert at_work(rig, cancelled) == ["check-media"], "its verdict was never recorded"
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
