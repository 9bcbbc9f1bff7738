"""A folder whose videos are translated as they come."""

from __future__ import annotations

from typing import ClassVar

from prefect.blocks.core import Block
from pydantic import Field

from dubline.request import KnownLanguage


class WatchFolder(Block):
    """A folder or S3 prefix; what is dropped there is translated, and its results are put beside it."""

    _block_type_name: ClassVar[str] = "Dubline Watch Folder"
    _block_type_slug: ClassVar[str] = "dubline-watch-folder"
    _description: ClassVar[str] = "A folder whose videos are translated as they are dropped there."

    folder: str = Field(
        title="Folder",
        description="Path on every worker of the pools cpu and service, or s3://bucket/prefix.",
        examples=["/srv/videos/in", "s3://media/in"],
    )
    languages: list[KnownLanguage] = Field(
        title="Target languages",
        description='For videos that have no options file beside them: ISO 639-1 codes, such as ["es", "fr"].',
        examples=[["es", "fr"]],
        min_length=1,
    )
    profile: str = Field(default="offline", title="Engine profile", description="Name of a profile or of its block.")
