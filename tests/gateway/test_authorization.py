"""Who may do what, made of the real table of routes: a new route is in here by itself, or fails for want of a rule."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from dubline.gateway.access import COOKIE, GRANTED, SAFE, Guarded, Permission
from dubline.gateway.app import create_app
from dubline.gateway.settings import GatewaySettings
from dubline.storage import accounts, session_files
from dubline.storage.accounts import Role
from dubline.storage.database import now
from tests.gateway.served import Served
from tests.gateway.table import Leaf, ask, leaves

APP = create_app(GatewaySettings())
ROUTES = leaves(APP)
GUARDED = [leaf for leaf in ROUTES if leaf.asks]
NAMED = [leaf for leaf in GUARDED if "{" in leaf.path]
OPEN = {
    "GET /healthz", "GET /readyz", "POST /v1/sign-in", "POST /v1/sign-out",
    "GET /v1/openapi.json", "HEAD /v1/openapi.json",
}  # fmt: skip
"""All that answers without credentials. Whoever adds to it says here that it is meant."""
PAGE = "ANY "
"""The page's files, which are the same for everybody."""
SECRET = "Rosebud"  # a word of the first tenant's that no other one may ever read

routes = pytest.mark.parametrize("leaf", GUARDED, ids=str)


@dataclass
class Tenants:
    """One with a finished session, an upload under way and a key; another one with keys and nothing else."""

    gateway: Served
    ids: dict[str, str] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)
    """What only the first one may read."""

    def bearer(self, role: Role, tenant: str = "acme", **more: object) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.gateway.key(role, tenant, **more)}"}

    def cookie(self, origin: str | None) -> dict[str, str]:
        with self.gateway.anybody() as browser:
            shown = {"credential": self.gateway.key(Role.ADMIN)}
            signed_in = browser.post("/v1/sign-in", json=shown)
        headers = {"Cookie": f"{COOKIE}={signed_in.cookies[COOKIE]}"}
        return headers | ({"Origin": origin} if origin else {})

    def state(self) -> object:
        """All that the first one has, so that one can see whether it was touched."""
        session = self.gateway.stored(self.ids["session"])
        upload = self.ask_as_owner("HEAD", f"/v1/uploads/{self.ids['upload']}").headers["upload-offset"]
        files = sorted(map(str, session_files.folder("acme", "").rglob("*")))  # type: ignore[union-attr]
        keys = self.gateway.ask(lambda db: accounts.keys(db, "acme"))
        revoked = sorted(key.id for key in keys if key.revoked)
        return session, upload, files, revoked, sorted(self.gateway.runs.created)

    def ask_as_owner(self, method: str, path: str) -> httpx.Response:
        with self.gateway.client() as client:
            return client.request(method, path)


@pytest.fixture(scope="module")
def tenants(shared_gateway: Served) -> Iterator[Tenants]:
    found = Tenants(shared_gateway)
    with shared_gateway.client() as client:
        session = shared_gateway.session(client, title=f"{SECRET} at sea")["id"]
        shared_gateway.finish(session)
        upload = client.post("/v1/uploads", headers={"Upload-Length": "10"}).headers["location"].rsplit("/", 1)[1]
        begun = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        assert client.patch(f"/v1/uploads/{upload}", content=b"abc", headers=begun).status_code == 204
    spare = shared_gateway.key(Role.VIEWER).split("_")[1]
    found.ids = {
        "session": session, "upload": upload, "key": spare, "language": "es", "segment": "0001", "speaker": "S1",
        "path": "talk.es.mp4",
    }  # fmt: skip
    found.words = {SECRET, session, upload, spare, "acme", "ftypmp42", "Hola.", "Hello."}
    yield found


NOBODYS = {
    "session": "0" * 32, "upload": "0" * 32, "key": "0" * 12, "language": "es", "segment": "0001", "speaker": "S1",
    "path": "talk.es.mp4",
}  # fmt: skip


def code(text: str) -> str:
    return str(json.loads(text)["code"]) if text else ""


def test_what_is_public_is_meant_to_be() -> None:
    assert {str(leaf) for leaf in ROUTES if leaf.asks is None} - {PAGE} == OPEN


