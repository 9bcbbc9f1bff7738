"""Requests that mean harm, or no sense: each is refused with a stable code, and leaves nothing behind."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from dubline.gateway import app as gateway_app
from dubline.gateway import service
from dubline.gateway.middleware import LARGEST_BODY
from dubline.settings import settings
from dubline.storage.accounts import Role
from dubline.storage.database import Database
from dubline.storage.tables import metadata
from tests.gateway.served import VIDEO, Served, publish, served

SESSION = "0" * 32


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert answer.json()["status"] == status


def raw(gateway: Served, method: str, target: str, headers: dict[str, str] | None = None) -> tuple[int, Any, bytes]:
    """Sent as it is written: httpx would put the path in order."""
    connection = http.client.HTTPConnection(gateway.url.partition("://")[2], timeout=30)
    with gateway.client(Role.ADMIN) as known:
        shown = {"Authorization": known.headers["authorization"], **(headers or {})}
    connection.putrequest(method, target, skip_accept_encoding=True)
    for name, value in shown.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    found = answer.status, answer.headers, answer.read()
    connection.close()
    return found


def left(gateway: Served) -> tuple[dict[str, int], list[str]]:
    """How many rows each table has, but for the notes of who asked, and all files of sessions."""

    async def counted(database: Database) -> dict[str, int]:
        tables = [table for table in metadata.sorted_tables if table.name != "audit"]
        return {
            table.name: (await database.rows(select(func.count().label("n")).select_from(table)))[0]["n"]
            for table in tables
        }

    return gateway.ask(counted), sorted(map(str, (settings().shared_folder / "sessions").rglob("*")))


BODIES = [
    ('{"source": ', 422), ("[" * 100_000, 400), ('{"a":' * 100_000, 400), ("NaN", 422), ("null", 422), ("[]", 422),
    ('"text"', 422), ('{"source": {"upload": 5}, "languages": "es"}', 422),
    ('{"source": {"url": "https://example.org/v.mp4"}, "languages": ["es"], "loudness": NaN}', 422),
    ('{"source": {"url": "https://example.org/v.mp4"}, "languages": ["es"], "loudness": 1e999}', 422),
    ('{"source": {"url": "https://example.org/v.mp4"}, "languages": ["es"], "keep_days": ' + "9" * 5000 + "}", 400),
    ('{"source": {"url": "https://example.org/v.mp4"}, "languages": ["es"], "title": "a\\u0000b"}', 422),
    ('{"source": {"url": "https://example.org/v.mp4"}, "languages": ["es"], "title": "\\ud800"}', 422),
    ('{"source": {"url": "https://example.org/v.mp4"}, "languages": ["es"], "title": "a\\r\\nSet-Cookie: x=1"}', 422),
    ('{"source": {"url": "https://example.org/\\u0000.mp4"}, "languages": ["es"]}', 422),
    ('{"source": {"url": "file:///etc/passwd"}, "languages": ["es"]}', 422),
    ('{"source": {"url": "https://[::1"}, "languages": ["es"]}', 422),
    ('{"source": {"object": "s3://bucket/../../etc/passwd"}, "languages": ["es"]}', 422),
    ('{"source": {"upload": "../../../../../../etc/passwd"}, "languages": ["es"]}', 404),
    ('{"source": {"upload": "' + SESSION + '"}, "languages": ["es"]}', 404),
    ('{"source": {"url": "https://example.org/v.mp4"}, "languages": ["es"], "webhook": {"url": "gopher://h"}}', 422),
    ('{"source": {"url": "https://example.org/v.mp4"}, "languages": ["xx-not-one"], "profile": "../../etc"}', 422),
    ('{"source": {"url": "https://example.org/v.mp4"}, "languages": [' + '"es",' * 10 + '"es"]}', 422),
    ('{"source": {"url": "https://example.org/v.mp4"}, "languages": ["es"], "a": {}, "\\ud800\\u0000": 1}', 422),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status"), BODIES, ids=[body[:40] + body[-20:] for body, _ in BODIES])
def test_a_body_that_is_none_makes_no_session(shared_gateway: Served, body: str, status: int) -> None:
    with shared_gateway.client() as client:
        before = left(shared_gateway)
        answer = client.post("/v1/sessions", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text
    assert answer.json()["code"] in ("invalid-request", "bad-request", "not-found", "object-not-allowed")
    assert "Set-Cookie" not in answer.text and "passwd" not in answer.text, "what was sent is not quoted"
    assert left(shared_gateway) == before


def test_a_body_that_is_not_utf_8_or_of_another_type(shared_gateway: Served) -> None:
    with shared_gateway.client() as client:
        json_type = {"Content-Type": "application/json"}
        refused(client.post("/v1/sessions", content=b'{"title": "\xff\xfe"}', headers=json_type), 400, "bad-request")
        refused(client.post("/v1/sessions", data={"languages": "es"}), 422, "invalid-request")
        refused(client.post("/v1/sessions", files={"file": VIDEO}), 422, "invalid-request")
        refused(client.post("/v1/sessions"), 422, "invalid-request")


TARGETS = [
    f"/v1/sessions/{SESSION}/artifacts/../../../../etc/passwd", f"/v1/sessions/{SESSION}", "/v1/sessions/..%2f..%2fetc",
    "/v1/sessions/%00", "/v1/sessions/" + "a" * 5000, "/v1/sessions/%ff%fe", "/v1/uploads/%2e%2e", "/v1/keys/..",
    "/v1/no-such-thing", "//etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/v1/sessions/?text=%00", "/v1/sessions?text=%00",
    "/v1/sessions?cursor=%00", "/v1/sessions?cursor=MDAwMS0wMS0wMVQwMDowMDowMCsxNDowMCAw", "/v1/sessions?limit=1e9",
    "/v1/sessions?limit=" + "9" * 4500, "/v1/sessions?state=nonsense", "/v1/audit?before=-1",
    f"/v1/sessions/{SESSION}/languages/es%00/lines", f"/v1/sessions/{SESSION}/events?after=99999999999999999999",
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS, ids=[target[:60] for target in TARGETS])
def test_what_is_not_there_is_not_found(shared_gateway: Served, target: str) -> None:
    status, headers, body = raw(shared_gateway, "GET", target)
    assert status in (404, 405, 422), body
    assert headers["content-type"] == "application/problem+json"
    assert json.loads(body)["code"] in ("not-found", "invalid-request", "invalid-cursor", "method-not-allowed")
    assert b"root:" not in body


TRAVERSALS = [
    "../../source/talk.mp4", "..%2f..%2fsource%2ftalk.mp4", "%2e%2e/%2e%2e/source/talk.mp4", "..%5c..%5csource",
    "%252e%252e%252fsource", "/etc/passwd", "%2fetc%2fpasswd", "talk.es.mp4%00.html", "talk.es.mp4/", "./talk.es.mp4",
    "clips/../talk.es.mp4", "manifest.json%0d%0aSet-Cookie:x=1", "C:%5cWindows", "%ff%fe", "", "a" * 501,
]  # fmt: skip


@pytest.mark.parametrize("path", TRAVERSALS, ids=[path[:30] for path in TRAVERSALS])
def test_an_artifact_is_one_that_was_published_or_none(shared_gateway: Served, path: str) -> None:
    with shared_gateway.client() as client:
        session = _finished(shared_gateway, client)
    status, headers, body = raw(shared_gateway, "GET", f"/v1/sessions/{session}/artifacts/{path}")
    assert (status, json.loads(body)["code"]) in ((404, "not-found"), (422, "invalid-request"))
    assert "set-cookie" not in headers


def _finished(gateway: Served, client: httpx.Client, **files: str) -> str:
    """A session with a dub and further files, by their names with dots as two _."""
    session: str = gateway.session(client)["id"]
    more = {name.replace("__", "."): content for name, content in files.items()}
    gateway.finish(session, publishing=lambda out, languages: publish(out, languages, more))
    return session


def test_what_a_stranger_made_is_never_rendered(shared_gateway: Served) -> None:
    script = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    files = {"evil__svg": script, "evil__html": script, "evil__xhtml": script, "evil__js": script, "evil": script}
    with shared_gateway.client() as client:
        session = _finished(shared_gateway, client, **files, evil__mp4=script)
        for path in (
            "evil.svg",
            "evil.html",
            "evil.xhtml",
            "evil.js",
            "evil",
            "report.html",
            "evil.mp4",
            "manifest.json",
        ):
            answer = client.get(f"/v1/sessions/{session}/artifacts/{path}")
            assert answer.status_code == 200
            shown = answer.headers["content-disposition"].partition(";")[0]
            assert shown == ("inline" if path in ("evil.mp4", "manifest.json") else "attachment"), path
            assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
            assert answer.headers["x-content-type-options"] == "nosniff"


RANGES = [
    ("bytes=0-", 206), ("bytes=0-0", 206), ("bytes=-1", 206), ("bytes=5-99999999999999999999999", 206),
    ("bytes=-99999999999999999999", 206), ("bytes=99999999999999999999-", 416), ("bytes=-0", 416),
    ("bytes=9-5", 200), ("bytes=0-1,3-4", 200), ("bytes=-", 200), ("chars=0-1", 200), ("bytes=a-b", 200),
    ("bytes=" + "0-1," * 1000, 422), ("bytes=\xb2-\xb3", 200),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "status"), RANGES, ids=[wanted[:30] for wanted, _ in RANGES])
def test_a_range_is_answered_as_the_standard_says(shared_gateway: Served, wanted: str, status: int) -> None:
    with shared_gateway.client() as client:
        session = shared_gateway.session(client)["id"]
        answer = client.get(f"/v1/sessions/{session}/source", headers={b"Range": wanted.encode("latin-1")})
    assert answer.status_code == status
    if status == 206:
        span, _, size = answer.headers["content-range"].removeprefix("bytes ").partition("/")
        start, end = map(int, span.split("-"))
        assert int(size) == len(VIDEO) and answer.content == VIDEO[start : end + 1]
    elif status == 200:
        assert answer.content == VIDEO
    elif status == 416:
        assert answer.headers["content-range"] == f"bytes */{len(VIDEO)}"


def test_headers_that_come_twice(shared_gateway: Served) -> None:
    with shared_gateway.client() as client:
        key = client.headers["authorization"]
    twice = [("Authorization", key), ("Authorization", "Bearer x"), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    assert httpx.get(f"{shared_gateway.url}/v1/me", headers=twice, timeout=60).status_code in (200, 401)
    with socket.create_connection(tuple(shared_gateway.url.partition("://")[2].split(":"))) as plain:  # type: ignore[arg-type]
        plain.sendall(b"POST /v1/sign-in HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\n{}")
        assert plain.recv(1000).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("key", ["", " ", "a b", "a\tb", "k" * 201, "\xe9"])
def test_an_idempotency_key_that_is_none(shared_gateway: Served, key: str) -> None:
    with shared_gateway.client() as client:
        before = left(shared_gateway)
        body = {"source": {"url": "https://example.org/v.mp4"}, "languages": ["es"]}
        headers = {b"Idempotency-Key": key.encode("latin-1")}
        try:
            refused(client.post("/v1/sessions", json=body, headers=headers), 422, "invalid-request")
        except httpx.LocalProtocolError:
            return  # the client itself does not send it
        assert left(shared_gateway) == before


def test_the_key_of_a_session_that_was_deleted_makes_no_other(shared_gateway: Served) -> None:
    with shared_gateway.client() as client:
        body = {"source": {"url": "https://example.org/v.mp4"}, "languages": ["es"]}
        made = client.post("/v1/sessions", json=body, headers={"Idempotency-Key": "gone"}).json()["id"]
        assert client.delete(f"/v1/sessions/{made}").status_code == 204
        again = client.post("/v1/sessions", json=body, headers={"Idempotency-Key": "gone"})
        refused(again, 422, "invalid-request")
    with shared_gateway.client(tenant="other") as client:
        assert client.post("/v1/sessions", json=body, headers={"Idempotency-Key": "gone"}).status_code == 201


def test_a_body_without_end_is_refused_while_it_comes(shared_gateway: Served) -> None:
    """What it could send until then is what the gateway takes, and what waits between the two."""
    sent = 0
    with shared_gateway.client() as client:
        key = client.headers["authorization"]
    host, port = shared_gateway.url.partition("://")[2].split(":")
    with socket.create_connection((host, int(port)), timeout=30) as plain:
        plain.sendall(
            f"POST /v1/sessions HTTP/1.1\r\nHost: {host}\r\nAuthorization: {key}\r\n"
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        piece = b"10000\r\n" + b"[" * 0x10000 + b"\r\n"
        plain.settimeout(0.05)
        answer = b""
        while not answer and sent < 50 * LARGEST_BODY:
            try:
                sent += plain.send(piece)
                answer = plain.recv(1000, socket.MSG_DONTWAIT)
            except (BlockingIOError, TimeoutError):
                continue
            except OSError:
                break
    assert LARGEST_BODY < sent < 4 * LARGEST_BODY
    assert not answer or (answer.startswith(b"HTTP/1.1 413 ") and b"body-too-large" in answer)
    with shared_gateway.client() as client:
        refused(client.post("/v1/sessions", content=b" " * (LARGEST_BODY + 1)), 413, "body-too-large")


def test_who_asks_too_much_waits_and_others_do_not(home: Path) -> None:
    with served(home, rate="50/hour") as gateway, gateway.client() as busy, gateway.client(tenant="other") as other:
        answers = [busy.get("/v1/me") for _ in range(300)]
        assert [answer.status_code for answer in answers].count(200) == 50
        refused(answers[-1], 429, "too-many-requests")
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 3600
        assert other.get("/v1/me").status_code == 200


def test_who_tries_credentials_waits_and_those_with_good_ones_do_not(home: Path) -> None:
    with served(home, refused_rate="5/minute") as gateway, gateway.anybody() as guessing, gateway.client() as known:
        codes = []
        for number in range(10):
            guess = f"dub_{'A' * 12}_{number:043d}_00000000"
            codes.append(guessing.get("/v1/me", headers={"Authorization": f"Bearer {guess}"}).json()["code"])
        assert codes == ["unauthenticated"] * 5 + ["too-many-requests"] * 5
        refused(guessing.post("/v1/sign-in", json={"credential": "\u0000"}), 429, "too-many-requests")
        assert known.get("/v1/me").status_code == 200


def test_signing_in_is_counted(home: Path) -> None:
    with served(home, rate="5/minute") as gateway, gateway.anybody() as client:
        shown = {"credential": gateway.key()}
        statuses = [client.post("/v1/sign-in", json=shown).status_code for _ in range(8)]
    assert statuses == [200] * 5 + [429] * 3


def test_a_follower_that_does_not_read_holds_up_nobody(gateway: Served) -> None:
    with gateway.client() as client:
        session, key = gateway.session(client)["id"], client.headers["authorization"]
        host, port = gateway.url.partition("://")[2].split(":")
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect((host, int(port)))
        slow.sendall(f"GET /v1/sessions/{session}/events HTTP/1.1\r\nHost: h\r\nAuthorization: {key}\r\n\r\n".encode())
        telling = threading.Thread(
            target=lambda: [gateway.tell(session, "warning", text="x" * 50_000) for _ in range(60)]
        )
        telling.start()
        seen: list[int] = []
        with client.stream("GET", f"/v1/sessions/{session}/events") as answer:
            for line in answer.iter_lines():
                if line.startswith("id: "):
                    seen.append(int(line[4:]))
                    if len(seen) == 61:
                        break
        telling.join()
        assert seen == list(range(1, 62))
        assert client.get(f"/v1/sessions/{session}").status_code == 200
        slow.close()


def test_other_sites_pages_read_nothing(shared_gateway: Served) -> None:
    with shared_gateway.client() as client:
        asked = client.get("/v1/me", headers={"Origin": "https://evil.example"})
        assert not [name for name in asked.headers if name.startswith("access-control")]
        before = {"Origin": "https://evil.example", "Access-Control-Request-Method": "DELETE"}
        preflight = client.options(f"/v1/sessions/{SESSION}", headers=before)
        refused(preflight, 405, "method-not-allowed")
        assert preflight.headers["allow"] == "DELETE, GET"
        assert not [name for name in preflight.headers if name.startswith("access-control")]


def test_secrets_are_in_no_log_and_in_one_answer(gateway: Served, capfd: pytest.CaptureFixture[str]) -> None:
    hook = "whsec-0123456789abcdef"
    with gateway.client(Role.ADMIN) as client:
        made = client.post("/v1/keys", json={"name": "n"})
        secret = made.json()["secret"]
        session = gateway.session(client, webhook={"url": "https://example.org/", "secret": hook})["id"]
        answers = [
            client.get(path).text
            for path in ("/v1/keys", "/v1/audit", "/v1/me", "/v1/sessions", f"/v1/sessions/{session}", "/v1/limits")
        ]
        with gateway.anybody() as browser:
            signed_in = browser.post("/v1/sign-in", json={"credential": secret})
            cookie = signed_in.cookies["dubline"]
            answers.append(signed_in.text)
        as_key = {"Authorization": f"Bearer {secret}"}
        answers += [client.get(path, headers=as_key).text for path in ("/v1/me", "/v1/nothing", "/v1/keys", "/readyz")]
        answers.append(client.post("/v1/sign-in", json={"credential": secret + "x"}).text)
        answers.append(client.post("/v1/sign-in", json={"credential": [secret]}).text)
    logged = "".join(capfd.readouterr())
    stored = b"".join(path.read_bytes() for path in settings().home.glob("dubline.db*"))
    part = secret.split("_")[2]
    assert made.text.count(part) == 1
    for hidden in (part, cookie, hook):
        assert hidden not in logged and not any(hidden in answer for answer in answers)
    assert part.encode() not in stored and cookie.encode() not in stored


def test_what_nobody_foresaw_is_told_in_the_log_alone(
    gateway: Served, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the inside of it")

    with gateway.client() as client:
        monkeypatch.setattr(service, "read", broken)
        answer = client.get(f"/v1/sessions/{SESSION}")
        refused(answer, 500, "internal-error")
        assert "inside" not in answer.text
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        hidden = client.headers["authorization"].split("_")[2]
    logged = "".join(capfd.readouterr())
    assert "the inside of it" in logged and "in broken" in logged
    assert hidden not in logged


def test_the_page_gives_out_its_own_files_alone(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "studio"
    page.mkdir()
    (page / "index.html").write_text("<title>Dubline</title>")
    (tmp_path / "secret.txt").write_text("secret")
    monkeypatch.setattr(gateway_app, "STUDIO", page)
    with served(home) as gateway:
        assert raw(gateway, "GET", "/")[0] == 200
        for target in ("/../secret.txt", "/%2e%2e/secret.txt", "/..%5csecret.txt", "/%00", "/a%00b", "/" + "a" * 300):
            status, headers, body = raw(gateway, "GET", target)
            assert status == 404 and headers["content-type"] == "application/problem+json", target
            assert b"secret" not in body
        assert raw(gateway, "POST", "/")[0] == 405
        assert raw(gateway, "GET", "/v1/no-such-thing")[0] == 404
