"""What tenants are told: sentences of ours without the places of the server, which its operators find in the logs.

Errors name paths, buckets and hosts, because whoever runs Dubline needs them. They are nothing to a tenant.
"""

from __future__ import annotations

import os
import platform
import re
import sys
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from dubline.settings import settings

PLACE, SERVER = "a place on the server", "a server"
OWN_API = "/v1/"
"""Paths that tenants may know."""
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\"'<>`|]*[^\s\"'<>`|.,;:)\]]", re.IGNORECASE)
_QUOTED = re.compile(r"(?<=(['\"`]))~?/[^'\"`\n]+(?=\1)")
_IN_PATH = r"[^\s'\"<>|:;,()\[\]]"
_MEASURE = r"(?:and/or|\d+/\d+|km/h)\b"
"""What holds a slash in a sentence."""
_PATH = re.compile(
    rf"(?<![\w.:/~<-])(?:unix:|~)?/{_IN_PATH}+(?<![.?!])"
    # Folders with blanks in their names: a few words behind, a slash shows that the path goes on.
    rf"(?:(?: (?!/|{_MEASURE}){_IN_PATH}+(?<![.?!])){{0,3}} (?!/|{_MEASURE}){_IN_PATH}+/{_IN_PATH}*(?<![.?!]))*"
)
_NUMERIC = re.compile(
    r"(?<![\w.])(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]*:[0-9a-f:.]*\]|[0-9a-f]*:[0-9a-f:]*:[0-9a-f.:]*[0-9a-f])"
    r"(?::\d{1,5})?(?![\w.]*\w)",
    re.IGNORECASE,
)
_VERSION = re.compile(r"(?:\bversions? |[=<>~]=\s?)$", re.IGNORECASE)
_SECTION = re.compile(r"\d(?:\.\d){3}")
"""One digit between dots: a heading's number, or a version's."""
_WIDE = re.compile(r"(?:[0-9a-f]{3,4}:|::1$|::ffff:).*", re.IGNORECASE)
"""How addresses of IPv6 begin that machines have; `a::b` and `[::2]` are code."""
_LOCAL = re.compile(
    r"(?<![\w.-])(?:localhost|[\w-]+(?:\.[\w-]+)*\.(?:internal|local|lan|localdomain|intranet))(?::\d+)?(?![\w-])"
)
_FILE = re.compile(r"[^/]*\w\.\w{1,8}")
_PORT = r"(?::\d{1,5})?"
_SETTINGS = (
    "PREFECT_API_URL",
    "PREFECT_UI_URL",
    "DUBLINE_GATEWAY_REDIS",
    "DUBLINE_GATEWAY_OIDC_ISSUER",
    "AWS_ENDPOINT_URL",
)


def for_tenants(text: str) -> str:
    """The text without absolute paths, buckets and hosts of the server. A file keeps its name, and an address on the
    public web, which a tenant gave, is left."""
    for folder in _folders():
        text = re.sub(re.escape(folder) + r"(?:(?=[\s'\",;:)])|$)", PLACE, text)
        text = re.sub(re.escape(folder) + r"(?=/)", "", text)
    text = _ADDRESS.sub(lambda found: _address(found[0]), text)
    text = _QUOTED.sub(lambda found: _path(found[0]), text)
    text = _PATH.sub(lambda found: _path(found[0]), text)
    text = _NUMERIC.sub(_numeric, text)
    for host in _hosts():
        text = _host_in(host).sub(SERVER, text)
    return _LOCAL.sub(SERVER, text)


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return SERVER
    if parts.scheme.lower() in ("http", "https") and _public(host) and "@" not in parts.netloc:
        return url.partition("?")[0]
    last = PurePosixPath(unquote(parts.path)).name
    if _FILE.fullmatch(last):
        return last
    return PLACE if parts.scheme.lower() in ("s3", "file") else SERVER


def _public(host: str) -> bool:
    return "." in host and not _is_number(host) and not _LOCAL.fullmatch(host) and host not in _hosts()


def _path(path: str) -> str:
    if path.startswith(OWN_API):
        return path
    last = PurePosixPath(path).name
    return last if _FILE.fullmatch(last) else PLACE


def _numeric(found: re.Match[str]) -> str:
    bare = found[0].partition("]")[0].strip("[")
    counts = _SECTION.fullmatch(bare) or _VERSION.search(found.string[: found.start()])
    wrong = counts if "." in bare and ":" not in found[0] else ":" in bare and "." not in bare and not _WIDE.match(bare)
    return found[0] if wrong or not _is_number(found[0]) else SERVER


def _is_number(text: str) -> bool:
    bare = text.rpartition(":")[0] if re.fullmatch(r"[\d.]+:\d+|\[.*\]:\d+", text) else text
    try:
        ip_address(bare.strip("[]"))
    except ValueError:
        return False
    return True


def _host_in(host: str) -> re.Pattern[str]:
    """One that could be a word of a sentence counts only as a host where it has a port or stands in quotes."""
    name = re.escape(host)
    if host.isalpha():
        return re.compile(rf"(?<![\w.-]){name}:\d{{1,5}}(?!\w)|(?<=[\"']){name}(?=[\"'])")
    return re.compile(rf"(?<![\w.-]){name}{_PORT}(?![\w-])")


def _folders() -> tuple[str, ...]:
    """Of this machine, the longest first: one with a space in it is not seen as a path otherwise."""
    known = settings()
    own = (
        known.home,
        known.profiles,
        known.shared_folder,
        known.cache,
        known.models,
        Path.home(),
        Path.cwd(),
        Path(sys.prefix),
    )
    found = {str(path) for path in (*own, Path(tempfile.gettempdir()), Path(__file__).parent.parent.parent.parent)}
    return tuple(sorted((path.rstrip("/") for path in found if path.rstrip("/")), key=len, reverse=True))


def _hosts() -> tuple[str, ...]:
    given = (settings().database, settings().s3_endpoint, settings().clamd, *map(os.environ.get, _SETTINGS))
    return _known_hosts(tuple(address for address in given if address))


@lru_cache(maxsize=8)
def _known_hosts(addresses: tuple[str, ...]) -> tuple[str, ...]:
    found = {platform.node(), *_hosts_of(addresses)} - {"", "localhost"}
    return tuple(sorted(found, key=len, reverse=True))


def _hosts_of(addresses: tuple[str, ...]) -> Iterator[str]:
    for address in addresses:
        try:
            yield urlsplit(address).hostname or ""
        except ValueError:
            continue
