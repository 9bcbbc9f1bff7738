"""How runs are called of flows that run on a schedule, and have no video whose name they could bear."""

from __future__ import annotations

from prefect.runtime import flow_run


def dated() -> str:
    """By when it was due (UTC): `revive 25 Nov 03:17`."""
    return f"{flow_run.flow_name} {flow_run.scheduled_start_time:%d %b %H:%M}"
