"""The gates of one run, in several languages side by side."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from dubline.storage.results import Verdict
from tasks.gate import Gates
from tasks.stage import Stages


class Slow:
    """Stages that hand back a verdict when they are told to."""

    def __init__(self) -> None:
        self.told = asyncio.Event()

    async def __call__(self, suite: str) -> Verdict:
        await self.told.wait()
        return Verdict(suite=suite, rules=1)

    def speaking(self, _: str) -> Slow:
        return self


def test_a_gate_that_opens_while_others_are_waited_for_is_not_waited_for_and_harms_nobody() -> None:
    async def run() -> tuple[list[str], list[str]]:
        slow = Slow()
        gates = Gates(cast(Stages, slow))
        step = cast(Any, "media")
        gates.open(step)
        waiting = asyncio.create_task(gates.passed())
        await asyncio.sleep(0)
        gates.speaking("fr").open(cast(Any, "speech"))
        slow.told.set()
        first, all_of_them = await waiting, await gates.passed()
        return [one.verdict.suite for one in first], [f"{one.language} {one.verdict.suite}" for one in all_of_them]

    assert asyncio.run(run()) == (["media"], ["None media", "fr speech"])