def test_a_route_without_a_rule_is_found() -> None:
    router = APIRouter()

    @router.get("/v1/forgotten")
    async def forgotten() -> str:
        return "anybody reads this"

    app = FastAPI()
    app.include_router(router)
    with pytest.raises(LookupError, match="forgotten"):
        leaves(app)
    with pytest.raises(LookupError, match="forgotten"):
        APIRouter(route_class=Guarded).get("/v1/forgotten")(forgotten)


def test_mounts_are_in_the_table() -> None:
    app = FastAPI()
    app.router.routes.append(Mount("/files", StaticFiles(directory="tests")))
    assert "ANY /files" in {str(leaf) for leaf in leaves(app)}


def test_the_document_declares_security_where_there_is_a_rule_and_nowhere_else() -> None:
    document = APP.openapi()
    declared = {
        f"{method.upper()} {path}": operation.get("security")
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    shown = {str(leaf).replace(":path}", "}"): leaf for leaf in ROUTES if leaf.method != "WS"}
    assert declared.keys() == {name for name, leaf in shown.items() if name != PAGE and "/openapi" not in name}
    for name, security in declared.items():
        assert security == ([{"bearer": []}, {"cookie": []}] if shown[name].asks else None), name
    assert document["components"]["securitySchemes"].keys() == {"bearer", "cookie"}


@routes
def test_without_credentials(tenants: Tenants, leaf: Leaf) -> None:
    status, text = ask(tenants.gateway.url, leaf, tenants.ids)
    assert status == 401
    assert leaf.method == "HEAD" or code(text) == "unauthenticated"


@routes
@pytest.mark.parametrize(
    "shown",
    ["Bearer dub_AAAAAAAAAAAA_" + "A" * 43 + "_00000000", "Bearer eyJhbGciOiJub25lIn0.e30.", "Basic YTpi", "Bearer"],
    ids=["made up", "unsigned token", "another scheme", "empty"],
)
def test_with_credentials_that_are_none(tenants: Tenants, leaf: Leaf, shown: str) -> None:
    assert ask(tenants.gateway.url, leaf, tenants.ids, {"Authorization": shown})[0] == 401


@routes
def test_with_a_key_that_was_revoked_or_has_expired(tenants: Tenants, leaf: Leaf) -> None:
    expired = tenants.bearer(Role.ADMIN, expires=now() - timedelta(seconds=1))
    assert ask(tenants.gateway.url, leaf, tenants.ids, expired)[0] == 401
    revoked = tenants.bearer(Role.ADMIN)
    number = revoked["Authorization"].split("_")[1]
    assert tenants.gateway.ask(lambda db: accounts.revoke(db, "acme", number))
    assert ask(tenants.gateway.url, leaf, tenants.ids, revoked)[0] == 401


@routes
@pytest.mark.parametrize("role", Role)
def test_each_role_may_what_it_is_granted(tenants: Tenants, leaf: Leaf, role: Role) -> None:
    """Asked for things that nobody has, so that what is allowed is not done."""
    status, text = ask(tenants.gateway.url, leaf, NOBODYS, tenants.bearer(role))
    if leaf.asks in GRANTED[role]:
        assert status not in (401, 403)
        assert status == 404 or leaf not in NAMED
    else:
        assert status == 403
        assert leaf.method == "HEAD" or code(text) == "forbidden"


@routes
@pytest.mark.parametrize("scope", Permission)
def test_a_scoped_key_may_what_its_scope_names(tenants: Tenants, leaf: Leaf, scope: Permission) -> None:
    status, _ = ask(tenants.gateway.url, leaf, NOBODYS, tenants.bearer(Role.ADMIN, scopes=(scope,)))
    if leaf == Leaf("POST", "/v1/keys", Permission.ADMINISTER, body=True):
        assert status == 403, "not even this scope's key makes one that may write sessions"
    else:
        assert (status in (401, 403)) == (scope != leaf.asks)


def test_a_scoped_key_makes_none_that_may_more(tenants: Tenants) -> None:
    scopes = (Permission.ADMINISTER, Permission.READ)
    url, headers = f"{tenants.gateway.url}/v1/keys", tenants.bearer(Role.ADMIN, scopes=scopes)
    for more in ({"role": "admin"}, {"role": "editor"}, {"role": "editor", "scopes": ["sessions:write"]}):
        refused = httpx.post(url, headers=headers, json={"name": "more", **more}, timeout=60)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), more
    for less in ({"role": "viewer"}, {"role": "admin", "scopes": ["tenant:administer"]}):
        assert httpx.post(url, headers=headers, json={"name": "less", **less}, timeout=60).status_code == 201, less


