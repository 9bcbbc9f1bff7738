"""Progress in the Prefect UI while a run works, and that telling it never keeps a run from ending."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from uuid import UUID, uuid4

import pytest

from dubline.estimate import Estimate
from tasks import shown


@pytest.mark.parametrize("turns", range(8))
def test_telling_ends_when_it_is_told_to_though_the_server_answers_at_that_moment(
    turns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the event loop is at between an answer and what follows it, a cancellation is not lost there."""

    async def ended() -> bool:
        asked, answered = asyncio.Event(), asyncio.Event()

        async def told(artifact: UUID | None, share: float) -> UUID:
            asked.set()
            await answered.wait()
            return artifact or uuid4()

        monkeypatch.setattr(shown, "_told", told)
        monkeypatch.setattr(shown, "EVERY_S", 3600)
        telling = asyncio.create_task(shown._tell(Estimate(60.0, ("es",))))
        await asked.wait()
        answered.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        telling.cancel()
        for _ in range(20):
            await asyncio.sleep(0)
        over = telling.done()
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling
        return over

    assert asyncio.run(ended())
