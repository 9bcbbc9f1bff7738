"""A web server on loopback that serves one video, well or badly."""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Behaviour = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: WebServer

    def do_GET(self) -> None:
        self.server.requests.append((self.path, dict(self.headers.items())))
        behaviour = self.server.behaviours.pop(0) if self.server.behaviours else self.server.usual
        with suppress(OSError):  # who asked may leave at any time
            behaviour(self)

    def start(self, status: int, **headers: str | int) -> None:
        """Status and headers; underscores in names are hyphens."""
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


class WebServer(ThreadingHTTPServer):
    """`behaviours` are for the next requests, in order; then comes `usual`."""

    daemon_threads = True

    def __init__(self, content: bytes, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        super().__init__((address, 0), Handler)
        self.content = content
        self.etag = f'"{sha256(content).hexdigest()[:16]}"'
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.behaviours: list[Behaviour] = []
        self.usual: Behaviour = whole
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def place(self) -> str:
        return f"{self.server_address[0]}:{self.server_port}"

    @property
    def asked(self) -> list[str | None]:
        """The range that each request asked for."""
        return [headers.get("Range") for _, headers in self.requests]

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


def whole(handler: Handler) -> None:
    """As a good server does it: with conditions and ranges."""
    server, asked = handler.server, handler.headers
    if asked.get("If-None-Match") == server.etag:
        handler.start(304, ETag=server.etag)
        return
    found = re.fullmatch(r"bytes=(\d+)-", asked.get("Range", ""))
    if found and asked.get("If-Range") == server.etag:
        rest, total = server.content[int(found[1]) :], len(server.content)
        place = f"bytes {found[1]}-{total - 1}/{total}"
        handler.start(206, ETag=server.etag, Content_Length=len(rest), Content_Range=place)
        handler.wfile.write(rest)
        return
    handler.start(200, ETag=server.etag, Content_Length=len(server.content), Content_Type="text/html")
    handler.wfile.write(server.content)


def breaking_off(after: int, tag: bool = True) -> Behaviour:
    """Half an answer."""

    def behave(handler: Handler) -> None:
        server = handler.server
        headers = {"ETag": server.etag} if tag else {}
        handler.start(200, Content_Length=len(server.content), **headers)
        handler.wfile.write(server.content[:after])
        handler.close_connection = True

    return behave


def redirect(target: str, status: int = 302) -> Behaviour:
    def behave(handler: Handler) -> None:
        handler.start(status, Location=target, Content_Length=0)

    return behave


def status(code: int) -> Behaviour:
    def behave(handler: Handler) -> None:
        handler.start(code, Content_Length=0)

    return behave
