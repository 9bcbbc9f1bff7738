"""Whoever asked to be told of a session's end is told, signed, until they have heard."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.gateway.served import Served, served
from tests.waiting import until

SECRET = "a secret of the caller's own"


@contextmanager
def listening(answers: list[int]) -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """Its address, and what it was sent; it answers with these statuses, the last one for good."""
    heard: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(answers.pop(0) if len(answers) > 1 else answers[0])
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}", heard
    finally:
        server.shutdown()


def test_the_end_of_a_session_is_told_until_it_is_heard(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening([500, 204]) as (place, heard):
        monkeypatch.setenv("DUBLINE_URL_HOSTS", place)
        with served(home) as gateway, gateway.client() as client:
            hook = {"url": f"http://{place}/told", "secret": SECRET}
            session = gateway.session(client, webhook=hook)["id"]
            gateway.finish(session)
            until(lambda: len(heard) == 2)
            time.sleep(2)
            assert len(heard) == 2, "what was heard is not said again"
    (first, body), (again, same) = heard
    assert body == same and first["webhook-id"] == again["webhook-id"]
    said = json.loads(body)
    assert said["type"] == "session.done" and said["data"]["session"] == session
    signed = f"{first['webhook-id']}.{first['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert first["webhook-signature"] == f"v1,{expected}"


def test_two_gateways_call_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dubline.gateway.app import create_app
    from dubline.gateway.settings import GatewaySettings
    from tests.gateway.served import serving

    with listening([200]) as (place, heard):
        monkeypatch.setenv("DUBLINE_URL_HOSTS", place)
        with served(home) as gateway, serving(create_app(GatewaySettings(), gateway.runs)), gateway.client() as client:
            for _ in range(3):
                gateway.finish(gateway.session(client, webhook={"url": f"http://{place}/", "secret": SECRET})["id"])
            until(lambda: len(heard) >= 3)
            time.sleep(2)
    assert len(heard) == len({headers["webhook-id"] for headers, _ in heard}) == 3


def test_a_private_address_is_not_called(gateway: Served) -> None:
    with gateway.client() as client:
        body = {"source": {"upload": gateway.upload(client)}, "languages": ["es"]}
        hook = {"url": "https://169.254.169.254/latest", "secret": SECRET}
        refused = client.post("/v1/sessions", json=body | {"webhook": hook})
        assert refused.status_code == 422 and "public" in refused.json()["detail"]
