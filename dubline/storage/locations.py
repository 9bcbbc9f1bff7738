"""Where a person's own files are: paths of this machine, or objects in a bucket."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class BucketFile(str):
    """`s3://bucket/key`."""

    __slots__ = ()

    @property
    def name(self) -> str:
        return PurePosixPath(self).name

    @property
    def stem(self) -> str:
        return PurePosixPath(self).stem

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        address = core_schema.str_schema(pattern=r"^s3://[a-z0-9][a-z0-9.-]+/.*[^/]$")
        return core_schema.no_info_after_validator_function(cls, address)


def located(text: str) -> BucketFile | Path:
    """What a person wrote as an address: an object, or a file as an absolute path."""
    return BucketFile(text) if text.startswith("s3://") else Path(text).absolute()
