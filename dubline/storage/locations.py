"""Where a person's own files are: paths of this machine, objects in a bucket, or videos on a web server."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Annotated, Any
from urllib.parse import quote, unquote

from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from dubline.domain.errors import InvalidRequest

_WEB = re.compile(r"https?://", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_BUCKET_FILE = r"^s3://[a-z0-9][a-z0-9.-]+/.*[^/]$"
_UNSAFE = re.compile(r"[^\w.()+,=~ -]")
"""What a file's name of ours does not take over from a URL."""
_NAME_BYTES, _SUFFIX_BYTES = 120, 10
"""A file system takes 255 bytes, and what is published is named after the video, with a language and a kind."""


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
        address = core_schema.str_schema(pattern=_BUCKET_FILE)
        return core_schema.no_info_after_validator_function(cls, address)


class WebFile(str):
    """`https://host/path`, a video to fetch. `addresses.check_address` says whether it may be."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """A file's name made of the last segment; never empty, hidden or a path."""
        path = re.split("[?#]", self, maxsplit=1)[0].partition("://")[2].partition("/")[2]
        name = PurePosixPath(_UNSAFE.sub("_", unquote(path).rstrip("/").rpartition("/")[2]).strip(" ."))
        return f"{_cut(name.stem, _NAME_BYTES) or 'video'}{_cut(name.suffix, _SUFFIX_BYTES)}"

    @property
    def stem(self) -> str:
        return PurePosixPath(self.name).stem

    @property
    def shown(self) -> str:
        """Without the query, in which there may be a secret."""
        return re.split("[?#]", self, maxsplit=1)[0]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        address = core_schema.str_schema(pattern=r"^[hH][tT][tT][pP][sS]?://.+$")
        return core_schema.no_info_after_validator_function(cls, address)


def located(text: str) -> BucketFile | Path:
    """What a person wrote as an address: a bucket's object or prefix, or an absolute path. Raises InvalidRequest."""
    if text.startswith("s3://"):
        address = text.rstrip("/")
        if not re.match(_BUCKET_FILE, address):
            raise InvalidRequest(f"{text!r} is no place in a bucket; write s3://bucket/key.")
        return BucketFile(address)
    if _SCHEME.match(text):
        raise InvalidRequest(f"'{text.partition('://')[0]}://' is no place for files; use a path or s3://bucket/key.")
    return Path(text).absolute()


def located_video(text: str) -> BucketFile | WebFile | Path:
    """The same for a video, which may lie on a web server, too."""
    return WebFile(text) if _WEB.match(text) else located(text)


def _asked(place: Callable[[str], Any]) -> BeforeValidator:
    """As a program writes it, whose own folder means nothing where a run works."""

    def found(value: Any) -> Any:
        if not isinstance(value, str) or isinstance(value, BucketFile | WebFile):
            return value
        if not _SCHEME.match(value) and not value.startswith("/"):
            raise ValueError(f"{value!r} is a relative path; write it from / on.")
        try:
            return str(place(value))
        except InvalidRequest as error:
            raise ValueError(str(error)) from None

    return BeforeValidator(found)


# In a form one field, not a choice of three alike; Prefect's server, which knows the schema alone, holds a run's
# parameters against the pattern.
Location = Annotated[
    BucketFile | Path,
    Field(union_mode="left_to_right"),
    _asked(located),
    WithJsonSchema({"type": "string", "pattern": "^(/|s3://[a-z0-9][a-z0-9.-]+/.)"}),
]
VideoLocation = Annotated[
    BucketFile | WebFile | Path,
    Field(union_mode="left_to_right"),
    _asked(located_video),
    WithJsonSchema({"type": "string", "pattern": "^(/|s3://[a-z0-9][a-z0-9.-]+/.|[hH][tT][tT][pP][sS]?://.)"}),
]


def uri(place: BucketFile | Path) -> str:
    """The address of a file or folder, as one writes it in a link."""
    return place.absolute().as_uri() if isinstance(place, Path) else quote(place, safe="/:")


def _cut(text: str, limit: int) -> str:
    return text.encode()[:limit].decode(errors="ignore").strip()
