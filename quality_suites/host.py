"""A process of its own for Great Expectations: imported early, off the critical path, and never in the caller.

`start` as soon as a run begins, `check` at each gate, `stop` when the run ends. The process dies with its parent, also
when that is killed: it holds the other end of a pipe that closes then.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import ModuleType
from typing import Any

from dubline.domain.errors import EngineUnavailable
from dubline.storage.results import Verdict
from quality_suites.rules import Frames
from quality_suites.validate import validate, warm_up

_LOOK_S = 0.5


class GateHost:
    """Checks suites in one child process, one at a time. May be used by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: _Child | None = None

    def start(self) -> None:
        """Begin to import in the background; returns at once. Does nothing where the process already runs."""
        with self._lock:
            self._running()

    def check(self, suite_name: str, frames: Frames) -> Verdict:
        """Validate in the child, starting it where needed.

        Raises EngineUnavailable when the child was lost (the next call starts a new one), and what `validate` raises.
        """
        child: _Child | None = None
        try:
            with self._lock:
                child = self._running()
                future = child.last = child.executor.submit(validate, suite_name, frames)
            verdict: Verdict = future.result()
            return verdict
        except (BrokenProcessPool, CancelledError, OSError) as error:
            self._drop(child)
            raise EngineUnavailable(
                f"The process that checks quality gates was lost at '{suite_name}'; run the same command again."
            ) from error

    def stop(self) -> None:
        """End the child, also in the middle of its import. A later call starts a new one."""
        with self._lock:
            child = self._child
        self._drop(child)

    def _running(self) -> _Child:
        if self._child is None:
            self._child = _Child()
        return self._child

    def _drop(self, child: _Child | None) -> None:
        """End this child, unless another thread did so and perhaps started the next one."""
        with self._lock:
            if child is None or self._child is not child:
                return
            self._child = None
        child.end()


class _Child:
    def __init__(self) -> None:
        # "spawn", because a fork of a process with threads may inherit a lock that nobody will release.
        context = get_context("spawn")
        leash, self._lifeline = context.Pipe(duplex=False)
        self.executor = ProcessPoolExecutor(
            max_workers=1, mp_context=context, initializer=_begin, initargs=(os.getpid(), leash)
        )
        with _interrupts_held(), _main_hidden():
            self.last: Future[Any] = self.executor.submit(os.getpid)  # any work starts the process

    def end(self) -> None:
        """An idle child leaves in order, and with it what its libraries registered; one at work is not waited for."""
        if not self.last.done():
            self._lifeline.close()
        self.executor.shutdown(wait=True, cancel_futures=True)
        self._lifeline.close()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Ctrl-C is the parent's to handle: a child started meanwhile inherits the mask, from its first instruction on."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _main_hidden() -> Iterator[None]:
    """A child that is spawned imports its parent's main program first: all of Prefect, and no gate needs that."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _begin(parent: int, leash: Connection) -> None:
    """First thing in the child: watch the parent, since a child without one has to end.

    It imports beside its work and not as a piece of it: an interpreter that exits waits for work that has begun.
    """
    threading.Thread(target=_watch, args=(parent, leash), daemon=True).start()
    threading.Thread(target=warm_up, daemon=True).start()


def _watch(parent: int, leash: Connection) -> None:
    """End with the lifeline. The parent's id is looked at too: a fork of the parent may hold the pipe open."""
    while os.getppid() == parent and not leash.poll(_LOOK_S):
        pass
    os._exit(0)
