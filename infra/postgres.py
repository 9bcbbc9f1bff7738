"""Make a PostgreSQL cluster as the image's entrypoint does: a superuser with a password, and a database."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from dubline.domain.errors import ServiceUnavailable
from infra.process import Process, as_user, program

_TIMEOUT_S = 120


def unprivileged() -> str | None:
    """Who runs PostgreSQL: it refuses root, who takes Debian's user for it."""
    return "postgres" if os.geteuid() == 0 else None


def create_cluster(postgres: Process) -> None:
    """Create what POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB and PGDATA of its environment say, unless it is there.

    Raises ModelMissing when PostgreSQL is not installed, ServiceUnavailable when its own words say why it cannot.
    """
    environment = postgres.environment
    data = Path(environment["PGDATA"])
    if (data / "PG_VERSION").exists():
        return
    password_file = data.parent / "password"
    password_file.write_text(environment["POSTGRES_PASSWORD"], encoding="utf-8")
    password_file.chmod(0o600)
    if postgres.user:
        for path in (data.parent, password_file):
            shutil.chown(path, postgres.user, postgres.user)
    options = ["--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    try:
        _run(postgres, ["initdb", f"--pgdata={data}", f"--username={environment['POSTGRES_USER']}", *options])
        # Before the server's first start, so that nobody meets it without its database.
        create = f'CREATE DATABASE "{environment["POSTGRES_DB"]}"\n'
        _run(postgres, ["postgres", "--single", "-D", str(data), "postgres"], create)
    except ServiceUnavailable:
        shutil.rmtree(data, ignore_errors=True)
        raise
    finally:
        password_file.unlink()


def _run(postgres: Process, command: list[str], text: str = "") -> None:
    environment: Mapping[str, str] = postgres.environment
    done = subprocess.run(
        [
            program("setpriv", environment),
            *as_user(postgres.user),
            "--",
            program(command[0], environment),
            *command[1:],
        ],
        env=dict(environment),
        cwd="/",  # where everybody may be
        input=text,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
    )
    if done.returncode != 0:
        said = "; ".join(line.strip() for line in done.stderr.splitlines() if line.strip())
        raise ServiceUnavailable(f"PostgreSQL's {command[0]} failed: {said}")
