"""How often a run crashed, of the states that it had."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from prefect.client.schemas.objects import State
from prefect.states import Crashed, Failed, Pending, Running, Scheduled

from tasks.revive import QUARANTINED, crashes

STATES = {
    "scheduled": Scheduled,
    "pending": Pending,
    "running": Running,
    "crashed": Crashed,
    "quarantined": partial(Failed, name=QUARANTINED),
}


@pytest.mark.parametrize(
    ("names", "times"),
    [
        ("scheduled pending running", 0),
        ("scheduled pending running crashed", 1),
        ("scheduled pending crashed", 1),
        ("scheduled pending running crashed scheduled crashed", 1),
        ("scheduled pending running scheduled crashed", 1),
        ("scheduled pending running crashed crashed scheduled pending running crashed", 2),
        ("scheduled pending running crashed quarantined scheduled pending running crashed", 1),
    ],
)
def test_a_crash_that_is_reported_twice_is_one(names: str, times: int) -> None:
    states: list[State] = []
    for number, name in enumerate(names.split()):
        state = STATES[name](message=str(number))
        states.append(state.model_copy(update={"timestamp": datetime.now(UTC) + timedelta(seconds=number)}))
    assert len(crashes(reversed(states))) == times
