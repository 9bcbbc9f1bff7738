"""Each kind of database that Dubline takes, for tests that hold for all."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from infra.process import free_ports
from tests.lacking import lacking

HOST = "127.0.0.1"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL server on loopback that ends with the tests."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        lacking("PostgreSQL is not installed (apt-get install postgresql)")
    base = Path(tempfile.mkdtemp(prefix="dubline-postgresql-"))  # pytest's own folders are closed to others
    user = "postgres" if os.geteuid() == 0 else None  # it refuses root
    if user:
        shutil.chown(base, user, user)
    data = str(base / "data")
    subprocess.run(
        [programs[-1] / "initdb", "-D", data, "-U", "tests", "--auth=trust", "--no-sync"],
        **{"user": user, "cwd": "/", "check": True, "capture_output": True},
    )
    (port,) = free_ports(1)
    with (base / "log").open("wb") as log:
        options = ["-D", data, "-h", HOST, "-p", str(port), "-k", "", "-F"]
        server = subprocess.Popen([programs[-1] / "postgres", *options], user=user, cwd="/", stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while subprocess.run([programs[-1] / "pg_isready", "-q", "-h", HOST, "-p", str(port)]).returncode:
            assert server.poll() is None and time.monotonic() < deadline, (base / "log").read_text()
            time.sleep(0.1)
        yield f"postgresql://tests@{HOST}:{port}/postgres"
    finally:
        server.send_signal(signal.SIGINT)  # which waits for no client
        server.wait(timeout=60)
        shutil.rmtree(base)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Each kind of database in turn, empty; the test is the same."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    return empty(str(request.getfixturevalue("postgresql")))


def empty(server: str) -> str:
    """A new database on a PostgreSQL server."""
    name = f"test_{uuid.uuid4().hex}"

    async def made() -> None:
        connection = await asyncpg.connect(server)
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()

    asyncio.run(made())
    return f"{server.rpartition('/')[0]}/{name}"
