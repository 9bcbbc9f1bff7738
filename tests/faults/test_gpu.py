"""Inference in runs of its own on the GPU pool: killed, frozen or cancelled, it gives its slot back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tasks.shown import ALIVE_S
from tests.faults import strikes
from tests.faults.rig import Rig
from tests.waiting import until

pytestmark = pytest.mark.stack
ELSEWHERE = {"DUBLINE_INFERENCE": "deployment"}
SILENT_S = 20
"""Twice as long as a run that lives ever is."""


@pytest.fixture(scope="module")
def rig(rig: Rig) -> Iterator[Rig]:
    """With a worker for inference."""
    with rig.worker("gpu", "gpu-worker-1"):
        yield rig


def test_a_killed_inference_gives_its_slot_back_and_is_started_again(rig: Rig) -> None:
    strikes.place(rig.strikes, "transcribe", "during")
    video = rig.video("inference")
    run = rig.submit(video, **ELSEWHERE)
    until(lambda: not strikes.left(rig.strikes))
    assert rig.slots_taken() == 1, "the one who held it is dead"
    rig.undisturbed([video])  # there is time for that
    rig.wait(run, "Completed")
    assert "Crashed" in [one["state"]["name"] for one in rig.runs("infer")]
    assert "Crashed" not in rig.states(run)
    rig.ended_well(video, runs=[run])


def test_an_inference_that_is_frozen_past_its_lease_loses_the_slot_and_harms_nothing(rig: Rig) -> None:
    strikes.place(rig.strikes, "synthesize-es", "during", "freeze")
    video = rig.video("frozen inference")
    run = rig.submit(video, **ELSEWHERE)
    until(lambda: not strikes.left(rig.strikes))
    frozen = rig.stopped()
    lost = rig.runs("infer")[0]["id"]
    # It is silent for so long; the video, which waits, is not.
    until(lambda: rig.revive(SILENT_S, sure_s=ALIVE_S + 5) or rig.state(lost)["name"] == "Crashed")
    assert rig.slots_taken() == 1, "its lease runs still"
    rig.undisturbed([video])
    rig.wait(run, "Completed")
    assert "Crashed" not in rig.states(run)
    rig.ended_well(video, runs=[run], raced=True)
    assert not frozen.is_running(), "its place in the worker was wanted"


def test_cancelling_a_video_ends_its_inference(rig: Rig) -> None:
    strikes.place(rig.strikes, "synthesize-es", "before", "hang")
    run = rig.submit(rig.video("cancelled inference"), **ELSEWHERE)
    until(lambda: not strikes.left(rig.strikes))
    rig.set_state(run, "CANCELLING")
    until(lambda: not rig.processes())
    assert rig.slots_taken() == 0, "it gave its slot back first"
    rig.wait(run, "Cancelled")
    assert not rig.leftovers()
    rig.ended_well(runs=[run])
