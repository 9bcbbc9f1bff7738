"""Where a session's video may come from, apart from an upload."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from dubline.gateway.errors import Refused
from dubline.storage.addresses import check_address
from dubline.storage.locations import WebFile
from dubline.storage.session_files import safe_name
from dubline.storage.sessions.model import Source


def of_url(url: str) -> Source:
    """Refuses what its form alone shows to be wrong; the run that fetches it looks at the addresses behind it."""
    check_address(url)
    return Source(kind="url", location=WebFile(url).shown, name=safe_name(unquote(urlsplit(url).path)))


def of_object(address: str, allowed: Sequence[str]) -> Source:
    """An object of a bucket that the operators have opened to sessions: the workers may read more than a caller."""
    inside = any(address.startswith(f"{prefix.rstrip('/')}/") for prefix in allowed)
    if not inside or ".." in PurePosixPath(address).parts:
        raise Refused(
            422,
            "object-not-allowed",
            "Sessions may not read that object; DUBLINE_GATEWAY_BUCKETS names the prefixes that they may read.",
        )
    return Source(kind="object", location=address, name=safe_name(address))
