"""Where a video may be fetched from: a server that fetches what strangers name must not reach its own network.

`check_address` judges by form alone and asks nobody; `is_public` judges what a host's name led to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import quote, urlsplit

from dubline.domain.errors import InvalidRequest
from dubline.settings import settings

MAX_LENGTH = 4096
PORTS = {"https": 443, "http": 80}

_NO_PART_OF_A_URL = re.compile(r'[\s\\"<>^`{|}\x00-\x20\x7f-\x9f]')
"""RFC 3986 wants these escaped. Parsers disagree about some of them, the backslash above all."""
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
_NUMBER = re.compile(r"(.*\.)?(0x[0-9a-f]*|[0-9]+)")
"""A host whose last label looks like a number is an IPv4 address, or an odd way to write one (2130706433, 0x7f.1)."""
_LOCAL_NAMES = ("localhost", "local", "internal", "localdomain", "home.arpa")
_NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052: the last 32 bits are the IPv4 address that is meant."""
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NOT_PUBLIC = (
    # What `is_global` lets through in Python 3.11, by the registries of special-purpose addresses at IANA.
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv6Network("2001::/23"),
    IPv6Network("2002::/16"),
    IPv6Network("3fff::/20"),
)


@dataclass(frozen=True, slots=True)
class WebAddress:
    """An address that may be asked, taken apart."""

    scheme: str
    host: str
    """ASCII, in lower case, without brackets."""
    port: int
    target: str
    """Path and query, ASCII."""
    trusted: bool
    """Whether DUBLINE_URL_HOSTS names it: then it may be private."""

    def __str__(self) -> str:
        """Without the query, in which there may be a secret."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.target.partition('?')[0]}"


def check_address(url: str) -> WebAddress:
    """Take a URL apart, or say why it is refused; no network is needed for that.

    Refused are other schemes than https (and http where DUBLINE_URL_HTTP allows it), user names and passwords, other
    ports than 80 and 443, addresses in odd notations, private addresses and names of local networks. What
    DUBLINE_URL_HOSTS names may be private, have any port and speak http. Raises InvalidRequest.
    """
    if len(url) > MAX_LENGTH or _NO_PART_OF_A_URL.search(url):
        raise InvalidRequest("The video's URL has spaces or other characters that must be escaped, or is too long.")
    try:
        parts = urlsplit(url)
        port, name = parts.port, parts.hostname or ""
    except ValueError:
        raise InvalidRequest("The video's URL cannot be read; check its host and port.") from None
    if parts.scheme not in PORTS:
        raise InvalidRequest("A video is fetched from https:// addresses only; use one, or a path or s3://bucket/key.")
    if "@" in parts.netloc:
        raise InvalidRequest("The video's URL has a user name or password in it; use one without.")
    host = _host(name)
    port = PORTS[parts.scheme] if port is None else port
    trusted = (host, port) in _trusted()
    if not trusted:
        _require_allowed(parts.scheme, host, port)
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~") + (f"?{_query(parts.query)}" if parts.query else "")
    return WebAddress(parts.scheme, host, port, target, trusted)


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet's, and neither a way around to another one nor for groups."""
    ip = ip_address(address)
    if isinstance(ip, IPv6Address):
        if ip in _NAT64:
            ip = IPv4Address(int(ip) & 0xFFFF_FFFF)
        elif ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif ip not in _GLOBAL_UNICAST or ip.scope_id:
            return False
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _NOT_PUBLIC)


def _require_allowed(scheme: str, host: str, port: int) -> None:
    if scheme == "http" and not settings().url_http:
        raise InvalidRequest("A video is not fetched from http:// addresses; use https, or set DUBLINE_URL_HTTP.")
    if port not in PORTS.values():
        raise InvalidRequest(f"A video is not fetched from port {port}; use 443, or name it in DUBLINE_URL_HOSTS.")
    literal = _literal(host)
    local = "." not in host or any(host == name or host.endswith(f".{name}") for name in _LOCAL_NAMES)
    if not is_public(literal) if literal else local:
        raise not_public(host)


def not_public(host: str) -> InvalidRequest:
    """The same whether the form says so or the name led there: where it led is not for strangers to know."""
    return InvalidRequest(
        f"'{host}' is not a public address; use one of the internet's, or name it in DUBLINE_URL_HOSTS."
    )


def _host(name: str) -> str:
    """The host as it is looked up. International names are folded as DNS has them, digits of other scripts included."""
    if ":" in name:
        return _literal(name) or _unreadable(name)
    try:
        host = name.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError:
        return _unreadable(name)
    if not _HOST.fullmatch(host) or (_NUMBER.fullmatch(host) and not _literal(host)):
        return _unreadable(name)
    return host


def _literal(host: str) -> str | None:
    """An IP address in its one plain notation; None for everything else."""
    try:
        return str(ip_address(host))
    except ValueError:
        return None


def _unreadable(name: str) -> str:
    raise InvalidRequest(f"The video's URL has no host that can be asked ({ascii(name)[1:-1]}); check it.")


def _query(query: str) -> str:
    return quote(query, safe="/%:@!$&'()*+,;=~?")


def _trusted() -> set[tuple[str, int]]:
    """Host and port of each name in DUBLINE_URL_HOSTS; both usual ports where none is given."""
    found = set()
    for entry in settings().url_hosts.split(","):
        if entry.strip():
            parts = urlsplit(f"//{entry.strip()}")
            host = _host(parts.hostname or "")
            found |= {(host, port) for port in ([parts.port] if parts.port else PORTS.values())}
    return found
