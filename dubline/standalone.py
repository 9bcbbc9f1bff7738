"""The whole service on one machine: Prefect server, deployments, workers, the gateway with its page.

Where PREFECT_API_URL names a server that others look after, only the gateway is started, as one of several perhaps.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from dubline import server
from dubline.doctor import at_once
from dubline.domain.errors import InvalidRequest, ServiceUnavailable
from dubline.gateway.settings import GatewaySettings
from dubline.settings import settings
from dubline.storage import accounts
from dubline.storage.accounts import Role
from dubline.storage.database import Database

STOP_S = 15
FIRST_TENANT = "default"
POLL_S, SERVICE_POLL_S = 2, 5
"""How often workers look for what is due. This machine has one for videos, and somebody waits for it."""
_PYTHON = (sys.executable, "-P", "-m")
"""-P: nothing is imported from the current folder, which is the user's."""
SERVICES_AT_ONCE = 6
"""More than there are services, so that none waits for another."""


def serve(chosen: GatewaySettings, say: Callable[[str], None]) -> None:
    """Until it is interrupted. Raises ServiceUnavailable when a part cannot be started."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn ends well on it, and then raises it again
    with _prefect(say):
        key = asyncio.run(_first_key())
        from dubline.gateway.app import create_app  # Prefect's client reads its settings when it is imported

        config = uvicorn.Config(
            create_app(chosen),
            host=chosen.host,
            port=chosen.port,
            log_level="warning",
            proxy_headers=bool(chosen.proxies),
            forwarded_allow_ips=chosen.proxies or None,
            timeout_graceful_shutdown=3,
            h11_max_incomplete_event_size=64 * 1024,
        )
        gateway = _Announcing(config, say)
        if key:
            say(f"Administrator's key, shown this once: {key}")
        gateway.run()
        if not gateway.started:
            raise ServiceUnavailable(
                f"The gateway cannot listen on {chosen.host}:{chosen.port}; set DUBLINE_GATEWAY_PORT to a free port."
            )


class _Announcing(uvicorn.Server):
    """Says where it listens, once it does."""

    def __init__(self, config: uvicorn.Config, say: Callable[[str], None]) -> None:
        super().__init__(config)
        self._say = say

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]  # sockets' type
        await super().startup(None)
        for listening in self.servers:
            host, port, *_ = listening.sockets[0].getsockname()
            self._say(f"Dubline: http://{host}:{port}")


async def _first_key() -> str | None:
    """A key for whoever starts Dubline here for the first time."""
    async with Database.opened() as database:
        await accounts.ensure_tenant(database, FIRST_TENANT)
        if await accounts.any_key(database):
            return None
        return (await accounts.make_key(database, FIRST_TENANT, "first administrator", Role.ADMIN))[1]


@contextmanager
def _prefect(say: Callable[[str], None]) -> Iterator[None]:
    """A Prefect server with our deployments, and workers for videos and services for as long as the block runs."""
    if os.environ.get("PREFECT_API_URL"):
        yield
        return
    own = server.wait(server.start())
    ours = server.environment() | {"PREFECT_API_URL": own.api, "PREFECT_UI_URL": own.url}
    os.environ.update(ours)
    Path(os.environ["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)
    say(f"Prefect UI: {own.url}")
    say(f"Videos at once: {at_once().detail}")
    _deploy(say)
    workers = [
        _worker("cpu", settings().runs_at_once, POLL_S),
        _worker("service", SERVICES_AT_ONCE, SERVICE_POLL_S),
    ]
    try:
        yield
    finally:
        _end(workers)


def _end(workers: Sequence[subprocess.Popen[bytes]]) -> None:
    """Within STOP_S by themselves, all of them together, or they are killed."""
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + STOP_S
    for worker in workers:
        try:
            worker.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


def _deploy(say: Callable[[str], None]) -> None:
    """Pools, limits, automations, deployments; nothing changes where they are as they should be."""
    telling = subprocess.Popen([*_PYTHON, "deployments.offers"])  # so that the page offers what works
    done = subprocess.run([*_PYTHON, "deployments.deploy"], capture_output=True, text=True, check=False)
    telling.wait()
    last = "".join((done.stderr or done.stdout).strip().splitlines()[-1:])
    if done.returncode == InvalidRequest.exit_code:  # a block is wrong; without it everything is there
        say(last)
    elif done.returncode:
        raise ServiceUnavailable(f"The deployments cannot be made ({last}); run: make deploy.")


def _worker(pool: str, limit: int, poll_s: int) -> subprocess.Popen[bytes]:
    """It ends with this process, also when that is killed."""
    options = ["--pool", pool, "--name", f"serve-{pool}-{os.getpid()}", "--limit", str(limit)]
    command = [*_PYTHON, "deployments.worker", *options]
    with (settings().home / "worker.log").open("ab") as log:
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", *command],
            env=os.environ | {"PREFECT_WORKER_QUERY_SECONDS": str(poll_s)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
