"""How flows' runs are called that have no video whose name they could bear, and how parameters are called in forms."""

from __future__ import annotations

from typing import Any

from prefect.runtime import flow_run
from pydantic import Field

MOST_DAYS = 3650
"""That a flow may be asked to look back, so that no date lies before the calendar's begin."""


def dated() -> str:
    """By when it was due (UTC): `revive 25 Nov 03:17`."""
    return f"{flow_run.flow_name} {flow_run.scheduled_start_time:%d %b %H:%M}"


def titled(title: str) -> Any:
    """The title of a flow's parameter, for its annotation: Prefect puts the parameter's name over that of a `Field`."""
    return Field(json_schema_extra={"title": title})
