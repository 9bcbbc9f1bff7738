from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.faults.rig import Rig


@pytest.fixture(scope="session")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """PostgreSQL, Redis, S3, a Prefect server and two workers, with fake engines."""
    with Rig(tmp_path_factory.mktemp("rig")) as made:
        yield made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """With a failure stands what its stack was at: what is not repeatable has to be told at once."""
    report: pytest.TestReport = yield  # type: ignore[assignment, misc]
    rig = getattr(item, "funcargs", {}).get("rig")
    if report.failed and report.when == "call" and isinstance(rig, Rig):
        with suppress(Exception):  # the stack may be what failed
            report.sections.append(("the stack", rig.told()))
    return report  # type: ignore[return-value]
