"""Progress: every event once, in order, by whichever gateway and however often a client is cut off."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from dubline.gateway.app import create_app
from dubline.gateway.settings import GatewaySettings
from tests.gateway.served import Served, served, serving


def events(
    client: httpx.Client, session: str, after: int | None = None, until: int = 10
) -> list[tuple[int, str, dict]]:
    """What the stream tells, up to the event with that number."""
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    found: list[tuple[int, str, dict]] = []
    with client.stream("GET", f"/v1/sessions/{session}/events", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        fields: dict[str, str] = {}
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if line:
                fields[name] = value
            elif "id" in fields:
                found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])["data"]))
                fields = {}
                if found[-1][0] >= until:
                    return found
    return found


def test_a_stream_tells_what_was_and_what_comes(gateway: Served) -> None:
    with gateway.client() as client:
        session = gateway.session(client)["id"]
        later = threading.Thread(target=lambda: [gateway.tell(session, fraction=n / 10) for n in range(9)])
        later.start()
        found = events(client, session)
        later.join()
    assert [number for number, _, _ in found] == list(range(1, 11))
    assert found[0][1:] == ("state", {"state": "queued"})
    assert [data["fraction"] for _, kind, data in found if kind == "progress"] == [n / 10 for n in range(9)]


def test_a_client_that_comes_back_goes_on_where_it_was(gateway: Served) -> None:
    with gateway.client() as client:
        session = gateway.session(client)["id"]
        for number in range(9):
            gateway.tell(session, fraction=number / 10)
        first = events(client, session, until=4)
        rest = events(client, session, after=first[-1][0])
    assert [number for number, _, _ in first + rest] == list(range(1, 11))


def test_a_websocket_tells_the_same(gateway: Served) -> None:
    with gateway.client() as client:
        session = gateway.session(client)["id"]
        for number in range(9):
            gateway.tell(session, fraction=number / 10)
        header = {"Authorization": client.headers["authorization"]}
        url = f"{gateway.url.replace('http', 'ws')}/v1/sessions/{session}/ws?after=3"
        with connect(url, additional_headers=header) as socket:
            found = [json.loads(socket.recv(timeout=30))["number"] for _ in range(7)]
    assert found == list(range(4, 11))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    from dubline.settings import settings
    from tests.databases import empty

    url = f"sqlite:///{home / 'shared.db'}"
    if request.param == "postgresql":
        url = empty(request.getfixturevalue("postgresql"))
    monkeypatch.setenv("DUBLINE_DATABASE", url)
    settings.cache_clear()
    yield url


def test_of_two_gateways_one_ends_and_its_clients_go_on_at_the_other(home: Path, database: str) -> None:
    with served(home, database) as first:
        with first.client() as client:
            session = first.session(client)["id"]
            key = client.headers["authorization"]
        with serving(create_app(GatewaySettings(), first.runs)) as second:
            with first.client() as client:
                before = events(client, session, until=1)
                for number in range(4):
                    first.tell(session, fraction=number / 10)
                before += events(client, session, after=1, until=3)
            first_url = first.url
            other = httpx.Client(base_url=second, headers={"Authorization": key}, timeout=30)
            assert first_url != second
            for number in range(5):
                first.tell(session, fraction=0.5 + number / 10)
            after = events(other, session, after=before[-1][0])
            assert other.get(f"/v1/sessions/{session}").json()["id"] == session
    assert [number for number, _, _ in before + after] == list(range(1, 11))
