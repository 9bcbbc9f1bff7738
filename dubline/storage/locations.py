"""Where a person's own files are: paths of this machine, or objects in a bucket."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class BucketFile(str):
    """`s3://bucket/key`, or a prefix of keys where a folder is meant."""

    __slots__ = ()

    @property
    def name(self) -> str:
        return PurePosixPath(self).name

    @property
    def stem(self) -> str:
        return PurePosixPath(self).stem

    def __truediv__(self, key: str) -> BucketFile:
        return BucketFile(f"{self}/{key}")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        address = core_schema.str_schema(pattern=r"^s3://[a-z0-9][a-z0-9.-]+/.*[^/]$")
        return core_schema.no_info_after_validator_function(cls, address)


Location = Annotated[BucketFile | Path, Field(union_mode="left_to_right")]


def located(text: str) -> BucketFile | Path:
    """What a person wrote as an address: a bucket's object or prefix, or an absolute path."""
    return BucketFile(text.rstrip("/")) if text.startswith("s3://") else Path(text).absolute()