@routes
@pytest.mark.parametrize("role", [Role.VIEWER, Role.ADMIN])
def test_of_another_tenant(tenants: Tenants, leaf: Leaf, role: Role) -> None:
    before = tenants.state()
    status, text = ask(tenants.gateway.url, leaf, tenants.ids, tenants.bearer(role, f"other-{secrets.token_hex(4)}"))
    if leaf.asks not in GRANTED[role]:
        assert status == 403
    elif leaf in NAMED or str(leaf) == "POST /v1/sessions":  # the latter names an upload in its body
        assert status == 404
        assert leaf.method == "HEAD" or code(text) == "not-found"
    asked = {tenants.ids[name] for name in ("session", "upload", "key")}  # an answer may repeat what was asked
    assert not {word for word in tenants.words - asked if word in text}
    assert status == 404 or not {word for word in asked if word in text}
    assert tenants.state() == before


@pytest.mark.parametrize("leaf", NAMED, ids=str)
def test_of_the_tenant_itself(tenants: Tenants, leaf: Leaf) -> None:
    """The other tests are worth something: to those whose it is, it is there."""
    if leaf.method in ("GET", "HEAD", "WS"):
        role = Role.EDITOR if leaf.asks is Permission.WRITE else Role.VIEWER
        key = tenants.gateway.client(role).headers["authorization"]
        assert ask(tenants.gateway.url, leaf, tenants.ids, {"Authorization": key})[0] in (101, 200)


@pytest.mark.parametrize("leaf", [leaf for leaf in GUARDED if leaf.method not in SAFE], ids=str)
def test_a_foreign_page_does_nothing_in_the_name_of_who_is_signed_in(tenants: Tenants, leaf: Leaf) -> None:
    before = tenants.state()
    host = tenants.gateway.url.partition("://")[2]
    for origin in ("https://evil.example", f"http://{host}.evil.example", "null", None):
        status, text = ask(tenants.gateway.url, leaf, tenants.ids, tenants.cookie(origin))
        assert (status, code(text)) == (403, "foreign-page"), origin
    assert tenants.state() == before
    assert ask(tenants.gateway.url, leaf, NOBODYS, tenants.cookie(tenants.gateway.url))[0] not in (401, 403)


@pytest.mark.parametrize("leaf", GUARDED, ids=str)
def test_a_cookie_ends_with_its_key_and_with_signing_out(tenants: Tenants, leaf: Leaf) -> None:
    url = tenants.gateway.url
    out = tenants.cookie(url)
    assert httpx.post(f"{url}/v1/sign-out", headers=out, timeout=60).status_code == 204
    assert ask(url, leaf, tenants.ids, out)[0] == 401
    key = tenants.gateway.key(Role.ADMIN)
    cookie = httpx.post(f"{url}/v1/sign-in", json={"credential": key}, timeout=60).cookies[COOKIE]
    assert tenants.gateway.ask(lambda db: accounts.revoke(db, "acme", key.split("_")[1]))
    assert ask(url, leaf, tenants.ids, {"Cookie": f"{COOKIE}={cookie}", "Origin": url})[0] == 401


@pytest.mark.parametrize("leaf", [leaf for leaf in GUARDED if leaf.body], ids=str)
def test_a_strangers_body_is_not_read(tenants: Tenants, leaf: Leaf) -> None:
    path = leaf.path.format_map(tenants.ids)
    refused = httpx.request(leaf.method, tenants.gateway.url + path, content=b"{" * 9_000_000, timeout=60)
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")
