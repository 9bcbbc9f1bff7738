"""The gateway put together: what it works with, its routes, and what goes on beside the requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from importlib import metadata
from pathlib import Path

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.routing import Match, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from dubline.gateway import callbacks, document, errors, middleware, reconcile
from dubline.gateway.hub import Hub
from dubline.gateway.rates import Rates
from dubline.gateway.routes import ROUTERS
from dubline.gateway.runs import Runs
from dubline.gateway.services import Services
from dubline.gateway.settings import GatewaySettings, gateway_settings
from dubline.gateway.tokens import Tokens
from dubline.storage.database import Database

STUDIO = Path(__file__).parent / "studio"


def create_app(settings: GatewaySettings | None = None, runs: Runs | None = None) -> FastAPI:
    """An ASGI application; any number of processes may serve the same sessions."""
    chosen = settings or gateway_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with Database.opened() as database, AsyncExitStack() as ending:
            having = Services(
                settings=chosen,
                database=database,
                runs=runs or Runs(),
                hub=Hub(database),
                runs_changed=asyncio.Event(),
                limits=Rates(chosen),
                tokens=Tokens(chosen, database) if chosen.oidc_issuer else None,
            )
            app.state.services = having
            if chosen.rpc_port is not None:
                from dubline.gateway.rpc import server  # gRPC starts threads: only where it is asked for

                app.state.rpc_port = await ending.enter_async_context(server.listening(having, chosen.rpc_port))
            works = (having.hub.run(), reconcile.run(having), reconcile.listen(having), callbacks.run(having))
            beside = [asyncio.create_task(work) for work in works]
            try:
                yield
            finally:
                for task in beside:
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task

    app = FastAPI(
        title="Dubline",
        version=metadata.version("dubline"),
        description="Translate videos: sessions, their progress, their results, and every line of them to be mended.",
        lifespan=lifespan,
        docs_url=None,  # its page loads scripts from another host
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        redirect_slashes=False,  # it would redirect to whatever host the client names
        generate_unique_id_function=lambda route: f"{route.tags[0]}-{route.name}",
    )
    document.install(app)
    errors.install(app)
    middleware.install(app)
    if chosen.origins:
        app.add_middleware(CORSMiddleware, allow_origins=list(chosen.origins), allow_methods=["*"], allow_headers=["*"])
    for router in ROUTERS:
        app.include_router(router)
    if STUDIO.is_dir():
        app.router.routes.append(Page("/", StaticFiles(directory=STUDIO, html=True)))
    return app


class Page(Mount):
    """The page's files. What is the API's stays with it, so that a wrong method there is told as such."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return (Match.NONE, {}) if scope["path"].startswith("/v1/") else super().matches(scope)
