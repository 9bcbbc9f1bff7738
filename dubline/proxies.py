"""Proxies that the environment names, and what never goes through one: this very machine.

The libraries that talk to servers (httpx, urllib, requests, botocore, websockets, gRPC) each read NO_PROXY or no_proxy,
each in its own way. What is put there reaches them all, and every process that this one starts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit
from urllib.request import OpenerDirector, ProxyHandler, build_opener

from dubline.domain.errors import InvalidRequest

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SCHEMES = ("http", "https", "socks5", "socks5h")
"""Of proxies that httpx can use. It refuses to begin with any other, wherever a request goes."""
_NAMES = ("http_proxy", "https_proxy", "all_proxy")
_BRACKETED = re.compile(r"\[([0-9a-fA-F:.]+)\](:\d+)?")
"""An address of IPv6 as it stands in a URL; httpx takes it for a host with a wrong port, and raises."""


def named() -> dict[str, str]:
    """Variables that name a proxy, as they are."""
    return {name: value for name, value in os.environ.items() if value and name.lower() in _NAMES}


def spare_loopback() -> None:
    """From now on no request to this machine goes through a proxy, from this process and those that it will start.

    To be called before a library that talks to servers is used. Nothing changes where no proxy is named. Raises
    InvalidRequest for a proxy that cannot be used.
    """
    proxies = named()
    for name, value in proxies.items():
        os.environ[name] = _usable(name, value)
    if not proxies:
        return
    lower, upper = os.environ.get("no_proxy"), os.environ.get("NO_PROXY")
    # Of two, libraries read the one or the other first: one that is not set must not hide what the other says.
    for name, said in (
        ("no_proxy", upper if lower is None else lower),
        ("NO_PROXY", lower if upper is None else upper),
    ):
        os.environ[name] = _with_loopback(said or "")


def is_loopback(address: str | None) -> bool:
    """Whether a URL leads to this machine by its address or as localhost. Other names are not looked up."""
    try:
        host = urlsplit(address or "").hostname or ""
    except ValueError:  # no URL
        return False
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return host == "localhost" or host.endswith(".localhost")


def asking(address: str) -> OpenerDirector:
    """urllib's way to a server. By itself it would ask `[::1]` through a proxy: it looks for that, brackets and all, in
    NO_PROXY, where httpx cannot read it."""
    return build_opener(*([ProxyHandler({})] if is_loopback(address) else []))


def shown(proxy: str) -> str:
    """A proxy's address without the password that may stand in it."""
    scheme, separator, rest = proxy.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


def _usable(name: str, proxy: str) -> str:
    """Desktops write `socks://` for version 5, which is no library's name for it."""
    scheme, separator, rest = proxy.partition("://")
    if separator and scheme.lower() == "socks":
        return f"socks5://{rest}"
    if separator and scheme.lower() not in SCHEMES:
        raise InvalidRequest(
            f"{name} names a proxy of a kind that cannot be used ({shown(proxy)}); write it with one of "
            f"{', '.join(SCHEMES)}, or unset the variable."
        )
    return proxy


def _with_loopback(said: str) -> str:
    if said.strip() == "*":  # no proxy at all, which urllib understands only where it stands alone
        return said
    own = os.environ.get("PREFECT_API_URL")
    further = [str(urlsplit(own).hostname)] if own and is_loopback(own) else []
    return ",".join(dict.fromkeys((*_entries(said), *LOOPBACK, *further)))


def _entries(said: str) -> Iterator[str]:
    """What stands there, in the spelling that all libraries take. None of them knows ranges of IPv6."""
    for entry in filter(None, map(str.strip, said.split(","))):
        bracketed = _BRACKETED.fullmatch(entry)
        host = bracketed[1] if bracketed else entry
        if not (host.count(":") > 1 and "/" in host and "://" not in host):
            yield host
