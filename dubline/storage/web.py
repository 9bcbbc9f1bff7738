"""One request to an untrusted address: connected to the very address that was checked, redirects checked like it.

Between looking a name up and connecting nothing is looked up again, so a name server that changes its mind gains
nothing. Proxies of the environment are not used: they would do the looking up themselves.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urljoin

import httpcore

from dubline.domain.errors import InvalidMedia, InvalidRequest, StoreUnavailable
from dubline.storage.addresses import WebAddress, check_address, is_public, not_public

MAX_REDIRECTS = 5
CONNECT_TIMEOUT_S = 10.0
STALL_S = 30.0
STALL_BYTES = 64 * 1024
"""Less than this in STALL_S is no way to send a video: 17 kbit/s."""
_REDIRECTS = {301, 302, 303, 307, 308}


class Clock:
    """How long a download takes, and whether it still moves; for all of its connections together."""

    def __init__(self, limit_s: float) -> None:
        self._end = time.monotonic() + limit_s
        self._limit_s = limit_s
        self.rest()

    def rest(self) -> None:
        """A new connection: it has STALL_S to send something."""
        self._since, self._bytes = time.monotonic(), 0

    def patience_s(self) -> float:
        """How long the next answer may be waited for. Raises StoreUnavailable when all time is up."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise StoreUnavailable(
                f"The video could not be fetched within {self._limit_s:g} s; try again, or raise DUBLINE_URL_TIMEOUT_S."
            )
        return min(left, STALL_S)

    def count(self, received: int) -> None:
        """Raises ReadTimeout when what came in the last STALL_S is next to nothing."""
        self._bytes += received
        if time.monotonic() - self._since > STALL_S:
            if self._bytes < STALL_BYTES:
                raise httpcore.ReadTimeout(f"{self._bytes} bytes in {STALL_S:g} s")
            self.rest()


@contextmanager
def answer(url: str, headers: Mapping[str, str], clock: Clock) -> Iterator[httpcore.Response]:
    """The answer to a GET, after redirects, with its body still to be read.

    Raises InvalidRequest when the address, or one that it leads to, is refused; InvalidMedia when it leads nowhere;
    StoreUnavailable when the host cannot be found for now. httpcore's own errors mean that the connection failed.
    """
    for _ in range(MAX_REDIRECTS + 1):
        address = check_address(url)
        with _asked(address, headers, clock) as response:
            target = header(response, "location") if response.status in _REDIRECTS else ""
            if not target:
                yield response
                return
        url = urljoin(url, target)
    raise InvalidMedia(
        f"{check_address(url)} is the {MAX_REDIRECTS + 1}th redirect in a row; use the last address itself."
    )


def post(url: str, headers: Mapping[str, str], content: bytes, limit_s: float) -> int:
    """The status of the answer to a POST; redirects are not followed, and what else is answered is not read.

    Raises InvalidRequest when the address is refused, StoreUnavailable when its host cannot be reached.
    """
    address = check_address(url)
    try:
        with _asked(address, headers, Clock(limit_s), "POST", content) as response:
            return int(response.status)
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
        raise StoreUnavailable(f"{address} cannot be reached ({type(error).__name__}).") from error


def header(response: httpcore.Response, name: str) -> str:
    """A header's value; empty where there is none, or several that differ."""
    values = {
        value.decode("utf-8", "replace").strip() for key, value in response.headers if key.lower() == name.encode()
    }
    return values.pop() if len(values) == 1 else ""


@contextmanager
def _asked(
    address: WebAddress, headers: Mapping[str, str], clock: Clock, method: str = "GET", content: bytes | None = None
) -> Iterator[httpcore.Response]:
    clock.rest()
    url = httpcore.URL(
        scheme=address.scheme.encode(),
        host=address.host.encode(),
        port=address.port,
        target=address.target.encode(),
    )
    waits = {"connect": CONNECT_TIMEOUT_S, "read": STALL_S, "write": STALL_S, "pool": STALL_S}
    backend = _Pinned(address, clock)
    with (
        httpcore.ConnectionPool(ssl_context=ssl.create_default_context(), network_backend=backend, retries=0) as pool,
        pool.stream(
            method, url, headers=list(headers.items()), content=content, extensions={"timeout": waits}
        ) as response,
    ):
        yield response


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host, as the system finds them."""
    return list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


def _addresses(address: WebAddress) -> list[str]:
    """Where to connect to. A name that leads to any private address is refused whole."""
    try:
        found = resolve(address.host, address.port)
    except socket.gaierror as error:
        if error.errno == socket.EAI_NONAME:
            raise InvalidRequest(f"There is no host '{address.host}'; check the video's URL.") from None
        raise StoreUnavailable(f"The host '{address.host}' cannot be looked up for now; try again later.") from None
    if not address.trusted and not all(map(is_public, found)):
        raise not_public(address.host)
    return found


class _Pinned(httpcore.NetworkBackend):
    """Connects to addresses that were checked, whatever name it is asked for; TLS still checks the name."""

    def __init__(self, address: WebAddress, clock: Clock) -> None:
        self._address, self._clock = address, clock

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failed: Exception = httpcore.ConnectError(f"{host} has no address")
        for found in _addresses(self._address):
            try:
                wait_s = min(self._clock.patience_s(), timeout or STALL_S)
                return _Timed(httpcore.SyncBackend().connect_tcp(found, port, wait_s), self._clock)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed


class _Timed(httpcore.NetworkStream):
    """A connection on which each byte counts against the clock, those of headers and handshakes, too."""

    def __init__(self, stream: httpcore.NetworkStream, clock: Clock) -> None:
        self._stream, self._clock = stream, clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._stream.read(max_bytes, self._clock.patience_s())
        self._clock.count(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._clock.patience_s())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._clock.patience_s())
        return _Timed(stream, self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
