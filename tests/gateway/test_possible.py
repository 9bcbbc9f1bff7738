"""What a run would refuse is refused when it is asked for, and a session that has a dub keeps it whatever fails."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from dubline.domain import errors
from dubline.storage import offers
from dubline.storage.accounts import Role
from dubline.storage.offers import Offer
from dubline.storage.sessions import failing
from dubline.storage.sessions.model import Failure, State
from dubline.storage.sessions.store import OnlyIf
from tests.gateway import talk
from tests.gateway.served import Served
from tests.waiting import until

LINES = "/v1/sessions/{session}/languages/es/lines"


def state(client: httpx.Client, session: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/v1/sessions/{session}").json()
    return found


def break_run(gateway: Served, session: str, error: errors.DublineError) -> None:
    """As a run does that fails."""
    found = gateway.begin(session)
    mine = OnlyIf((State.RUNNING,), run=found.run)
    now = gateway.stored(session)
    assert gateway.ask(lambda db: failing.failed(db, now, mine, Failure.of(error)))
    gateway.runs.set(str(found.run), "FAILED", f"Flow run encountered an exception: {type(error).__name__}: {error}")


IMPOSSIBLE: list[tuple[dict[str, Any], str, str]] = [
    ({"voice": "nobody"}, "body.voice", "em_alex"),
    ({"voice": "af_nowhere", "text": "Hola."}, "body.voice", "em_alex"),
    ({"voice": ""}, "body.voice", "empty"),
    ({"text": ""}, "body.text", "empty"),
    ({"text": "…!"}, "body.text", "letter"),
    ({"text": "a" * 1001}, "body.text", "1000"),
    ({"text": "a\nb"}, "body.text", "line breaks"),
    ({"source_text": " "}, "body.source_text", "empty"),
    ({"start_ms": 600, "end_ms": 31_000}, "body.start_ms", "the video ends at 30000 ms"),
    ({"start_ms": 400, "end_ms": 2600}, "body.start_ms", "'0002'"),
    ({"start_ms": 12_000, "end_ms": 12_500}, "body.start_ms", "keep their order"),
    ({"start_ms": 900, "end_ms": 900}, "body", "not after"),
    ({"start_ms": 900}, "body", "together"),
    ({}, "body", "nothing is edited"),
]


@pytest.mark.parametrize(("body", "at", "said"), IMPOSSIBLE)
def test_an_edit_that_cannot_be_is_refused_and_not_stored(
    gateway: Served, body: dict[str, Any], at: str, said: str
) -> None:
    with gateway.client() as client:
        session = talk.made(gateway, client)
        answer = client.patch(f"{LINES.format(session=session)}/0001", json=body)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (422, "invalid-request"), problem
        assert problem["fields"][0]["at"] == at and said in problem["detail"], problem
        assert problem["detail"].endswith(".") and "Value error" not in problem["detail"]
        found = state(client, session)
        assert (found["state"], found["revision"], found["dubbed"]) == ("done", 0, 0)


def test_speakers_and_sessions_have_voices_that_there_are(gateway: Served) -> None:
    with gateway.client() as client:
        session = talk.made(gateway, client)
        speakers = f"/v1/sessions/{session}/languages/es/speakers"
        wrong = client.put(f"{speakers}/S1", json={"voice": "nobody"})
        assert wrong.status_code == 422 and "em_santa" in wrong.json()["fields"][0]["problem"]
        assert client.put(f"{speakers}/S9", json={"voice": "em_alex"}).json()["code"] == "not-found"
        assert client.put(f"{speakers}/S1", json={"voice": "em_santa"}).status_code == 202
        source = {"upload": gateway.upload(client)}
        for voice in ({"voice": "nobody"}, {"voice": "nobody", "language": "es"}):
            asked = {"source": source, "languages": ["es"], "voices": [{"speaker": "S1", "voice": "em_alex"}]}
            asked["voices"].append({"speaker": "S2", **voice})  # type: ignore[attr-defined]
            refused = client.post("/v1/sessions", json=asked).json()
            assert (refused["code"], refused["fields"][0]["at"]) == ("invalid-request", "body.voices.1.voice"), refused
        assert len(gateway.runs.created) == 2, "of the first session, and of its speaker's other voice"


def test_times_are_judged_with_the_changes_that_wait(gateway: Served) -> None:
    with gateway.client() as client:
        session = talk.made(gateway, client)
        lines = LINES.format(session=session)
        shorter, earlier = {"start_ms": 400, "end_ms": 1000}, {"start_ms": 1200, "end_ms": 4200}
        assert client.patch(f"{lines}/0002", json=earlier).status_code == 422
        assert client.patch(f"{lines}/0001", json=shorter).status_code == 202
        assert client.patch(f"{lines}/0002", json=earlier).status_code == 202, "there is room now"
        refused = client.delete(f"{lines}/0001")
        assert refused.status_code == 422 and "'0002'" in refused.json()["detail"], "what is taken back needs room, too"
        talk.finish(gateway, session)
        assert client.delete(f"{lines}/0001").status_code == 422, "nor when the dub is there"
        assert client.delete(f"{lines}/0002").status_code == 202
        assert client.delete(f"{lines}/0001").status_code == 202


PAIRS = [
    ({"languages": ["hi"]}, "Hindi"),
    ({"languages": ["hi"], "source_language": "en"}, "Hindi"),
    ({"languages": ["es"], "source_language": "hi"}, "Hindi"),
    ({"languages": ["es"], "source_language": "es"}, "already"),
    ({"languages": ["es", "de"]}, "German"),
    ({"languages": ["ja"], "profile": "offline-whisperx"}, "Japanese"),
]


@pytest.mark.parametrize(("asked", "said"), PAIRS)
def test_what_no_translator_can_do_is_refused(gateway: Served, asked: dict[str, Any], said: str) -> None:
    with gateway.client() as client:
        answer = client.post("/v1/sessions", json={"source": {"upload": gateway.upload(client)}, **asked})
        assert (answer.status_code, answer.json()["code"]) == (422, "unsupported-language"), answer.text
        assert said in answer.json()["detail"] and "choose" in answer.json()["detail"]
        assert not gateway.runs.created


def test_a_further_language_is_one_that_is_reached_from_the_source(gateway: Served) -> None:
    with gateway.client() as client:
        session = talk.made(gateway, client)
        for code in ("hi", "en", "ja"):
            answer = client.post(f"/v1/sessions/{session}/languages", json={"language": code})
            assert answer.json()["code"] == "unsupported-language", (code, answer.text)
        assert state(client, session)["languages"] == ["es"]


def test_profiles_are_offered_as_the_machines_have_them(gateway: Served) -> None:
    with gateway.client() as client:
        shipped = {one["name"]: one for one in client.get("/v1/profiles").json()}
        assert all(code not in targets for one in shipped.values() for code, targets in one["pairs"].items())
        assert not [one for one in shipped["offline"]["pairs"].values() if "hi" in one], "nothing translates into Hindi"
        has = Offer.model_validate({"profile": shipped["offline"]})
        less = has.profile.model_copy(update={"pairs": {"en": ["es"]}})
        lacks = Offer.model_validate({"profile": shipped["standard"], "missing": ["nllb-200-600m"]})
        gateway.ask(lambda db: offers.tell(db, "one", [has, lacks]))
        assert [one["name"] for one in client.get("/v1/profiles").json()] == ["offline"]
        gateway.ask(lambda db: offers.tell(db, "other", [has.model_copy(update={"profile": less}), lacks]))
        (offered,) = client.get("/v1/profiles").json()
        assert offered["pairs"] == {"en": ["es"]}, "a run may come to either machine"
        body = {"source": {"upload": gateway.upload(client)}, "languages": ["es"]}
        refused = client.post("/v1/sessions", json=body | {"profile": "standard"}).json()
        assert refused["code"] == "profile-not-available" and "nllb-200-600m" in refused["detail"]
        assert "dubline models pull --profile standard" in refused["detail"]
        unknown = client.post("/v1/sessions", json=body | {"profile": "nonsense"}).json()
        assert unknown["code"] == "invalid-request" and "use one of: offline" in unknown["detail"]
        gateway.runs.blocks.add("ours")
        assert client.post("/v1/sessions", json=body | {"profile": "ours"}).status_code == 201


def test_edits_that_ask_nothing_of_a_profile_are_taken_while_it_is_not_offered(gateway: Served) -> None:
    with gateway.client() as client:
        session = talk.made(gateway, client)
        lines = LINES.format(session=session)
        shipped = next(one for one in client.get("/v1/profiles").json() if one["name"] == "offline")
        lacks = Offer.model_validate({"profile": shipped, "missing": ["whisper-base"]})
        gateway.ask(lambda db: offers.tell(db, "one", [lacks]))
        for body in ({"text": "Hola."}, {"source_text": "Hello."}, {"start_ms": 400, "end_ms": 2000}):
            assert client.patch(f"{lines}/0001", json=body).status_code == 202, body
        assert client.delete(f"{lines}/0001").status_code == 202
        voice = {"voice": "em_alex"}
        speaker = f"/v1/sessions/{session}/languages/es/speakers/S1"
        for answer in (
            client.patch(f"{lines}/0001", json=voice),
            client.put(speaker, json=voice),
            client.post(f"/v1/sessions/{session}/languages", json={"language": "fr"}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (422, "profile-not-available"), answer.text


def test_an_edit_that_fails_leaves_the_dub_and_is_taken_back(gateway: Served) -> None:
    with gateway.client() as client:
        session = talk.made(gateway, client)
        lines = LINES.format(session=session)
        assert client.post(f"/v1/sessions/{session}/take-back").json()["code"] == "nothing-to-take-back"
        assert client.patch(f"{lines}/0001", json={"text": "Hola."}).status_code == 202
        assert client.post(f"/v1/sessions/{session}/languages", json={"language": "fr"}).status_code == 202
        gateway.runs.set(str(gateway.stored(session).run), "CANCELLED")
        until(lambda: state(client, session)["state"] == "cancelled")
        client.post(f"/v1/sessions/{session}/resume")
        break_run(gateway, session, errors.EngineFailed("Kokoro made only silence of 'Hola.' below /srv/x."))
        found = state(client, session)
        assert (found["state"], found["dubbed"], found["revision"]) == ("done", 0, 2)
        failed = {"code": "engine-failed", "retryable": False}
        assert found["error"] == failed | {
            "message": "Kokoro made only silence of 'Hola.' below a place on the server."
        }
        assert client.get(lines).json()["lines"][0]["text"] == "Buenas noches y bienvenidos."
        back = client.post(f"/v1/sessions/{session}/take-back")
        assert (back.status_code, back.json()["state"], back.json()["error"]) == (200, "done", None)
        assert back.json()["languages"] == ["es"]
        again = client.patch(f"{lines}/0002", json={"text": "Otra cosa."}).json()
        assert (again["revision"], again["state"]) == (3, "queued")
        talk.finish(gateway, session)
        served = client.get(lines).json()
        assert served["revision"] == 3 and served["lines"][0]["text"] == "Buenas noches y bienvenidos."
        assert served["lines"][1]["text"] == "Otra cosa."


def test_what_was_changed_while_a_run_failed_is_tried(gateway: Served) -> None:
    with gateway.client() as client:
        session = talk.made(gateway, client)
        lines = LINES.format(session=session)
        client.patch(f"{lines}/0001", json={"text": "Hola."})
        found = gateway.begin(session)
        client.patch(f"{lines}/0001", json={"text": "Mejor."})
        gateway.runs.set(str(found.run), "FAILED", "Flow run encountered an exception: GateFailed: It is wrong.")
        until(lambda: state(client, session)["state"] == "queued" and gateway.stored(session).run != found.run)
        break_run(gateway, session, errors.EngineUnavailable("It was lost."))
        assert state(client, session)["error"]["retryable"] is True
        assert client.post(f"/v1/sessions/{session}/resume").json()["state"] == "queued"


WHY = [
    (
        "Flow run encountered an exception: InvalidRequest: There is no profile 'x'; use /srv/p.",
        "invalid-request",
        False,
    ),
    (
        "Flow run encountered an exception: dubline.domain.errors.StoreUnavailable: It is away.",
        "store-unavailable",
        True,
    ),
    ("Flow run encountered an exception: KeyError: '/srv/secret'", "internal-error", True),
    ("It crashed three times on vault.", "run-failed", True),
]


@pytest.mark.parametrize(("message", "code", "retryable"), WHY)
def test_a_run_that_could_not_tell_its_session_is_told_alike(
    gateway: Served, message: str, code: str, retryable: bool
) -> None:
    with gateway.client() as client:
        made = gateway.session(client)
        gateway.runs.set(str(gateway.begin(made["id"]).run), "FAILED", message)
        until(lambda: state(client, made["id"])["state"] == "failed")
        error = state(client, made["id"])["error"]
        assert (error["code"], error["retryable"]) == (code, retryable)
        assert "/srv" not in error["message"] and "KeyError" not in error["message"]


FORMS = ["x", "0" * 32, "A" * 32, "0" * 31, "%00", "a" * 300, "..", "é", "0" * 33 + "%0a"]
PATHS = [
    ("GET", "/v1/sessions/{}"), ("GET", "/v1/sessions/{}/events"), ("POST", "/v1/sessions/{}/cancel"),
    ("POST", "/v1/sessions/{}/take-back"), ("DELETE", "/v1/sessions/{}"), ("GET", "/v1/sessions/{}/artifacts"),
    ("GET", "/v1/sessions/{}/languages/es/lines"), ("PATCH", "/v1/sessions/{}/languages/es/lines/0001"),
    ("HEAD", "/v1/uploads/{}"), ("DELETE", "/v1/uploads/{}"), ("DELETE", "/v1/keys/{}"),
    ("GET", "/v1/sessions/DONE/artifacts/{}"), ("GET", "/v1/sessions/DONE/languages/{}/lines"),
    ("PATCH", "/v1/sessions/DONE/languages/es/lines/{}"), ("DELETE", "/v1/sessions/DONE/languages/es/lines/{}"),
    ("PUT", "/v1/sessions/DONE/languages/es/speakers/{}"),
]  # fmt: skip


def test_an_id_of_another_form_is_not_found(gateway: Served) -> None:
    with gateway.client(Role.ADMIN) as client:
        session = talk.made(gateway, client)
        bodies = {"PATCH": {"text": "Hola."}, "PUT": {"voice": "em_alex"}}
        for method, path in PATHS:
            for form in FORMS:
                if form == "..":
                    continue  # no client sends it
                asked = path.replace("DONE", session).format(form)
                answer = client.request(method, asked, json=bodies.get(method))
                assert answer.status_code == 404, (method, asked, answer.text)
                if method != "HEAD":
                    assert answer.json()["code"] == "not-found" and answer.json()["detail"].endswith("check its id.")
        upload = client.post("/v1/sessions", json={"source": {"upload": "of another form"}, "languages": ["es"]})
        assert (upload.status_code, upload.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize("code", ["xx", "x" * 20, "en-US-x-y", "", "deutsch"])
def test_every_sentence_is_whole(gateway: Served, code: str) -> None:
    with gateway.client() as client:
        refused = client.post("/v1/sessions", json={"source": {"url": "https://e.org/v.mp4"}, "languages": [code]})
        problem = refused.json()
        assert refused.status_code == 422 and problem["fields"][0]["at"] == "body.languages.0"
        assert problem["detail"].endswith((".", "?")) and ".." not in problem["detail"], problem
        assert problem["fields"][0]["problem"].endswith((".", "?"))
