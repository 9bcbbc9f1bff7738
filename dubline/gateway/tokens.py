"""OpenID Connect tokens: signed by the issuer's keys, meant for us, not expired."""

from __future__ import annotations

import asyncio

import httpx
import jwt
from jwt import PyJWK, PyJWKSet
from jwt.exceptions import PyJWKSetError, PyJWTError

from dubline.domain.errors import InvalidRequest, ServiceUnavailable
from dubline.gateway.settings import GatewaySettings
from dubline.storage import accounts
from dubline.storage.accounts import Identity
from dubline.storage.database import Database

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
"""Only those with a public key: with a shared secret whoever can check a token can also make one."""
LEEWAY_S = 30
REFRESH_S = 60
"""A key that is not known may be new; the issuer is asked no more often than this."""


class Tokens:
    """Raises ServiceUnavailable when the issuer's keys cannot be had."""

    def __init__(self, settings: GatewaySettings, database: Database) -> None:
        self._settings, self._database = settings, database
        self._keys: dict[str, PyJWK] = {}
        self._asked = float("-inf")
        self._asking = asyncio.Lock()

    async def identify(self, token: str) -> Identity | None:
        """Whom the token speaks of; None where it is none that counts here."""
        try:
            key = await self._key(jwt.get_unverified_header(token).get("kid", ""))
            if key is None:
                return None
            claims = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=self._settings.oidc_audience,
                issuer=self._settings.oidc_issuer,
                leeway=LEEWAY_S,
                options={"require": ["exp", "sub", "iss", "aud"]},
            )
            role = accounts.role_of(str(claims.get(self._settings.oidc_role_claim, "viewer")))
        except (PyJWTError, InvalidRequest, RecursionError):  # the last for JSON that is nested without end
            return None
        tenant = str(claims.get(self._settings.oidc_tenant_claim, ""))
        if not accounts.TENANT.fullmatch(tenant):
            return None
        await accounts.ensure_tenant(self._database, tenant)
        return Identity(subject=f"oidc:{claims['sub']}"[:200], tenant=tenant, role=role)

    async def _key(self, name: str) -> PyJWK | None:
        now = asyncio.get_running_loop().time()
        async with self._asking:
            if name not in self._keys and now - self._asked > REFRESH_S:
                self._keys, self._asked = await self._fetched(), now
        return self._keys.get(name)

    async def _fetched(self) -> dict[str, PyJWK]:
        issuer = str(self._settings.oidc_issuer).rstrip("/")
        try:
            async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
                about = (await client.get(f"{issuer}/.well-known/openid-configuration")).raise_for_status().json()
                found = (await client.get(str(about["jwks_uri"]))).raise_for_status().json()
            return {str(key.key_id): key for key in PyJWKSet.from_dict(found).keys}
        except (httpx.HTTPError, PyJWKSetError, KeyError, ValueError) as error:
            raise ServiceUnavailable(
                f"The keys of the token issuer {issuer} cannot be read ({error}); check DUBLINE_GATEWAY_OIDC_ISSUER."
            ) from error
