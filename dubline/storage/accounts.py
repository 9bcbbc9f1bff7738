"""Tenants, API keys and browsers that signed in.

A key reads `dub_<id>_<secret>_<check>`: the id finds its row, the secret has 256 random bits, and the check tells a
mistyped key from a wrong one without a look into the database. Only the secret's sha256 is stored: against that many
random bits no guessing helps, so no slow hash is needed. A key is shown once, when it is made.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
import zlib
from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import Field
from sqlalchemy import RowMapping, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from dubline.domain.errors import InvalidRequest
from dubline.storage.database import Database, now
from dubline.storage.tables import api_keys, browsers, tenants
from dubline.storage.value import Value

PREFIX = "dub"
TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
"""A tenant's id; it is a folder's name as well."""
SECRET_BYTES = 32
USED_EVERY = timedelta(minutes=1)
"""How exactly it is known when a key was last used; each note is a write."""
_noting: set[str] = set()
"""Keys whose use this process is writing down."""
_ALPHABET = string.ascii_letters + string.digits
_KEY = re.compile(rf"{PREFIX}_([A-Za-z0-9]{{12}})_([A-Za-z0-9]{{43}})_([0-9a-f]{{8}})")


class Role(StrEnum):
    """What somebody may do; each may do what those before it may."""

    VIEWER = "viewer"
    """Read sessions and download results."""
    EDITOR = "editor"
    """Create sessions; edit, cancel, resume and delete their own."""
    OPERATOR = "operator"
    """The same with everybody's in the tenant."""
    ADMIN = "admin"
    """Keys, quotas and the audit log."""


ORDER = tuple(Role)


class Limits(Value):
    """What a tenant may use; nothing where it is None."""

    sessions_at_once: int | None = Field(default=None, ge=1, description="Sessions that are queued or running.")
    sessions_a_day: int | None = Field(default=None, ge=1, description="Sessions that are created in 24 hours.")
    upload_mb: int | None = Field(default=None, ge=1, description="Size of one upload, in MB.")


class Tenant(Value):
    id: str
    created: datetime
    limits: Limits


class Key(Value):
    """An API key, without its secret."""

    id: str
    tenant: str
    name: str
    role: Role
    scopes: tuple[str, ...]
    """Permissions that it is restricted to; all of its role's where there are none."""
    created: datetime
    expires: datetime | None
    revoked: datetime | None
    used: datetime | None

    def valid(self, at: datetime) -> bool:
        return self.revoked is None and (self.expires is None or at < self.expires)


class Identity(Value):
    """On whose behalf a request is made."""

    subject: str
    """`key:<id>` or `oidc:<subject>`."""
    tenant: str
    role: Role
    scopes: tuple[str, ...] = ()
    key: str | None = None


async def ensure_tenant(database: Database, tenant: str) -> Tenant:
    """The tenant, made where there is none. Raises InvalidRequest for what cannot be an id."""
    if not TENANT.fullmatch(tenant):
        raise InvalidRequest(f"'{tenant}' cannot be a tenant's id; use lower-case letters, digits and hyphens.")
    found = await database.row(select(tenants).where(tenants.c.id == tenant))
    if found is None:
        with suppress(IntegrityError):  # made by another process in this moment
            await database.change(insert(tenants).values(id=tenant, created=now(), limits={}))
        found = await database.row(select(tenants).where(tenants.c.id == tenant))
    return Tenant.model_validate(dict(found or {}))


async def tenants_of(database: Database) -> list[str]:
    """The ids of all."""
    return [row["id"] for row in await database.rows(select(tenants.c.id).order_by(tenants.c.id))]


async def limit_tenant(database: Database, tenant: str, limits: Limits) -> None:
    await database.change(update(tenants).where(tenants.c.id == tenant).values(limits=limits.model_dump()))


