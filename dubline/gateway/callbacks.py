"""Webhooks: whoever wants to know that a session has ended is called until they say they have heard.

Signed as Standard Webhooks has it: HMAC-SHA256 over id, time and body, so that who is called can tell that it was us,
that nothing was changed, and (by the time) that nobody repeats an old call.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from contextlib import suppress

import structlog

from dubline.domain.errors import DublineError, ServiceUnavailable
from dubline.gateway.services import Services
from dubline.storage import web, webhooks
from dubline.storage.database import now
from dubline.storage.sessions import store
from dubline.storage.sessions.model import Session
from dubline.storage.webhooks import Call

EVERY_S = 1.0
TIMEOUT_S = 20.0
log = structlog.get_logger()


async def run(having: Services) -> None:
    """Make the calls that are due, for as long as the gateway lives."""
    while True:
        with suppress(ServiceUnavailable):
            for call in await webhooks.due(having.database):
                if await webhooks.take(having.database, call):
                    await _make(having, call)
        await asyncio.sleep(EVERY_S)


async def _make(having: Services, call: Call) -> None:
    session = await store.find(having.database, call.session)
    if session is None or session.webhook is None:
        return
    body = json.dumps(await _body(having, session, call)).encode()
    headers = _signed(call.id, body, session.webhook.secret)
    try:
        status = await asyncio.to_thread(web.post, session.webhook.url, headers, body, TIMEOUT_S)
        answer = f"answered {status}"
        heard = 200 <= status < 300
    except DublineError as error:
        answer, heard = str(error), False
    await (webhooks.done if heard else webhooks.failed)(having.database, call, answer)
    log.info("webhook", session=call.session, tries=call.tries + 1, answer=answer)


async def _body(having: Services, session: Session, call: Call) -> dict[str, object]:
    """References and numbers only: what was said stays behind the API's door."""
    (event,) = await store.events(having.database, session.id, call.event - 1, limit=1)
    return {
        "type": f"session.{event.data['state']}",
        "timestamp": event.at.isoformat(),
        "data": {
            "session": session.id,
            "event": call.event,
            "revision": session.dubbed,
            "error": event.data.get("error"),
        },
    }


def _signed(name: str, body: bytes, secret: str) -> dict[str, str]:
    at = str(int(now().timestamp()))
    digest = hmac.new(secret.encode(), f"{name}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "User-Agent": "dubline",
        "Webhook-Id": name,
        "Webhook-Timestamp": at,
        "Webhook-Signature": f"v1,{base64.b64encode(digest).decode()}",
    }
