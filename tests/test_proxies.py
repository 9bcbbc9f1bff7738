"""A proxy in the environment: this machine itself is never asked through it, whichever library asks."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dubline import doctor
from dubline.domain.errors import InvalidRequest
from dubline.proxies import is_loopback, shown, spare_loopback
from infra.health import healthy
from tests.pipeline.workshop import ROOT

KNOWN = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
NOWHERE = "http://127.0.0.1:9"

ASKED = """
import json, sys
from dubline.proxies import asking, spare_loopback
spare_loopback()
import httpx, requests
from websockets.proxy import get_proxy
from websockets.uri import parse_uri
*own, other = sys.argv[1:]
with httpx.Client() as client:
    through = client._transport_for_url(httpx.URL(other)) is not client._transport
print(json.dumps({
    "httpx": [httpx.get(url).text for url in own],
    "urllib": [asking(url).open(url).read().decode() for url in own],
    "requests": [requests.get(url).text for url in own],
    "websockets": [get_proxy(parse_uri(url.replace("http", "ws"))) for url in own],
    "other through proxy": through,
}))
"""


class Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"here")

    def log_message(self, *_: object) -> None: ...


@contextmanager
def answering(host: str) -> Iterator[str]:
    """A server at an address of this machine; its URL."""
    kind = type(
        "Server", (ThreadingHTTPServer,), {"address_family": socket.AF_INET6 if ":" in host else socket.AF_INET}
    )
    with kind((host, 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{f'[{host}]' if ':' in host else host}:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in [one for one in os.environ if one.lower() in KNOWN]:
        monkeypatch.delenv(name)
    return monkeypatch


def spared(environment: pytest.MonkeyPatch, **named: str) -> tuple[str | None, str | None]:
    """NO_PROXY and no_proxy as they are then."""
    for name, value in named.items():
        environment.setenv(name, value)
    for name in ("NO_PROXY", "no_proxy"):  # so that they are gone after the test
        if name not in named:
            environment.setenv(name, "")
            environment.delenv(name)
    spare_loopback()
    return os.environ.get("NO_PROXY"), os.environ.get("no_proxy")


@pytest.mark.parametrize(
    "named",
    [
        {"HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE},
        {"http_proxy": NOWHERE, "NO_PROXY": "[fe80::1],intranet,fd00::/8"},
        {"ALL_PROXY": "socks://127.0.0.1:9", "HTTP_PROXY": "127.0.0.1:9", "no_proxy": ""},
    ],
)
def test_every_library_asks_this_machine_itself_and_others_through_the_proxy(named: dict[str, str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name.lower() not in KNOWN}
    with answering("127.0.0.1") as url, answering("::1") as newer:
        command = [sys.executable, "-c", ASKED, url, newer, "http://example.org/"]
        done = subprocess.run(command, env=environment | named, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        **dict.fromkeys(("httpx", "urllib", "requests"), ["here"] * 2),
        "websockets": [None] * 2,
        "other through proxy": True,
    }


def test_what_was_spared_before_still_is(no_proxies: pytest.MonkeyPatch) -> None:
    ours = "127.0.0.1,localhost,::1"
    assert spared(no_proxies, HTTP_PROXY=NOWHERE, NO_PROXY="intranet") == (f"intranet,{ours}",) * 2
    assert spared(no_proxies, no_proxy="a, b", NO_PROXY="c") == (f"c,{ours}", f"a,b,{ours}")
    assert spared(no_proxies, no_proxy="", NO_PROXY="c") == (f"c,{ours}", ours), "libraries read the empty one first"
    assert spared(no_proxies, no_proxy="*", NO_PROXY="*") == ("*", "*")


def test_the_address_of_a_server_on_this_machine_is_spared_too(no_proxies: pytest.MonkeyPatch) -> None:
    no_proxies.setenv("PREFECT_API_URL", "http://127.0.0.2:4200/api")
    assert spared(no_proxies, ALL_PROXY=NOWHERE)[1] == "127.0.0.1,localhost,::1,127.0.0.2"


def test_nothing_is_set_where_no_proxy_is_named(no_proxies: pytest.MonkeyPatch) -> None:
    assert spared(no_proxies, HTTP_PROXY="") == (None, None)


def test_a_proxy_that_no_library_knows_is_told(no_proxies: pytest.MonkeyPatch) -> None:
    no_proxies.setenv("all_proxy", "socks4://me:secret@host:1")
    with pytest.raises(InvalidRequest, match=r"all_proxy .* \(socks4://host:1\)") as told:
        spare_loopback()
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("http://127.0.0.1:4200/api", True),
        ("https://[::1]/", True),
        ("http://127.8.8.8", True),
        ("http://localhost:1", True),
        ("http://a.localhost/", True),
        ("http://notlocalhost/", False),
        ("http://10.0.0.1/", False),
        ("http://[::1", False),
        (None, False),
    ],
)
def test_what_is_this_machine(address: str | None, here: bool) -> None:
    assert is_loopback(address) is here


def test_the_doctor_tells_of_the_proxy_without_its_password(no_proxies: pytest.MonkeyPatch) -> None:
    assert doctor._proxy() == []
    spared(no_proxies, HTTP_PROXY="http://me:secret@proxy:3128")
    (found,) = doctor._proxy()
    assert found.ok and found.detail == "HTTP_PROXY=http://proxy:3128; not for 127.0.0.1,localhost,::1"
    assert shown("me:secret@proxy") == "proxy"


def test_a_container_s_health_check_asks_its_own_process(no_proxies: pytest.MonkeyPatch) -> None:
    no_proxies.setenv("HTTP_PROXY", NOWHERE)
    with answering("127.0.0.1") as url:
        assert healthy(url)


def test_an_s3_server_on_this_machine_is_asked_itself(no_proxies: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from dubline.storage.s3 import filesystem

    assert filesystem("http://[::1]:9000").config_kwargs["proxies"] == {}
    assert "proxies" not in filesystem("https://s3.example.org").config_kwargs
