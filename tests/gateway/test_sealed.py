"""Sessions that are sealed at rest: in clear for those who may read them, and nowhere else."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

import pytest

from dubline.settings import settings
from dubline.storage import seals
from dubline.storage.session_files import PIECE
from dubline.storage.sessions import store
from tests.files import contents_below
from tests.gateway.served import VIDEO, served
from tests.waiting import until

WORD = "quetzalcoatlus"


@pytest.fixture
def key_file(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "keys"
    path.write_text(base64.b64encode(secrets.token_bytes(32)).decode())
    monkeypatch.setenv("DUBLINE_KEY_FILE", str(path))
    settings.cache_clear()
    seals.wrapping_keys.cache_clear()
    return path


def test_a_sealed_session_is_in_clear_for_its_tenant_alone(key_file: Path, home: Path) -> None:
    video = VIDEO + WORD.encode() + os.urandom(PIECE)
    glossary = [{"source": WORD, "target": "pterosaurio"}]
    with served(home) as gateway, gateway.client() as client:
        upload = gateway.upload(client, video, f"{WORD}.mp4")
        body = {"source": {"upload": upload}, "languages": ["es"], "glossary": glossary, "title": "Talk", "track": WORD}
        made = client.post("/v1/sessions", json=body)
        assert made.status_code == 201, made.text
        session = made.json()["id"]
        gateway.finish(session)
        edit = client.patch(f"/v1/sessions/{session}/languages/es/lines/0001", json={"text": f"Hola {WORD}"})
        assert edit.status_code == 202, edit.text
        assert client.get(f"/v1/sessions/{session}/source").content == video
        part = client.get(f"/v1/sessions/{session}/artifacts/talk.es.mp4", headers={"Range": "bytes=4-7"})
        assert (part.status_code, part.content) == (206, b"ftyp")
        assert client.get(f"/v1/sessions/{session}/languages/es/lines").json()["lines"][0]["text"] == "Hola."
        asked = gateway.ask(lambda db: store.asked(db, gateway.stored(session), 1))
        assert WORD not in str(gateway.stored(session).request) and asked["track"] == WORD
        assert WORD in str(asked["glossary"]) and asked["edits"][0]["text"] == f"Hola {WORD}"
        assert WORD not in str(gateway.runs.created), "nor does Prefect learn the file's name"
        wrapped = str(gateway.stored(session).key)
        files = contents_below(home / "sessions")
        assert files and not [name for name, content in files.items() if b"ftyp" in content or b"Hola" in content]
        assert client.delete(f"/v1/sessions/{session}").status_code == 204
        until(lambda: not contents_below(home / "sessions"))
    left = contents_below(home)
    assert not [name for name, content in left.items() if wrapped.encode() in content], "what is deleted is overwritten"


def test_the_query_of_an_address_is_for_the_run_alone(key_file: Path, home: Path) -> None:
    url = "https://example.com/talk.mp4"
    with served(home) as gateway, gateway.client() as client:
        body = {"source": {"url": f"{url}?token={WORD}"}, "languages": ["es"]}
        session = client.post("/v1/sessions", json=body).raise_for_status().json()["id"]
        stored = gateway.stored(session)
        asked = gateway.ask(lambda db: store.asked(db, stored, 0))
    assert asked["video"] == f"{url}?token={WORD}" and stored.source.location == url
    assert not [name for name, content in contents_below(home).items() if WORD.encode() in content]


def test_without_its_key_a_session_is_listed_and_not_read(key_file: Path, home: Path) -> None:
    with served(home) as gateway, gateway.client() as client:
        session = gateway.session(client)["id"]
        gateway.finish(session)
        key_file.write_text(base64.b64encode(secrets.token_bytes(32)).decode())
        seals.wrapping_keys.cache_clear()
        assert client.get("/v1/sessions").json()["sessions"][0]["id"] == session
        refused = client.get(f"/v1/sessions/{session}/artifacts")
        assert (refused.status_code, refused.json()["code"]) == (507, "output-unavailable"), refused.text
        assert client.delete(f"/v1/sessions/{session}").status_code == 204


def test_a_key_file_that_cannot_be_read_refuses_new_uploads(key_file: Path, home: Path) -> None:
    with served(home) as gateway, gateway.client() as client:
        key_file.write_text("no key")
        seals.wrapping_keys.cache_clear()
        refused = client.post("/v1/uploads", headers={"Upload-Length": "10"})
        assert (refused.status_code, refused.json()["code"]) == (507, "output-unavailable")
        key_file.unlink()
        seals.wrapping_keys.cache_clear()
        body = {"source": {"url": "https://example.com/talk.mp4"}, "languages": ["es"]}
        assert client.post("/v1/sessions", json=body).status_code == 507
