"""A small storm of its own at every test run; `python -m tests.faults.storm` makes larger ones."""

from __future__ import annotations

import os
from pprint import pformat

import pytest

from tests.faults import storm
from tests.faults.rig import Rig

pytestmark = pytest.mark.stack


def test_videos_in_a_storm_end_right(rig: Rig) -> None:
    seed = int(os.environ["DUBLINE_STORM_SEED"])
    patience = {"silent_s": 30.0, "starting_s": 120.0, "sure_s": 30.0}
    outcome = storm.run(rig, videos=6, seed=seed, calm_s=1, patience=patience, timeout_s=1200)
    assert outcome.clean, pformat(outcome)
