"""How a quality gate runs: a stage whose result is a verdict, checked in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import ParamSpec

from dubline.storage.results import Judged, Verdict
from dubline.telemetry import progress
from quality_suites.gates import require
from quality_suites.host import GateHost
from quality_suites.rules import Frames, Suite
from tasks.stage import Stage, Stages

P = ParamSpec("P")
_host = GateHost()


def start_host() -> None:
    """Begin to import what checks the gates, without waiting."""
    _host.start()


def stop_host() -> None:
    """End the process that checks the gates, where one was started."""
    _host.stop()


def gate(suite: Suite) -> Callable[[Callable[P, Frames]], Stage[P, Verdict]]:
    """Make a gate of a function that derives the suite's rows. Its checkpoint key holds the rules' digest."""

    def decorate(rows: Callable[P, Frames]) -> Stage[P, Verdict]:
        @wraps(rows)
        def check(*args: P.args, **kwargs: P.kwargs) -> Verdict:
            return _host.check(suite.name, rows(*args, **kwargs))

        check.__annotations__["return"] = Verdict
        return Stage(check, f"check-{suite.name}", Verdict, salt=suite.digest())

    return decorate


class Gates:
    """The gates of one run. They are checked beside the stages that follow, and all of them before `async with` ends.

    Raises GateFailed there when a critical rule did not hold, also in place of the error that its fault led to later:
    the gate names segment and rule.
    """

    def __init__(self, stages: Stages) -> None:
        self._stages = stages
        self._language: str | None = None
        self._open: list[tuple[str | None, asyncio.Task[Verdict]]] = []

    def open(self, step: Stage[P, Verdict], *args: P.args, **kwargs: P.kwargs) -> None:
        """Begin to check, without waiting."""
        self._open.append((self._language, asyncio.create_task(self._checked(step, *args, **kwargs))))

    async def _checked(self, step: Stage[P, Verdict], *args: P.args, **kwargs: P.kwargs) -> Verdict:
        verdict = await self._stages(step, *args, **kwargs)
        for one in verdict.findings:
            progress.found(progress.Broken(one.rule, one.severity, one.subjects, self._language))
        return verdict

    def speaking(self, language: str) -> Gates:
        """The same run's gates, with the language in the names of their task runs."""
        other = Gates(self._stages.speaking(language))
        other._open, other._language = self._open, language
        return other

    async def passed(self) -> tuple[Judged, ...]:
        """Wait for every gate that was opened so far."""
        opened = tuple(self._open)  # another language may open one meanwhile
        verdicts = await asyncio.gather(*(task for _, task in opened))
        together = zip((language for language, _ in opened), verdicts, strict=True)
        return tuple(Judged(language=language, verdict=require(verdict)) for language, verdict in together)

    async def __aenter__(self) -> Gates:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, Exception):
            await self.passed()
