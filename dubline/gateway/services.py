"""What the routes work with, made once for each process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

from dubline.gateway.settings import GatewaySettings
from dubline.storage.database import Database

if TYPE_CHECKING:
    from dubline.gateway.hub import Hub
    from dubline.gateway.rates import Rates
    from dubline.gateway.runs import Runs
    from dubline.gateway.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Services:
    settings: GatewaySettings
    database: Database
    runs: Runs
    hub: Hub
    runs_changed: asyncio.Event
    """Set when something is to be reconciled soon."""
    limits: Rates
    tokens: Tokens | None
    """Reads OpenID Connect tokens, where an issuer is set."""


def services(request: HTTPConnection) -> Services:
    found: Services = request.app.state.services
    return found
