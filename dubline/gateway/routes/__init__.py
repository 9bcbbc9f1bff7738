"""REST, one file a noun. `ROUTERS` is all of them, in the order of the OpenAPI document."""

from __future__ import annotations

from dubline.gateway.routes import (
    account,
    artifacts,
    catalog,
    events,
    health,
    keys,
    languages,
    lines,
    sessions,
    uploads,
)

ROUTERS = (
    uploads.router,
    sessions.router,
    events.router,
    artifacts.router,
    lines.router,
    languages.router,
    catalog.router,
    account.router,
    keys.router,
    health.router,
)
