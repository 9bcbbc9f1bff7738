"""Uploads that lie, stop, come twice or have names that mean harm."""

from __future__ import annotations

import base64
import socket
import threading
import time
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from dubline.settings import settings
from dubline.storage.database import now
from dubline.storage.session_files import LONGEST_NAME, PIECE
from dubline.storage.tables import uploads
from tests.files import files_below
from tests.gateway.served import VIDEO, Served
from tests.gateway.test_hostile import left, refused
from tests.waiting import until

BYTES = {"Content-Type": "application/offset+octet-stream"}


def begin(client: httpx.Client, length: int, name: str = "talk.mp4") -> str:
    metadata = f"filename {base64.b64encode(name.encode()).decode()}".strip()
    made = client.post("/v1/uploads", headers={"Upload-Length": str(length), "Upload-Metadata": metadata})
    assert made.status_code == 201, made.text
    return str(made.headers["location"])


def send(client: httpx.Client, place: str, content: bytes, offset: int = 0) -> httpx.Response:
    return client.patch(place, content=content, headers={**BYTES, "Upload-Offset": str(offset)})


def arrived(client: httpx.Client, place: str) -> int:
    return int(client.head(place).headers["upload-offset"])


def kept(place: str) -> list[Path]:
    return [path for path in files_below(settings().home / "sessions") if place.rsplit("/", 1)[1] in str(path)]


def test_more_announced_than_sent_is_no_source_and_goes_in_time(gateway: Served) -> None:
    with gateway.client() as client:
        place = begin(client, 10_000_000_000)
        assert send(client, place, b"ten bytes!").status_code == 204
        body = {"source": {"upload": place.rsplit("/", 1)[1]}, "languages": ["es"]}
        refused(client.post("/v1/sessions", json=body), 409, "upload-incomplete")
        assert sum(path.stat().st_size for path in kept(place)) == 10
        gateway.ask(lambda db: db.change(update(uploads).values(expires=now() - timedelta(seconds=1))))
        until(lambda: client.head(place).status_code == 404 and not kept(place))


def test_more_sent_than_announced_is_refused_and_the_rest_may_still_come(shared_gateway: Served) -> None:
    with shared_gateway.client() as client:
        place = begin(client, len(VIDEO))
        refused(send(client, place, VIDEO + b"x"), 413, "more-than-announced")
        assert arrived(client, place) == 0
        assert send(client, place, VIDEO[:100]).status_code == 204
        refused(send(client, place, VIDEO[100:] + b"x", 100), 413, "more-than-announced")
        assert send(client, place, VIDEO[100:], 100).status_code == 204
        refused(send(client, place, b"x", len(VIDEO)), 413, "more-than-announced")
        assert _content(client, place) == VIDEO


