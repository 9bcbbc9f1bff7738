"""How many requests a caller may make; counted in memory, or in Redis for several gateways together."""

from __future__ import annotations

import time

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError
from limits.storage import storage_from_string

from dubline.gateway.errors import Refused
from dubline.gateway.settings import GatewaySettings


class Rates:
    def __init__(self, settings: GatewaySettings) -> None:
        self._limiter = MovingWindowRateLimiter(_storage(settings.redis))
        self._rate, self._refused_rate = parse(settings.rate), parse(settings.refused_rate)

    async def counted(self, subject: str) -> None:
        """Raises Refused when the caller has made too many."""
        await self._hit(self._rate, f"caller {subject}")

    async def refused(self, address: str) -> None:
        """Raises Refused when the address has tried too many credentials."""
        await self._hit(self._refused_rate, f"refused {address}")

    async def _hit(self, rate: RateLimitItem, who: str) -> None:
        try:
            if await self._limiter.hit(rate, who):
                return
            reset = (await self._limiter.get_window_stats(rate, who)).reset_time
        except StorageError:
            return  # a Redis that is away must not close the gateway; what it counts is no proof of anything
        wait = max(1, round(reset - time.time()))
        raise Refused(429, "too-many-requests", f"More than {rate} were made; wait {wait} s.", Retry_After=str(wait))


def _storage(redis: str | None) -> Storage:
    if redis is None:
        return MemoryStorage()
    found = storage_from_string(f"async+{redis}", implementation="redispy", wrap_exceptions=True)
    assert isinstance(found, Storage)  # noqa: S101 - that is what the prefix asks for
    return found
