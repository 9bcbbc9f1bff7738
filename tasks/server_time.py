"""The Prefect server's clock: what it notes is compared with its own time, and not with that of whoever asks."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime

from prefect.client.orchestration import PrefectClient


async def server_now(client: PrefectClient) -> datetime:
    """To the second. A machine whose clock runs fast would take every run that lives for a silent one."""
    return parsedate_to_datetime((await client.hello()).headers["date"])
