"""Inference in runs of its own on the GPU pool: its process is killed, its slot comes free, cancelling reaches it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.faults import strikes
from tests.faults.rig import Rig, until

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One worker for whole videos and one for inference."""
    settings = {"DUBLINE_INFERENCE": "deployment"}
    with Rig(tmp_path_factory.mktemp("gpu"), workers=1, gpu_workers=1, settings=settings) as made:
        yield made


def slots_taken(rig: Rig) -> int:
    taken: int = rig.ask("GET", "/v2/concurrency_limits/gpu")["active_slots"]
    return taken


def test_a_killed_inference_gives_its_slot_back_and_is_started_again(rig: Rig) -> None:
    strikes.place(rig.strikes, "transcribe", "during")
    video = rig.video("killed", 510)
    run = rig.submit(video)
    until(lambda: not strikes.left(rig.strikes))
    assert slots_taken(rig) == 1, "the one who held it is dead"
    rig.wait(run, "Completed")
    assert "Crashed" in [one["state"]["name"] for one in rig.runs("infer")]
    assert "Crashed" not in rig.states(run)
    assert rig.ledger.computed_again() == []
    assert rig.published("killed") == rig.undisturbed([video])["killed"]
    until(lambda: slots_taken(rig) == 0)


def test_cancelling_a_video_ends_its_inference(rig: Rig) -> None:
    strikes.place(rig.strikes, "synthesize-es", "before", "hang")
    run = rig.submit(rig.video("cancelled", 520))
    until(lambda: not strikes.left(rig.strikes))
    rig.set_state(run, "CANCELLING")
    until(lambda: not rig.processes())
    rig.wait(run, "Cancelled")
    ended = time.time()
    until(lambda: slots_taken(rig) == 0)
    assert not rig.leftovers()
    assert not rig.ledger.after(ended)
