"""Who hears of runs that failed."""

from __future__ import annotations

from typing import ClassVar

from prefect.blocks.core import Block
from pydantic import Field


class Notification(Block):
    """Which of Prefect's notification blocks is told of runs that failed or were quarantined."""

    _block_type_name: ClassVar[str] = "Dubline Notification"
    _block_type_slug: ClassVar[str] = "dubline-notification"
    _description: ClassVar[str] = "Sends a message when a video could not be translated."

    channel: str = Field(
        title="Channel",
        description="The block that sends, as TYPE/NAME. Slack, Teams, e-mail and web hooks come with Prefect.",
        examples=["slack-webhook/operators"],
        pattern=r"^[a-z0-9-]+/[a-z0-9-]+$",
    )
