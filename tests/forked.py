"""Runs of the `dubline` command, forked from one process that has imported everything.

A cold start costs ten seconds of a core, nearly all of it imports; hundreds of runs need not pay that each. A fork has
its own environment, output and exit code, and can be killed. For the same reason the gates are checked in the fork
itself; their own process has its own tests, and so have cold starts.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parent.parent
TIMEOUT_S = 240
IMPORTED = (
    *("dubline.cli", "flows.translate_video", "tests.fakes"),
    *("great_expectations", "scipy.optimize", "scipy.signal"),  # which stages would import
)


def run(
    arguments: Sequence[str], environment: Mapping[str, str], timeout_s: float = TIMEOUT_S, folder: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """`dubline ARGUMENTS` with exactly this environment, in the folder; killed when it takes longer."""
    with TemporaryDirectory() as name:
        out, err = Path(name) / "out", Path(name) / "err"
        for file in (out, err):
            file.touch()  # it may be killed before it has opened them
        files = [str(out), str(err)]
        child = {"argv": list(arguments), "environment": dict(environment), "files": files, "folder": str(folder)}
        ended = _Forker.only().run({"timeout_s": timeout_s, "child": child})
        return subprocess.CompletedProcess(arguments, ended, out.read_text(), err.read_text())


class _Forker:
    """The process to fork from."""

    @staticmethod
    @lru_cache(maxsize=1)
    def only() -> _Forker:
        forker = _Forker()
        atexit.register(forker.end)
        return forker

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.forked"], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def run(self, request: Mapping[str, object]) -> int:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def end(self) -> None:
        with self._process:
            if self._process.stdin:
                self._process.stdin.close()


def _serve() -> None:
    """Fork a child for each line of the input; tell its exit status, negative for a signal."""
    from dubline import server

    # As the command does, before anything of Prefect is imported.
    os.environ.update(server.environment() | {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL"})
    for module in IMPORTED:
        import_module(module)
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            os._exit(_child(**request["child"]))
        _end_after(request["timeout_s"], child)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _end_after(timeout_s: float, child: int) -> None:
    """Wait for the child's end, and bring it about when the time is up."""
    descriptor = os.pidfd_open(child)
    try:
        if not select.select([descriptor], [], [], timeout_s)[0]:
            os.kill(child, signal.SIGKILL)
    finally:
        os.close(descriptor)


def _child(argv: list[str], environment: dict[str, str], files: list[str], folder: str) -> int:
    os.chdir(folder)
    for number, file in enumerate(files, 1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.clear()
    os.environ.update(environment)
    try:
        return _command(argv)
    except BaseException:  # noqa: BLE001 - a child must never come out into its parent's code
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _command(argv: list[str]) -> int:
    from prefect.context import refresh_global_settings_context

    from dubline import cli, server
    from dubline.settings import settings
    from dubline.storage.results import Verdict
    from quality_suites.host import GateHost
    from quality_suites.rules import Frames
    from quality_suites.validate import validate
    from tests.faults import strikes

    one_at_a_time = threading.Lock()  # as in the gates' own process: Great Expectations is not for threads

    def check(_: GateHost, name: str, frames: Frames) -> Verdict:
        with one_at_a_time:
            return validate(name, frames)

    # The gates' own process would import again, for each fork, what this one has: its work is done here instead.
    GateHost.check = check  # type: ignore[method-assign]  # the class: each module that has a host shall have this one
    GateHost.start = lambda _: None  # type: ignore[method-assign]  # as above; it would begin that import
    settings.cache_clear()
    os.environ.update(server.environment())
    refresh_global_settings_context()
    if "DUBLINE_STRIKES" in os.environ:
        strikes.arm(os.environ["DUBLINE_STRIKES"])
    sys.argv = ["dubline", *argv]
    try:
        cli.main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


if __name__ == "__main__":
    _serve()
