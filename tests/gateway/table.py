"""The gateway's real table of routes, and how to call any of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute, iter_route_contexts
from starlette.routing import BaseRoute
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from dubline.gateway.access import Permission, rule

BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/v1/sessions"): {"source": {"upload": "{upload}"}, "languages": ["es"]},
    ("PATCH", "/v1/sessions/{session}/languages/{language}/lines/{segment}"): {"text": "Hola a todos."},
    ("PUT", "/v1/sessions/{session}/languages/{language}/speakers/{speaker}"): {"voice": "em_alex"},
    ("POST", "/v1/sessions/{session}/languages"): {"language": "fr"},
    ("POST", "/v1/keys"): {"name": "another"},
}
"""What a route with a body is sent."""
HEADERS = {
    ("POST", "/v1/uploads"): {"Upload-Length": "10"},
    ("PATCH", "/v1/uploads/{upload}"): {"Upload-Offset": "3", "Content-Type": "application/offset+octet-stream"},
}


@dataclass(frozen=True)
class Leaf:
    """A route that answers requests of one method; `WS` for a WebSocket, `ANY` for a mount."""

    method: str
    path: str
    asks: Permission | None
    """None where it is public."""
    body: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def leaves(app: FastAPI) -> list[Leaf]:
    """Raises LookupError for a route that names no rule."""
    return [leaf for found in iter_route_contexts(app.routes) for leaf in _leaves(found)]


def _leaves(found: Any) -> list[Leaf]:
    original: BaseRoute = found.original_route
    if not isinstance(original, APIRoute | APIWebSocketRoute):  # of starlette: there is no place for a rule
        return [Leaf(method, found.path, None) for method in sorted(getattr(found, "methods", None) or {"ANY"})]
    allowed = rule(found.dependant)
    asks = allowed.permission if allowed else None
    if isinstance(original, APIWebSocketRoute):
        return [Leaf("WS", found.path, asks)]
    return [Leaf(method, found.path, asks, found.body_field is not None) for method in sorted(found.methods)]


def ask(url: str, leaf: Leaf, ids: Mapping[str, str], headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Status and text of the answer; of a stream that begins, and of a WebSocket that opens, the status alone."""
    path = leaf.path.replace("{path:path}", "{path}").format_map(ids)
    if leaf.method == "WS":
        return _handshake(url.replace("http", "ws", 1) + path, dict(headers or {}))
    key = (leaf.method, leaf.path)
    sent: dict[str, Any] = {"headers": {**HEADERS.get(key, {}), **(headers or {})}}
    if leaf.body:
        sent["json"] = _filled(BODIES[key], ids)
    elif leaf.method == "PATCH":
        sent["content"] = b"bytes"
    with httpx.stream(leaf.method, url + path, timeout=30, **sent) as answer:
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            return answer.status_code, ""
        return answer.status_code, answer.read().decode("utf-8", "replace")


def _handshake(url: str, headers: dict[str, str]) -> tuple[int, str]:
    try:
        with connect(url, additional_headers=headers, origin=headers.pop("Origin", None)):  # type: ignore[arg-type]
            return 101, ""
    except InvalidStatus as refused:
        return refused.response.status_code, (refused.response.body or b"").decode()


def _filled(value: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(one, ids) for name, one in value.items()}
    return value.format_map(ids) if isinstance(value, str) else value
