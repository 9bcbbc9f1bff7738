"""What every call begins and ends with: who asks and whether they may, how a refusal is told, what is noted of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import unquote

from grpc import StatusCode
from grpc.aio import ServicerContext

from dubline.gateway import access
from dubline.gateway.access import Permission
from dubline.gateway.audited import noted
from dubline.gateway.errors import Refused, refusal
from dubline.gateway.rpc import statuses
from dubline.gateway.services import Services
from dubline.storage.accounts import Identity

CODE = "dubline-code"
"""Trailing metadata with the stable code of a problem."""


@asynccontextmanager
async def asked(
    having: Services, context: ServicerContext, name: str, permission: Permission, session: str = ""
) -> AsyncIterator[Identity]:
    """Who asks, for as long as the call lasts; what the block raises ends the call with its status."""
    who: Identity | None = None
    status = 200
    try:
        who = await _known(having, context)
        access.require(who, permission)
        yield who
    except Exception as error:  # noqa: BLE001 - here a call ends: each error becomes a status, one that nobody foresaw is logged
        refused = refusal(error, name)
        status = refused.status
        await _end(context, refused)
    finally:
        if who is not None and (permission is not Permission.READ or status in (403, 404)):
            await noted(having, who, f"rpc {name}", session, _address(context), status)


async def _known(having: Services, context: ServicerContext) -> Identity:
    metadata = dict(context.invocation_metadata() or ())
    found = await access.of_header(having, str(metadata.get("authorization", "")))
    return await access.admitted(having, found, _address(context))


async def _end(context: ServicerContext, refused: Refused) -> None:
    """Raises what ends the call."""
    trailing = [(CODE, refused.code)]
    trailing += [("retry-after", wait)] if (wait := (refused.headers or {}).get("Retry-After")) else []
    await context.abort(statuses.OF.get(refused.status, StatusCode.UNKNOWN), refused.detail, tuple(trailing))


def _address(context: ServicerContext) -> str:
    """Of `ipv4:127.0.0.1:5000` and `ipv6:%5B::1%5D:5000`, as REST knows it."""
    return unquote(context.peer().partition(":")[2].rpartition(":")[0]).strip("[]")
