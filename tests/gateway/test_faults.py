"""Sessions on the real stack: two gateways on PostgreSQL, Redis and S3, whatever is killed around them."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import re
import secrets
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from dubline.storage import accounts
from dubline.storage.accounts import Role
from dubline.storage.database import Database
from infra.loopback import inherited
from tests.faults import strikes
from tests.faults.rig import Rig
from tests.files import contents_below
from tests.pipeline.workshop import make_video
from tests.waiting import until
from tests.web_server import WebServer

pytestmark = pytest.mark.stack
CANARY = f"quetzalcoatlus{secrets.token_hex(4)}"
"""A word that nobody else says, not even this file."""
ENDED = ("done", "failed", "cancelled")
TRIES = 10
"""With wrong credentials, from one address."""


class Client:
    """Somebody with a key, who uses whichever gateway answers."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self.database = rig.stack.gateways[0].environment["DUBLINE_DATABASE"]
        self._headers = {"Authorization": f"Bearer {asyncio.run(self._key())}"}

    async def _key(self) -> str:
        async with Database.opened(self.database) as database:
            return (await accounts.make_key(database, "acme", "test", Role.EDITOR))[1]

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = self._headers | more.pop("headers", {})
        for url in self._rig.stack.gateway_urls:
            with suppress(httpx.TransportError):
                return httpx.request(method, f"{url}{path}", headers=headers, timeout=60, **more)
        raise AssertionError("no gateway answers")

    def submit(self, video: Path, content: bytes | None = None) -> str:
        """A session of a video, or of other content under its name."""
        content = content or video.read_bytes()
        name = base64.b64encode(video.name.encode()).decode()
        announced = {"Upload-Length": str(len(content)), "Upload-Metadata": f"filename {name}"}
        place = self.ask("POST", "/v1/uploads", headers=announced).headers["location"]
        piece = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        assert self.ask("PATCH", place, content=content, headers=piece).status_code == 204
        body = {"source": {"upload": place.rsplit("/", 1)[1]}, "languages": ["es"], "source_language": "en"}
        made = self.ask("POST", "/v1/sessions", json=body | {"profile": "fake"})
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    def session(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", f"/v1/sessions/{name}").json()
        return found

    def wait(self, name: str, *states: str) -> dict[str, Any]:
        until(lambda: self.session(name)["state"] in (*states, "failed"))
        found = self.session(name)
        assert found["state"] in states, found
        return found

    def follow(self, url: str, name: str, seen: list[int], until_: Callable[[dict[str, Any]], bool]) -> None:
        """Add the numbers of the events after the last one that was seen, until one is what is waited for."""
        headers = self._headers | {"Last-Event-ID": str(seen[-1] if seen else 0)}
        deadline = time.monotonic() + 300
        with httpx.stream("GET", f"{url}/v1/sessions/{name}/events", headers=headers, timeout=120) as answer:
            for line in answer.iter_lines():
                assert time.monotonic() < deadline, f"what is waited for never came, after {seen}"
                if line.startswith("data: "):
                    event = json.loads(line[6:])
                    seen.append(event["number"])
                    if until_(event):
                        return


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    clip = make_video(tmp_path_factory.mktemp("web") / "talk.mp4", "-f", "lavfi", "-i", "sine=f=455:d=2")
    server = WebServer(clip.read_bytes())
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, web: WebServer) -> Iterator[Rig]:
    """Its sessions are sealed: whatever holds for plain ones has to hold for them, too."""
    root = tmp_path_factory.mktemp("gateway")
    (root / "keys").write_text(base64.b64encode(secrets.token_bytes(32)).decode())
    settings = {
        "DUBLINE_KEY_FILE": str(root / "keys"),
        "DUBLINE_URL_HOSTS": web.place,
        "DUBLINE_URL_HTTP": "1",
        "DUBLINE_GATEWAY_REFUSED_RATE": f"{TRIES}/hour",
    }
    with Rig(root / "rig", workers=1, gateways=2, settings=settings) as found:
        yield found


@pytest.fixture(scope="module")
def client(rig: Rig) -> Client:
    return Client(rig)


def video(rig: Rig, pitch: int) -> Path:
    (rig.root / "videos").mkdir(exist_ok=True)
    return make_video(rig.root / "videos" / f"talk{pitch}.mp4", "-f", "lavfi", "-i", f"sine=f={pitch}:d=2")


def ended(event: dict[str, Any]) -> bool:
    return event["kind"] == "state" and event["data"]["state"] in ENDED


