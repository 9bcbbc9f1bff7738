"""The local Prefect server: started once, it stays up, shows every run in its UI and spares later runs the boot.

This module starts a program and asks it for its health; it imports nothing of Prefect.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from http.client import HTTPException
from pathlib import Path

import psutil

from dubline.domain.errors import ServiceUnavailable
from dubline.proxies import asking
from dubline.settings import settings

BOOT_TIMEOUT_S = 300
"""Ten seconds are usual; a machine whose cores are all busy takes minutes."""
STOP_TIMEOUT_S = 20
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Server:
    """A server that was started here. `started` (s since the machine's `boot`) tells it from a later process with the
    same id."""

    pid: int
    started: float
    port: int
    boot: str

    @property
    def url(self) -> str:
        """Where its UI is."""
        return f"http://{HOST}:{self.port}"

    @property
    def api(self) -> str:
        return f"{self.url}/api"


def environment() -> dict[str, str]:
    """Prefect's settings, for its server and for the runs; what the user has set already wins.

    The recorder's batches cut the server's share of a task to about a third.
    """
    home = settings().home
    ours = {
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "50",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "50",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
        # Looking for lost runs is a run itself, 720 times a day: those of 90 days ago leave the database.
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": "7776000",
    }
    return ours | {name: os.environ[name] for name in ours if os.environ.get(name)}


def running() -> Server | None:
    """The server that was started from this home, when it lives still."""
    try:
        server = Server(**json.loads(_record().read_text(encoding="utf-8")))
        process = psutil.Process(server.pid)
        alive = (
            server.boot == _boot()
            and abs(_started(process) - server.started) < 1
            and process.status() != psutil.STATUS_ZOMBIE
        )
    except (OSError, ValueError, TypeError, psutil.Error):
        return None
    return server if alive else None


def _started(process: psutil.Process) -> float:
    """In s since the machine booted, of which a clock that is set changes nothing."""
    return process.create_time() - psutil.boot_time()


def _boot() -> str:
    """The kernel's name for this boot of the machine; none where it has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def healthy(api: str) -> bool:
    """Whether the server with this address answers."""
    try:
        with asking(api).open(f"{api}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (ValueError, OSError, HTTPException):  # no address; no answer; no sense in it
        return False


def start() -> Server:
    """Start the server unless it runs, without waiting for it; `wait` does. Raises ServiceUnavailable."""
    home = settings().home / "prefect"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "server.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two commands at once start one server
        return running() or _start(home)


def _start(home: Path) -> Server:
    port = _free_port(settings().server_port)
    address = f"http://{HOST}:{port}"
    with (home / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "prefect", "server", "start", "--host", HOST, "--port", str(port)],
            env=os.environ | environment() | {"PREFECT_UI_URL": address, "PREFECT_UI_API_URL": f"{address}/api"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # it outlives the command that started it
        )
    server = Server(process.pid, _started(psutil.Process(process.pid)), port, _boot())
    partial = _record().with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(asdict(server)), encoding="utf-8")
    partial.replace(_record())
    return server


def wait(server: Server) -> Server:
    """Wait until the server answers. Raises ServiceUnavailable when it ends or takes too long."""
    deadline = time.monotonic() + BOOT_TIMEOUT_S
    while not healthy(server.api):
        ended = running() is None
        if ended or time.monotonic() > deadline:
            what = "ended while it started" if ended else f"does not answer after {BOOT_TIMEOUT_S} s"
            raise ServiceUnavailable(f"The Prefect server {what}; its log is {_record().with_name('server.log')}.")
        time.sleep(0.1)
    return server


def stop() -> bool:
    """End the server and what it started. False when none runs."""
    server = running()
    if server is None:
        return False
    process = psutil.Process(server.pid)
    family = [*process.children(recursive=True), process]
    process.send_signal(signal.SIGINT)
    _, alive = psutil.wait_procs(family, timeout=STOP_TIMEOUT_S)
    for survivor in alive:
        survivor.kill()
    _record().unlink(missing_ok=True)
    return True


def _record() -> Path:
    return settings().home / "prefect" / "server.json"


def _free_port(wanted: int) -> int:
    """The wanted port, or any other where something else has it."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ServiceUnavailable(f"No port is free on {HOST} for the Prefect server.")
