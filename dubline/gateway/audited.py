"""The note that stays of a request, over whichever protocol it came."""

from __future__ import annotations

import structlog

from dubline.domain.errors import ServiceUnavailable
from dubline.gateway.errors import printable
from dubline.gateway.services import Services
from dubline.storage import audit
from dubline.storage.accounts import Identity

log = structlog.get_logger()


async def noted(having: Services, who: Identity, action: str, thing: str, address: str, status: int) -> None:
    """What cannot be noted is in the log: the request itself is done, or refused, by then."""
    try:
        await audit.note(having.database, who.tenant, who.subject, action[:64], printable(thing), address[:64], status)
    except ServiceUnavailable as error:
        log.error("not audited", subject=who.subject, action=action, status=status, error=str(error))