async def make_key(
    database: Database,
    tenant: str,
    name: str,
    role: Role,
    scopes: tuple[str, ...] = (),
    expires: datetime | None = None,
) -> tuple[Key, str]:
    """A new key, and the text that its holder shows; nobody can read that again."""
    await ensure_tenant(database, tenant)
    number = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    secret = "".join(secrets.choice(_ALPHABET) for _ in range(43))  # 62^43 > 2^256
    values: dict[str, Any] = {
        "id": number,
        "tenant": tenant,
        "name": name,
        "role": role,
        "scopes": list(scopes),
        "hash": _hash(secret),
        "created": now(),
        "expires": expires,
    }
    await database.change(insert(api_keys).values(values))
    (made,) = await database.rows(select(api_keys).where(api_keys.c.id == number))
    return _key(made), f"{PREFIX}_{number}_{secret}_{_check(number + secret)}"


async def keys(database: Database, tenant: str) -> list[Key]:
    """A tenant's keys, revoked ones included, the newest first."""
    mine = select(api_keys).where(api_keys.c.tenant == tenant).order_by(api_keys.c.created.desc())
    return [_key(row) for row in await database.rows(mine)]


async def any_key(database: Database) -> bool:
    """Whether there ever was one, in whatever tenant."""
    return await database.row(select(api_keys.c.id).limit(1)) is not None


async def revoke(database: Database, tenant: str, key: str) -> bool:
    """End a key, and every browser that signed in with it; whether the tenant has such a key that was not ended."""
    mine = (api_keys.c.id == key) & (api_keys.c.tenant == tenant) & api_keys.c.revoked.is_(None)
    async with database.begin() as connection:
        done = (await connection.execute(update(api_keys).where(mine).values(revoked=now()))).rowcount > 0
        if done:
            await connection.execute(delete(browsers).where(browsers.c.key == key))
    return done


async def identify(database: Database, text: str) -> Identity | None:
    """Who shows this key; None where it is none, or one that was revoked or has expired."""
    form = _KEY.fullmatch(text)
    if form is None or form[3] != _check(form[1] + form[2]):
        return None
    row = await database.row(select(api_keys).where(api_keys.c.id == form[1]))
    if row is None or not hmac.compare_digest(row["hash"], _hash(form[2])) or not _key(row).valid(now()):
        return None
    if row["used"] is None or now() - row["used"] > USED_EVERY:
        await _note_use(database, form[1])
    key = _key(row)
    return Identity(subject=f"key:{key.id}", tenant=key.tenant, role=key.role, scopes=key.scopes, key=key.id)


async def _note_use(database: Database, key: str) -> None:
    """Of many requests that come at once, one waits for the write."""
    if key in _noting:
        return
    _noting.add(key)
    try:
        await database.change(update(api_keys).where(api_keys.c.id == key).values(used=now()))
    finally:
        _noting.discard(key)


async def sign_in(database: Database, identity: Identity, lasts: timedelta) -> str:
    """A new cookie for a browser that has shown who it is."""
    cookie = secrets.token_urlsafe(SECRET_BYTES)
    values = {
        "hash": _hash(cookie),
        "identity": identity.model_dump(mode="json"),
        "key": identity.key,
        "expires": now() + lasts,
    }
    await database.change(delete(browsers).where(browsers.c.expires < now()))
    await database.change(insert(browsers).values(values))
    return cookie


async def of_cookie(database: Database, cookie: str) -> Identity | None:
    """Who signed in there; None where that has ended, or the key's own life has."""
    joined = browsers.outerjoin(api_keys, browsers.c.key == api_keys.c.id)
    found = select(browsers.c.identity, browsers.c.expires, browsers.c.key, api_keys.c.expires.label("key_expires"))
    row = await database.row(found.select_from(joined).where(browsers.c.hash == _hash(cookie)))
    if row is None or row["expires"] < now() or (row["key_expires"] and row["key_expires"] < now()):
        return None
    return Identity.model_validate(row["identity"])


async def sign_out(database: Database, cookie: str) -> None:
    await database.change(delete(browsers).where(browsers.c.hash == _hash(cookie)))


def role_of(name: str) -> Role:
    """Raises InvalidRequest."""
    try:
        return Role(name)
    except ValueError:
        raise InvalidRequest(f"There is no role '{name}'; use one of: {', '.join(ORDER)}.") from None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _check(text: str) -> str:
    return f"{zlib.crc32(text.encode()):08x}"


def _key(row: RowMapping) -> Key:
    return Key.model_validate({name: row[name] for name in Key.model_fields})
