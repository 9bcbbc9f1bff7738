"""A home of their own for all tests, with the models that set-up pulled, and one Prefect server for those that ask."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import hypothesis
import pytest
from hypothesis import HealthCheck

from dubline.settings import Settings, share_threads
from infra import process
from tests.databases import database, postgresql  # noqa: F401 - fixtures for all tests
from tests.web_hook import hook  # noqa: F401 - a fixture for all tests

ROOT = Path(__file__).parent.parent
REAL_MODELS = Settings().models

# Set before anything of Prefect is imported, here and in the processes that tests start.
_home = Path(tempfile.mkdtemp(prefix="dubline-tests-"))
(_home / "models").symlink_to(REAL_MODELS, target_is_directory=True)
os.environ["DUBLINE_HOME"] = str(_home)
# Each of pytest's parallel processes has a home and a server of its own.
NUMBER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
os.environ["DUBLINE_SERVER_PORT"] = str(4555 + NUMBER)
os.environ["GX_ANALYTICS_ENABLED"] = "false"
os.environ.setdefault("DUBLINE_STORM_SEED", str(secrets.randbelow(10**6)))
share_threads()
# And ports of its own: what is free now may be another's once a server comes to it.
process._PORTS = process._PORTS[NUMBER :: int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))]
# The same examples every time: `--hypothesis-profile default` looks for others. Nobody promises how fast a machine is.
hypothesis.settings.register_profile(
    "suite", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
hypothesis.settings.load_profile("suite")


def pytest_sessionstart(session: pytest.Session) -> None:
    """A header would not be shown with -q. One of several parallel processes has a terminal: the one that started
    them."""
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal:
        seed = os.environ["DUBLINE_STORM_SEED"]
        terminal.write_line(f"storm of tests/faults: DUBLINE_STORM_SEED={seed} makes the same again")


def pytest_unconfigure() -> None:
    shutil.rmtree(_home, ignore_errors=True)


@pytest.fixture(scope="session")
def home() -> Path:
    return _home


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[str]:
    """The address of a local Prefect server that ends with the tests."""
    from dubline import server

    started = server.wait(server.start())
    yield started.api
    server.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """With a failure stands what its stack was at: what is not repeatable has to be told at once."""
    report: pytest.TestReport = yield  # type: ignore[assignment, misc]
    rig = getattr(item, "funcargs", {}).get("rig")
    if report.failed and report.when == "call" and hasattr(rig, "told"):
        with suppress(Exception):  # the stack may be what failed
            report.sections.append(("the stack", rig.told()))
    return report  # type: ignore[return-value]
