"""A small storm of its own at every test run; `python -m tests.faults.storm` makes larger ones."""

from __future__ import annotations

import os

import pytest

from tests.faults import storm
from tests.faults.rig import Rig

pytestmark = pytest.mark.stack


def test_videos_in_a_storm_end_right(rig: Rig) -> None:
    seed = int(os.environ["DUBLINE_STORM_SEED"])
    outcome = storm.run(rig, videos=4, seed=seed, calm_s=10, patience_s=(60, 60), timeout_s=500)
    assert outcome.clean, outcome
