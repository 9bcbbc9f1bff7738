"""OpenID Connect tokens: whose they are, and every way in which one does not count."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.gateway.served import Served, served


class Issuer:
    """Publishes its keys on loopback, and signs."""

    def __init__(self) -> None:
        self.keys = {"first": rsa.generate_private_key(public_exponent=65537, key_size=2048)}
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = (
                    {"jwks_uri": f"{issuer.url}/keys"} if self.path.startswith("/.well-known") else issuer.published()
                )
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(found).encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def published(self) -> dict[str, Any]:
        as_jwk = jwt.algorithms.RSAAlgorithm.to_jwk
        return {
            "keys": [
                json.loads(as_jwk(key.public_key())) | {"kid": name, "alg": "RS256", "use": "sig"}
                for name, key in self.keys.items()
            ]
        }

    def token(self, key: str = "first", signed_by: Any = None, **claims: Any) -> str:
        usual = {
            "iss": self.url,
            "aud": "dubline",
            "sub": "ada",
            "exp": time.time() + 300,
            "tenant": "acme",
            "dubline_role": "editor",
        }
        return jwt.encode(usual | claims, signed_by or self.keys[key], algorithm="RS256", headers={"kid": key})


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    found = Issuer()
    yield found
    found.server.shutdown()


@pytest.fixture
def gateway(home: Path, issuer: Issuer) -> Iterator[Served]:
    with served(home, oidc_issuer=issuer.url) as found:
        yield found


def me(gateway: Served, token: str) -> Any:
    with gateway.anybody() as client:
        return client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})


def test_a_token_says_who_in_which_tenant_and_as_what(gateway: Served, issuer: Issuer) -> None:
    found = me(gateway, issuer.token()).json()
    assert (found["subject"], found["tenant"], found["role"]) == ("oidc:ada", "acme", "editor")


def test_a_token_opens_what_its_role_may(gateway: Served, issuer: Issuer) -> None:
    with gateway.anybody() as client:
        client.headers["Authorization"] = f"Bearer {issuer.token(dubline_role='viewer')}"
        assert client.get("/v1/sessions").status_code == 200
        assert client.get("/v1/keys").status_code == 403


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": time.time() - 3600},
        {"aud": "somebody-else"},
        {"iss": "https://issuer.example"},
        {"tenant": None},
        {"tenant": "../other"},
        {"dubline_role": "owner"},
        {"nbf": 4e9},
    ],
    ids=["expired", "for others", "of others", "no tenant", "a path", "unknown role", "not yet"],
)
def test_a_token_that_does_not_count_opens_nothing(gateway: Served, issuer: Issuer, claims: dict[str, Any]) -> None:
    assert me(gateway, issuer.token(**claims)).status_code == 401


def test_a_foreign_signature_opens_nothing(gateway: Served, issuer: Issuer) -> None:
    foreign = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert me(gateway, issuer.token(signed_by=foreign)).status_code == 401


def test_a_token_without_a_signature_or_with_a_shared_secret_opens_nothing(gateway: Served, issuer: Issuer) -> None:
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    none = jwt.encode(claims, None, algorithm="none", headers={"kid": "first"})
    shared = jwt.encode(
        claims, "a secret that is long enough for HMAC-SHA256", algorithm="HS256", headers={"kid": "first"}
    )
    assert [me(gateway, token).status_code for token in (none, shared)] == [401, 401]


def test_an_issuer_that_is_away_is_told_and_keys_go_on(home: Path) -> None:
    with served(home, oidc_issuer="http://127.0.0.1:9") as gateway:
        away = me(gateway, jwt.encode({"sub": "ada"}, "x" * 32, headers={"kid": "first"}))
        assert away.status_code == 503 and away.json()["code"] == "service-unavailable"
        with gateway.client() as client:
            assert client.get("/v1/me").status_code == 200