def test_a_gateway_is_killed_in_mid_stream_and_its_client_goes_on_at_the_other(rig: Rig, client: Client) -> None:
    first, second = rig.stack.gateway_urls
    strikes.place(rig.strikes, "mix-es", "before", "hang")
    session = client.submit(video(rig, 410))
    seen: list[int] = []
    client.follow(first, session, seen, lambda event: event["data"].get("name") == "place-es")
    rig.stack.gateways[0].kill()
    try:
        until(lambda: not strikes.left(rig.strikes))
        for process in rig.processes():
            with suppress(Exception):
                process.kill()  # the run hangs
        rig.none_left()
        until(lambda: rig.revive(20, 180) or rig.processes())
        client.follow(second, session, seen, ended)
    finally:
        rig.stack.gateways[0].start()
        rig.stack.gateways[0].wait()
    assert client.session(session)["state"] == "done"
    assert seen == list(range(1, seen[-1] + 1)), "every event once and in order"


def test_a_line_is_edited_and_only_that_is_spoken_again(rig: Rig, client: Client) -> None:
    session = client.submit(video(rig, 420))
    client.wait(session, "done")
    lines = client.ask("GET", f"/v1/sessions/{session}/languages/es/lines").json()["lines"]
    calls = spoken(rig)
    changed = client.ask(
        "PATCH", f"/v1/sessions/{session}/languages/es/lines/{lines[0]['segment']}", json={"text": "Hola a todos"}
    )
    assert changed.status_code == 202, changed.text
    until(lambda: client.session(session)["dubbed"] == 1)
    again = client.ask("GET", f"/v1/sessions/{session}/languages/es/lines").json()
    assert again["revision"] == 1 and again["lines"][0]["text"] == "Hola a todos"
    assert [line["text"] for line in again["lines"][1:]] == [line["text"] for line in lines[1:]]
    assert spoken(rig) == calls + 1
    (path,) = [
        one["path"] for one in client.ask("GET", f"/v1/sessions/{session}/artifacts").json() if one["role"] == "video"
    ]
    part = client.ask("GET", f"/v1/sessions/{session}/artifacts/{path}", headers={"Range": "bytes=4-7"})
    assert part.status_code == 206 and part.content == b"ftyp"


def test_workers_that_translate_nothing_are_not_counted(rig: Rig, client: Client) -> None:
    with rig.worker("service", "service-worker-1"):
        assert client.ask("GET", "/readyz").json()["workers"] == len(rig.stack.workers)


def test_prefect_is_killed_and_the_gateway_says_what_it_cannot_do_and_does_it_later(rig: Rig, client: Client) -> None:
    rig.stack.server.kill()
    try:
        assert client.ask("GET", "/readyz").json() == {"database": True, "prefect": False, "workers": 0}
        session = client.submit(video(rig, 430))
        assert client.session(session)["state"] == "queued"
    finally:
        rig.stack.server.start()
        rig.stack.server.wait()
    client.wait(session, "done")


def test_a_cancelled_session_leaves_no_process_and_goes_on_when_resumed(rig: Rig, client: Client) -> None:
    strikes.place(rig.strikes, "synthesize-es", "before", "hang")
    session = client.submit(video(rig, 440))
    until(lambda: not strikes.left(rig.strikes))
    assert client.ask("POST", f"/v1/sessions/{session}/cancel").json()["state"] == "cancelling"
    client.wait(session, "cancelled")
    rig.none_left()
    assert client.ask("POST", f"/v1/sessions/{session}/resume").status_code == 200
    client.wait(session, "done")


def test_a_worker_is_killed_and_its_session_ends_right(rig: Rig, client: Client) -> None:
    strikes.place(rig.strikes, "translate-es", "before", "hang")
    session = client.submit(video(rig, 450))
    until(lambda: not strikes.left(rig.strikes))
    rig.stack.workers[0].kill()
    rig.stack.workers[0].start()
    rig.stack.workers[0].wait()
    until(lambda: rig.revive(20, 180) or client.session(session)["state"] == "done")


def test_a_session_that_is_resumed_beside_its_frozen_process_ends_right(rig: Rig, client: Client) -> None:
    strikes.place(rig.strikes, "translate-es", "before", "freeze")
    session = client.submit(video(rig, 460))
    until(lambda: not strikes.left(rig.strikes))
    (run,) = [
        run["id"]
        for run in rig.runs("translate-video")
        if run["parameters"]["request"]["session"]["id"] == session and run["state"]["name"] == "Running"
    ]
    rig.set_state(run, "SCHEDULED", "AwaitingRetry")
    until(lambda: rig.revive(60, 180) or client.session(session)["state"] == "done")
    assert rig.stack.workers[0].alive, "its worker has ended the frozen process, not itself"


