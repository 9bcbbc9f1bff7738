"""Sessions over REST: created once, listed in pages, cancelled, resumed, deleted, whoever is away meanwhile."""

from __future__ import annotations

import pytest

from dubline.storage import session_files
from dubline.storage.accounts import Role
from dubline.storage.sessions import store
from tests.gateway.served import Served
from tests.waiting import until


def test_an_upload_becomes_a_session_with_a_run(gateway: Served) -> None:
    with gateway.client() as client:
        made = gateway.session(client, source_language="en", glossary=[{"source": "Dubline"}])
        assert made["state"] == "queued" and made["title"] == "talk.mp4"
        (parameters,) = gateway.runs.created.values()
        request = parameters["request"]
        assert request["languages"] == ["es"] and request["session"]["id"] == made["id"]
        assert "glossary" not in request, "texts stay in the database"
        assert client.get(f"/v1/sessions/{made['id']}").json()["id"] == made["id"]


def test_parameters_are_what_the_deployment_takes(gateway: Served) -> None:
    from dubline.request import TranslateRequest

    with gateway.client() as client:
        voices = [{"speaker": "S1", "voice": "em_alex", "language": "es"}]
        made = gateway.session(client, voices=voices, loudness=-16, track="Mic/Aux")
        asked = gateway.ask(lambda db: store.asked(db, gateway.stored(made["id"]), 0))
    (parameters,) = gateway.runs.created.values()
    request = TranslateRequest.model_validate(parameters["request"])
    assert request.loudness == -16 and request.voices[0].voice == "em_alex" and request.track is None
    assert TranslateRequest.model_validate(parameters["request"] | asked).track == "Mic/Aux"


def test_the_same_idempotency_key_gives_the_same_session(gateway: Served) -> None:
    with gateway.client() as client:
        body = {"source": {"upload": gateway.upload(client)}, "languages": ["es"]}
        first = client.post("/v1/sessions", json=body, headers={"Idempotency-Key": "once"})
        again = client.post("/v1/sessions", json=body, headers={"Idempotency-Key": "once"})
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json()["id"] == again.json()["id"] and len(gateway.runs.created) == 1
        other = client.post("/v1/sessions", json=body | {"languages": ["fr"]}, headers={"Idempotency-Key": "once"})
        assert other.status_code == 422 and other.json()["code"] == "invalid-request"


def test_an_upload_makes_one_session(gateway: Served) -> None:
    with gateway.client() as client:
        body = {"source": {"upload": gateway.upload(client)}, "languages": ["es"]}
        assert client.post("/v1/sessions", json=body).status_code == 201
        assert client.post("/v1/sessions", json=body).status_code == 422


