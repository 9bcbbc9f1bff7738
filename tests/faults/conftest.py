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
def own_ledger(rig: Rig) -> None:
    """No test is told what the ones before it did."""
    rig.begin_ledger()
