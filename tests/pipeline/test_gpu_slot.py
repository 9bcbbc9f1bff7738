"""The GPU's slot that an inference holds: taken, lost with the server's memory of it, taken again, given back."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import infer
from tests.pipeline.workshop import ask

pytestmark = pytest.mark.server


@pytest.fixture
def limit(prefect_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of one slot, and of nobody else."""
    name = f"gpu-{uuid4().hex}"
    ask(prefect_server, "/v2/concurrency_limits/", {"name": name, "limit": 1})
    monkeypatch.setattr(infer, "settings", lambda: SimpleNamespace(gpu_limit=name))
    monkeypatch.setattr(infer, "get_run_logger", logging.getLogger)
    return name


@pytest.fixture
def renewed(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The leases that were renewed, each time that one was: often."""
    leases: list[UUID] = []
    renew = SyncPrefectClient.renew_concurrency_lease

    def told(client: SyncPrefectClient, lease_id: UUID, lease_duration: float) -> None:
        leases.append(lease_id)
        renew(client, lease_id, lease_duration)

    monkeypatch.setattr(SyncPrefectClient, "renew_concurrency_lease", told)
    monkeypatch.setattr("prefect.concurrency._leases._RENEWAL_FRACTION", 0.01)
    return leases


def test_a_slot_that_was_lost_is_waited_for_again_and_given_back(
    prefect_server: str, limit: str, renewed: list[UUID], caplog: pytest.LogCaptureFixture
) -> None:
    def taken() -> int:
        found: int = ask(prefect_server, f"/v2/concurrency_limits/{limit}")["active_slots"]
        return found

    def change(way: str) -> None:
        ask(prefect_server, f"/v2/concurrency_limits/{way}", {"names": [limit], "slots": 1, "occupancy_seconds": 1})

    async def renewals_of(leases: int) -> None:
        while len(set(renewed)) < leases:
            await asyncio.sleep(0.1)

    async def held() -> None:
        async with asyncio.timeout(300), infer.gpu_slot():
            await renewals_of(1)
            assert taken() == 1
            ask(prefect_server, "/v2/concurrency_limits/decrement-with-lease", {"lease_id": str(renewed[0])})
            change("increment")  # another has it
            while "The slot was lost" not in caplog.text:
                await asyncio.sleep(0.1)
            assert taken() == 1
            change("decrement")
            await renewals_of(2)
            assert taken() == 1

    with temporary_settings({PREFECT_API_URL: prefect_server}):
        asyncio.run(held())
    assert taken() == 0
