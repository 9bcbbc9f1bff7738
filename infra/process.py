"""A process that is started, watched, killed and started again on the same data and port.

It dies with the program that started it: `setpriv` (util-linux) asks the kernel to kill it when the thread that started
it ends, so one thread that lives as long as this program starts them all. What it started itself goes with it when
it is killed or stopped here, as with a container, whatever process groups and sessions it has made.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import psutil

from dubline.domain.errors import ModelMissing, ServiceUnavailable

HOST = "127.0.0.1"
STOP_TIMEOUT_S = 15
_POLL_S = 0.1
_CHECK_TIMEOUT_S = 10
_PORTS = range(10_000, 20_000)
"""Below those that Linux gives to outgoing connections (ip_local_port_range): such a connection could take a server's
port while the server is down, its own clients' first of all, which then talk to themselves. So are the ports 10000
higher, which SeaweedFS takes for gRPC."""
_GRPC = 10_000

_PACKAGES = {
    "setpriv": "util-linux",
    "redis-server": "redis-server",
    "redis-cli": "redis-tools",
    "initdb": "postgresql",
    "postgres": "postgresql",
    "pg_isready": "postgresql-client",
}
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="starts-processes")


@dataclass(slots=True)
class Process:
    """`command` in `folder` of the repository with exactly `environment`, its output appended to `log`."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    healthcheck: tuple[str, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    user: str | None = None
    """Whom to run as, where this program is root's and that one must not be."""
    _running: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def pid(self) -> int:
        """Of the process that was started last; 0 before."""
        return self._running.pid if self._running else 0

    @property
    def exit_code(self) -> int | None:
        """Negative for a signal; None while it runs or before it was started."""
        return self._running.poll() if self._running else None

    @property
    def alive(self) -> bool:
        return self._running is not None and self._running.poll() is None

    def start(self) -> None:
        """Start it unless it runs; `wait` tells when it is ready. Raises ModelMissing when its program is missing."""
        if self.alive:
            return
        program("setpriv", self.environment)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._running = _starter.submit(self._start).result()

    def _start(self) -> subprocess.Popen[bytes]:
        # A shell's background job ignores SIGINT; what ends on SIGINT must not inherit that.
        prefix = ["setpriv", *as_user(self.user), "--pdeathsig=KILL", "--", "env", "--default-signal=INT"]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*prefix, program(self.command[0], self.environment), *self.command[1:]],
                env=dict(self.environment),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the program that started it, which ends it in good order
            )

    def wait(self, timeout_s: float = 300) -> None:
        """Wait until it is ready. Raises ServiceUnavailable when it ends before that, or takes longer."""
        deadline = time.monotonic() + timeout_s
        while not self.ready():
            if not self.alive or time.monotonic() > deadline:
                what = "took too long to start" if self.alive else "ended while it started"
                raise ServiceUnavailable(f"The process {self.name} {what}: {self.last_words()}; its log is {self.log}.")
            time.sleep(_POLL_S)

    def ready(self) -> bool:
        """Whether it runs and its health check, if it has one, says that it is well."""
        if not self.alive or not self.healthcheck:
            return self.alive
        command = [program(self.healthcheck[0], self.environment), *self.healthcheck[1:]]
        try:
            checked = subprocess.run(
                command, env=dict(self.environment), cwd=self.folder, capture_output=True, timeout=_CHECK_TIMEOUT_S
            )
        except subprocess.TimeoutExpired:
            return False
        return checked.returncode == 0

    def kill(self) -> None:
        """End it and everything it started at once, with SIGKILL, and wait until they are gone."""
        self._end(self._family())

    def stop(self) -> None:
        """Ask it to end; kill it after 15 s, and whatever it leaves behind in any case."""
        family = self._family()
        if self._running is not None and self.alive:
            self._running.send_signal(self.stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self._running.wait(timeout=STOP_TIMEOUT_S)
        self._end([*self._family(), *family])

    def _end(self, family: Sequence[psutil.Process]) -> None:
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        if self._running is not None:
            self._running.wait(timeout=STOP_TIMEOUT_S)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while any(map(_lives, family)) and time.monotonic() < deadline:
            time.sleep(_POLL_S / 5)

    def last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").split("\n") if self.log.exists() else []
        return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")

    def memory(self) -> int:
        """Bytes that it and all it started use now; what they share with each other and with others is divided."""
        return sum(member.memory_full_info().pss for member in self._family())

    def _family(self) -> list[psutil.Process]:
        """The process, itself first so that it can start no more; its descendants; its group, orphans included."""
        if self._running is None:
            return []
        group = [process for process in psutil.process_iter() if _group(process.pid) == self._running.pid]
        group.sort(key=lambda process: process.pid != self.pid)
        descendants = [child for process in group for child in _children(process)]
        return list(dict.fromkeys([*group, *descendants]))


def program(name: str, environment: Mapping[str, str]) -> str:
    """Where the program is on the environment's PATH. Raises ModelMissing when it is not."""
    found = shutil.which(name, path=environment.get("PATH"))
    if found is None:
        hint = f"sudo apt-get install {_PACKAGES[name]}" if name in _PACKAGES else "scripts/setup"
        raise ModelMissing(f"The program '{name}' is not installed; run: {hint}.")
    return found


def as_user(user: str | None) -> list[str]:
    """Options of setpriv."""
    return [f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []


def free_ports(count: int) -> list[int]:
    """Ports of loopback that are free, as those 10000 above are. Raises ServiceUnavailable for want of them."""
    candidates = random.sample(_PORTS, k=len(_PORTS))
    found = list(islice((port for port in candidates if _free(port) and _free(port + _GRPC)), count))
    if len(found) < count:
        raise ServiceUnavailable(f"Fewer than {count} ports from {_PORTS.start} to {_PORTS.stop} are free on {HOST}.")
    return found


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
