"""A proxy on loopback that spoils HTTP: answers 503, drops connections in mid-body, flips a bit, or never answers.

Faults are queued and taken in order, one a request that they fit; all other requests pass. Plain HTTP only.

    with FaultProxy(server.port) as proxy:
        proxy.spoil("unavailable", "flip")
        ... work against proxy.endpoint ...
        assert proxy.spoiled == ["unavailable", "flip"]
"""

from __future__ import annotations

import http.client
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Fault = Literal["unavailable", "drop", "flip", "flip-request", "hang"]
"""`unavailable`: 503, and the request is not passed on. `drop`: half of the answer's body, then the connection ends.
`flip`: one bit of the answer's body is another. `flip-request`: one bit of the request's. `hang`: no answer at all."""
_BUSY = b"<Error><Code>ServiceUnavailable</Code><Message>Try again.</Message></Error>"
_HOP = {"connection", "keep-alive", "transfer-encoding", "expect", "content-length"}
"""Headers that are about one connection; the body's length is told anew."""


class FaultProxy:
    """Stands before an HTTP server on `127.0.0.1:port`."""

    def __init__(self, port: int = 0, matches: Callable[[str, str], bool] = lambda method, path: True) -> None:
        """`matches` says of a request's method and path whether it may be spoiled. `port` may be set later."""
        self.port = port
        self.matches = matches
        self.requests: list[str] = []
        """Method and path of each request, in the order of their coming."""
        self.spoiled: list[Fault] = []
        """Faults that were applied."""
        self._faults: deque[Fault] = deque()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def spoil(self, *faults: Fault) -> None:
        self._faults.extend(faults)

    def clear(self) -> None:
        """Forget the faults that were not applied yet."""
        self._faults.clear()

    def next_fault(self, method: str, path: str) -> Fault | None:
        with self._lock:
            self.requests.append(f"{method} {path}")
            if not self._faults or not self.matches(method, path):
                return None
            fault = self._faults.popleft()
            self.spoiled.append(fault)
            return fault

    def hang(self) -> None:
        """Wait until the proxy is stopped."""
        self._stopped.wait()

    def __enter__(self) -> FaultProxy:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()


def _handler(proxy: FaultProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            with suppress(ConnectionError):
                super().handle_one_request()

        def pass_on(self) -> None:
            fault = proxy.next_fault(self.command, self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if fault == "hang":
                proxy.hang()
                self.close_connection = True
            elif fault == "unavailable":
                self.answer(503, [], b"" if self.command == "HEAD" else _BUSY)
            else:
                self.relay(_flipped(body) if fault == "flip-request" else body, fault)

        def relay(self, body: bytes, fault: Fault | None) -> None:
            upstream = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=60)
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
            upstream.request(self.command, self.path, body, headers | {"Content-Length": str(len(body))})
            answer = upstream.getresponse()
            content = answer.read()
            upstream.close()
            if fault == "flip":
                content = _flipped(content)
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in _HOP]
            length = answer.getheader("Content-Length") if self.command == "HEAD" else None
            self.answer(answer.status, kept, content, length, dropped=fault == "drop")

        def answer(
            self,
            status: int,
            headers: list[tuple[str, str]],
            content: bytes,
            length: str | None = None,
            dropped: bool = False,
        ) -> None:
            self.send_response_only(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", length or str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if dropped else content)
            if dropped:
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            pass

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = pass_on  # noqa: N815 - http.server's names

    return Handler


def _flipped(content: bytes) -> bytes:
    """The content with another bit in the middle."""
    if not content:
        return content
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