def test_a_video_behind_an_address_is_dubbed_and_gets_a_further_language(
    rig: Rig, client: Client, web: WebServer
) -> None:
    source = {"url": f"http://{web.place}/talk.mp4?token={CANARY}"}
    body = {"source": source, "languages": ["es"], "source_language": "en", "profile": "fake"}
    made = client.ask("POST", "/v1/sessions", json=body)
    assert made.status_code == 201, made.text
    session = made.json()["id"]
    client.wait(session, "done")
    assert CANARY not in json.dumps(rig.runs("translate-video")), "Prefect has the address without its query"
    heard = rig.ledger.engine_calls()
    assert client.ask("POST", f"/v1/sessions/{session}/languages", json={"language": "fr"}).status_code == 202
    until(lambda: client.session(session)["dubbed"] == 1)
    lines = client.ask("GET", f"/v1/sessions/{session}/languages/fr/lines").json()
    assert lines["revision"] == 1 and lines["lines"]
    new = {call.split()[0] for call in rig.ledger.engine_calls() - heard}
    assert new == {"translation", "speech"}, "nothing of the source is heard again"


def test_what_only_calls_itself_a_video_ends_with_its_reason_and_leaves_nothing(rig: Rig, client: Client) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(50 << 20))
    contents = {
        "zip bomb": bomb.getvalue(),
        "playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        "picture with a script": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    }
    sessions = {name: client.submit(Path("talk.mp4"), content) for name, content in contents.items()}
    for name, session in sessions.items():
        error = client.wait(session, "failed")["error"]
        assert (error["code"], error["retryable"]) == ("invalid-media", False), (name, error)
        assert "talk.mp4" not in error["message"], "sealed, it is called otherwise"
        assert "passwd" not in error["message"] and error["message"].endswith("."), error
        assert client.ask("GET", f"/v1/sessions/{session}/artifacts").status_code == 409
        assert client.ask("DELETE", f"/v1/sessions/{session}").status_code == 204
        until(lambda session=session: not objects(rig, session))
    rig.none_left()
    assert not rig.leftovers()


def test_two_gateways_count_requests_together(rig: Rig, client: Client) -> None:
    wrong = {"Authorization": "Bearer dub_wrong"}
    answers = [
        httpx.get(f"{url}/v1/sessions", headers=wrong, timeout=60).status_code
        for _ in range(TRIES)
        for url in rig.stack.gateway_urls
    ]
    assert answers == [401] * TRIES + [429] * TRIES
    assert client.ask("GET", "/v1/sessions").status_code == 200, "who has a good key goes on"


def test_a_sealed_session_tells_nothing_and_a_deleted_one_is_gone(rig: Rig, client: Client) -> None:
    source = video(rig, 460)
    session = client.submit(source)
    client.wait(session, "done")
    line = client.ask("GET", f"/v1/sessions/{session}/languages/es/lines").json()["lines"][0]
    changed = {"text": f"Hola {CANARY}", "source_text": f"Hello {CANARY}"}
    assert client.ask("PATCH", f"/v1/sessions/{session}/languages/es/lines/{line['segment']}", json=changed).is_success
    until(lambda: client.session(session)["dubbed"] == 1)
    report = client.ask("GET", f"/v1/sessions/{session}/artifacts/report.json").text
    assert CANARY in report and objects(rig, session), "else nothing is proved"
    assert client.ask("GET", f"/v1/sessions/{session}/source").content == source.read_bytes()
    rig.none_left()
    assert not told(rig, client), "sealed, its words are nowhere in clear"
    row = re.compile(f"^{session}\\t.*", re.MULTILINE)
    assert row.search(dumped(client.database))
    assert client.ask("DELETE", f"/v1/sessions/{session}").status_code == 204
    assert client.ask("GET", f"/v1/sessions/{session}").status_code == 404
    until(lambda: not objects(rig, session), left=lambda: objects(rig, session))
    until(lambda: not row.search(dumped(client.database)))
    assert not told(rig, client)


def told(rig: Rig, client: Client) -> list[str]:
    """Where the canary is found: tables, objects, and the files of every process, databases and logs included."""
    bucket = rig.bucket()
    places = {path: bucket.cat_file(path) for path in bucket.find("dubline")}
    places["tables"] = dumped(client.database).encode()
    for folder in (rig.stack.folder, rig.root, *Path(tempfile.gettempdir()).glob("tmp*")):
        places |= contents_below(folder)
    return [name for name, content in places.items() if CANARY.encode() in content]


def spoken(rig: Rig) -> int:
    """How many calls of the speech engine there were."""
    return sum(times for call, times in rig.ledger.engine_calls().items() if call.startswith("speech "))


def dumped(database: str) -> str:
    """All that PostgreSQL has, Prefect's tables included."""
    command = ["pg_dump", "--data-only", database]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=inherited()).stdout


def objects(rig: Rig, name: str) -> list[str]:
    """What the bucket has whose key names it."""
    return [path for path in rig.bucket().find("dubline") if name in path]
