"""How large a video may be, wherever it comes from."""

from __future__ import annotations

from dubline.domain.errors import InvalidMedia
from dubline.settings import settings


def require_size(name: str, size: int) -> None:
    """`size` in bytes. Raises InvalidMedia when it is more than DUBLINE_MAX_SOURCE_MB allows."""
    limit = settings().max_source_mb
    if size > limit * 1_000_000:
        raise InvalidMedia(
            f"'{name}' is larger than the {limit} MB that DUBLINE_MAX_SOURCE_MB allows; make it smaller."
        )