@pytest.mark.parametrize("size", [1000, PIECE + 1000])
def test_a_client_that_vanishes_goes_on_where_it_was(shared_gateway: Served, size: int) -> None:
    content = bytes(range(251)) * (2 * size // 251)
    with shared_gateway.client() as client:
        place = begin(client, len(content))
        host, port = shared_gateway.url.partition("://")[2].split(":")
        for pause in (0.2, 1, 5, 25):
            if arrived(client, place):
                break  # who vanishes before the gateway has begun to listen brings nothing
            with socket.create_connection((host, int(port))) as plain:
                plain.sendall(
                    f"PATCH {place} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {client.headers['authorization']}\r\n"
                    f"Content-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\n"
                    f"Content-Length: {len(content)}\r\n\r\n".encode()
                    + content[:size]
                )
                time.sleep(pause)
        at = arrived(client, place)
        assert 0 < at <= size
        answer = send(client, place, content[at:], at)
        while answer.status_code == 409:  # what the lost connection brought was still being noted
            at = arrived(client, place)
            answer = send(client, place, content[at:], at)
        assert answer.status_code == 204
        assert _content(client, place) == content


def test_of_two_that_send_the_same_piece_one_goes_on(shared_gateway: Served) -> None:
    content = bytes(range(256)) * 20_000
    with shared_gateway.client() as client:
        place = begin(client, len(content) + 1)
        together = threading.Barrier(4)
        statuses: list[int] = []

        def sending() -> None:
            with shared_gateway.client() as own:
                together.wait()
                statuses.append(send(own, place, content).status_code)

        threads = [threading.Thread(target=sending) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [204, 409, 409, 409]
        assert arrived(client, place) == len(content)
        assert send(client, place, b"!", len(content)).status_code == 204
        assert _content(client, place) == content + b"!"


@pytest.mark.parametrize("offset", ["-1", "abc", "1e3", "99999999999999999999", "", "5"])
def test_an_offset_that_is_none(shared_gateway: Served, offset: str) -> None:
    with shared_gateway.client() as client:
        place = begin(client, 100)
        answer = client.patch(place, content=b"abc", headers={**BYTES, "Upload-Offset": offset})
        refused(answer, *((409, "wrong-offset") if offset == "5" else (422, "invalid-request")))
        assert arrived(client, place) == 0


@pytest.mark.parametrize("length", ["0", "-1", "abc", "1e3", "99999999999999999999999999", "9" * 5000, ""])
def test_a_length_that_is_none(shared_gateway: Served, length: str) -> None:
    with shared_gateway.client() as client:
        before = left(shared_gateway)
        refused(client.post("/v1/uploads", headers={"Upload-Length": length}), 422, "invalid-request")
        refused(client.post("/v1/uploads"), 422, "invalid-request")
        assert left(shared_gateway) == before


def test_a_length_beyond_the_limit(shared_gateway: Served) -> None:
    with shared_gateway.client() as client:
        before = left(shared_gateway)
        refused(client.post("/v1/uploads", headers={"Upload-Length": str(2**49)}), 413, "upload-too-large")
        assert left(shared_gateway) == before


@pytest.mark.parametrize("kind", ["", "application/json", "application/offset+octet-stream; x=y", "text/html"])
def test_bytes_of_another_type(shared_gateway: Served, kind: str) -> None:
    with shared_gateway.client() as client:
        place = begin(client, 100)
        refused(
            client.patch(place, content=b"a", headers={"Upload-Offset": "0", "Content-Type": kind}), 415, "wrong-type"
        )


NAMES = [
    "../../../../etc/passwd", "..\\..\\windows\\system32", "/etc/cron.d/job", "C:\\a.mp4", "a\r\nSet-Cookie: x=1.mp4",
    'a"; filename="evil.html', "a\x00.mp4", "..", ".", "", " ", ".htaccess", "-rf.mp4", "%2e%2e%2fa.mp4", "con.mp4",
    "\u202egpm.exe", "話" * 400 + ".mp4", "a" * 1000 + "." + "b" * 200, "\U0001f600", "a/" * 200 + "b.mp4", "$(id).mp4",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=[ascii(name)[:24] for name in NAMES])
def test_a_name_is_only_a_name(shared_gateway: Served, name: str) -> None:
    with shared_gateway.client() as client:
        place = begin(client, len(VIDEO), name)
        assert send(client, place, VIDEO).status_code == 204
        (file,) = [path for path in kept(place) if path.is_file()]
        assert file.parent == settings().home / "sessions" / "acme" / place.rsplit("/", 1)[1] / "source"
        assert len(file.name.encode()) <= LONGEST_NAME and file.name.isprintable() and file.name[0] not in ". "
        session = _session(client, place)
        answer = client.get(f"/v1/sessions/{session}/source")
        assert answer.content == VIDEO and "set-cookie" not in answer.headers
        assert answer.headers["content-disposition"].isascii()
        assert '"' not in answer.headers["content-disposition"]


RUBBISH = ["filename", "filename !!!", "filename /w==", "filename YQ==,filename", "=", ",,,", "filename " + "A" * 3000]


@pytest.mark.parametrize("metadata", RUBBISH, ids=[one[:20] for one in RUBBISH])
def test_metadata_that_is_rubbish_is_refused_or_ignored(shared_gateway: Served, metadata: str) -> None:
    with shared_gateway.client() as client:
        before = left(shared_gateway)
        answer = client.post("/v1/uploads", headers={"Upload-Length": "10", "Upload-Metadata": metadata})
        if answer.status_code != 201:
            assert answer.json()["code"] in ("invalid-metadata", "invalid-request")
            assert left(shared_gateway) == before


def test_an_upload_that_is_given_up_leaves_nothing(shared_gateway: Served) -> None:
    with shared_gateway.client() as client:
        before = left(shared_gateway)
        place = begin(client, 100)
        assert send(client, place, b"abc").status_code == 204
        assert client.delete(place).status_code == 204
        refused(send(client, place, b"def", 3), 404, "not-found")
        assert left(shared_gateway)[0] == before[0] and not kept(place)


def _session(client: httpx.Client, place: str) -> str:
    body = {"source": {"upload": place.rsplit("/", 1)[1]}, "languages": ["es"]}
    made = client.post("/v1/sessions", json=body)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def _content(client: httpx.Client, place: str) -> bytes:
    return client.get(f"/v1/sessions/{_session(client, place)}/source").content
