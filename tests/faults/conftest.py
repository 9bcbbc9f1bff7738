from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.rig import Rig


@pytest.fixture(scope="session")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """PostgreSQL, Redis, S3, a Prefect server and two workers, with fake engines."""
    with Rig(tmp_path_factory.mktemp("rig")) as made:
        yield made


@pytest.fixture(autouse=True)
def own_ledger(request: pytest.FixtureRequest) -> None:
    """No test is told what the ones before it did, or that faults of theirs are still to come."""
    if "rig" in request.fixturenames:
        rig: Rig = request.getfixturevalue("rig")
        rig.begin_ledger()