def test_sessions_are_listed_in_pages_and_found_by_what_they_are(gateway: Served) -> None:
    with gateway.client() as client:
        ids = [gateway.session(client, title=f"Talk {number}")["id"] for number in range(5)]
        gateway.session(client, languages=["fr"], title="Autre chose")
        seen, cursor = [], None
        while True:
            page = client.get("/v1/sessions", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
            seen += [session["id"] for session in page["sessions"]]
            if (cursor := page["next"]) is None:
                break
        assert seen[1:] == ids[::-1] and len(seen) == 6
        titles = client.get("/v1/sessions", params={"language": "fr"}).json()["sessions"]
        assert [session["title"] for session in titles] == ["Autre chose"]
        assert len(client.get("/v1/sessions", params={"text": "talk"}).json()["sessions"]) == 5
        assert client.get("/v1/sessions", params={"state": "done"}).json()["sessions"] == []
        assert client.get("/v1/sessions", params={"cursor": "nonsense"}).json()["code"] == "invalid-cursor"


def test_a_session_made_while_prefect_is_away_starts_when_it_is_back(gateway: Served) -> None:
    with gateway.client() as client:
        gateway.runs.away = True
        made = gateway.session(client)
        assert made["state"] == "queued" and made["run"] is None
        assert client.get("/readyz").json() == {"database": True, "prefect": False, "workers": 0}
        gateway.runs.away = False
        until(lambda: gateway.stored(made["id"]).run)
        assert len(gateway.runs.created) == 1


def test_a_cancelled_session_ends_and_goes_on_when_resumed(gateway: Served) -> None:
    with gateway.client() as client:
        made = gateway.session(client)
        gateway.begin(made["id"])
        state = client.post(f"/v1/sessions/{made['id']}/cancel").json()["state"]
        assert state in ("cancelling", "cancelled"), "the run may be ended already"
        until(lambda: client.get(f"/v1/sessions/{made['id']}").json()["state"] == "cancelled")
        assert client.post(f"/v1/sessions/{made['id']}/resume").json()["state"] == "queued"
        assert len(gateway.runs.created) == 2
        assert client.post(f"/v1/sessions/{made['id']}/resume").json()["code"] == "not-resumable"


def test_cancelling_while_prefect_is_away_is_done_when_it_is_back(gateway: Served) -> None:
    with gateway.client() as client:
        made = gateway.session(client)
        gateway.runs.away = True
        assert client.post(f"/v1/sessions/{made['id']}/cancel").json()["state"] == "cancelling"
        gateway.runs.away = False
        until(lambda: client.get(f"/v1/sessions/{made['id']}").json()["state"] == "cancelled")


@pytest.mark.parametrize(("state", "then"), [("FAILED", "failed"), ("CANCELLED", "cancelled")])
def test_what_became_of_the_run_behind_the_gateways_back_is_noted(gateway: Served, state: str, then: str) -> None:
    with gateway.client() as client:
        made = gateway.session(client)
        run = gateway.begin(made["id"]).run
        gateway.runs.set(str(run), state, "It broke.")
        until(lambda: client.get(f"/v1/sessions/{made['id']}").json()["state"] == then)
        if state == "FAILED":
            assert client.get(f"/v1/sessions/{made['id']}").json()["error"]["message"] == "It broke."


def test_a_session_whose_run_was_deleted_says_so(gateway: Served) -> None:
    with gateway.client() as client:
        made = gateway.session(client)
        gateway.runs.known.clear()
        until(lambda: client.get(f"/v1/sessions/{made['id']}").json()["state"] == "failed")
        assert client.get(f"/v1/sessions/{made['id']}").json()["error"]["code"] == "run-lost"


def test_deleting_removes_row_files_and_run(gateway: Served) -> None:
    with gateway.client() as client:
        made = gateway.session(client)
        folder = session_files.folder("acme", made["id"])
        assert list(folder.rglob("*.mp4"))
        assert client.delete(f"/v1/sessions/{made['id']}").status_code == 204
        assert client.get(f"/v1/sessions/{made['id']}").status_code == 404
        until(lambda: not folder.exists() and not gateway.runs.known)
        assert client.get("/v1/sessions").json()["sessions"] == []


def test_deleting_waits_for_whatever_still_works_for_the_session(
    gateway: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    async def cancel(run: str) -> None:
        told.append(run)
        gateway.runs.set(run, "CANCELLING")

    monkeypatch.setattr(gateway.runs, "cancel", cancel)
    with gateway.client() as client:
        made = gateway.session(client)
        (run,) = gateway.runs.created
        gateway.runs.tags["inference"] = gateway.runs.tags[run]
        gateway.runs.set("inference", "RUNNING")
        client.delete(f"/v1/sessions/{made['id']}")
        until(lambda: run in told and told.count("inference") > 1)
        gateway.runs.set(run, "CANCELLED")
        looks = len(told)
        until(lambda: len(told) > looks + 1)
        folder = session_files.folder("acme", made["id"])
        assert folder.exists(), "the one that it asked for may still write"
        gateway.runs.set("inference", "CANCELLED")
        until(lambda: not folder.exists() and not gateway.runs.known)


def test_an_editor_changes_only_their_own_and_an_operator_all(gateway: Served) -> None:
    with gateway.client() as mine:
        made = gateway.session(mine)
    other = gateway.key(Role.EDITOR)
    with gateway.anybody() as client:
        refused = client.post(f"/v1/sessions/{made['id']}/cancel", headers={"Authorization": f"Bearer {other}"})
        assert refused.json()["code"] == "not-yours"
    with gateway.client(Role.OPERATOR) as operator:
        assert operator.post(f"/v1/sessions/{made['id']}/cancel").status_code == 200


def test_a_tenants_quota_is_kept(gateway: Served) -> None:
    from dubline.storage import accounts
    from dubline.storage.accounts import Limits

    with gateway.client() as client:
        gateway.session(client)
        gateway.ask(lambda db: accounts.limit_tenant(db, "acme", Limits(sessions_at_once=1)))
        body = {"source": {"upload": gateway.upload(client)}, "languages": ["es"]}
        refused = client.post("/v1/sessions", json=body)
        assert refused.status_code == 429 and refused.json()["code"] == "too-many-sessions"
        gateway.ask(lambda db: accounts.limit_tenant(db, "acme", Limits(sessions_a_day=1)))
        assert client.post("/v1/sessions", json=body).json()["code"] == "daily-quota"
