"""Listens, on the event loop of the gateway and for as long as it lives."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from dubline.domain.errors import ServiceUnavailable
from dubline.gateway.middleware import LARGEST_BODY
from dubline.gateway.rpc.generated import dubline_pb2, dubline_pb2_grpc
from dubline.gateway.rpc.servicer import Servicer
from dubline.gateway.services import Services

SERVICE = dubline_pb2.DESCRIPTOR.services_by_name["Dubline"].full_name
STOP_S = 3
"""How long calls may go on when the gateway ends; clients go on elsewhere with the number of their last event."""
MOST_CALLS = 2000
"""At a time; streams that wait cost next to nothing."""
OPTIONS = (
    ("grpc.max_receive_message_length", LARGEST_BODY),
    ("grpc.max_send_message_length", 16 << 20),
    ("grpc.max_metadata_size", 16 << 10),
    ("grpc.so_reuseport", 0),  # a port that is taken is an error, not a second listener
    ("grpc.keepalive_time_ms", 30_000),  # a client that is gone without a word is noticed
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),  # a client may ask as often
)


@asynccontextmanager
async def listening(having: Services, port: int) -> AsyncIterator[int]:
    """The port; 0 takes a free one. Raises ServiceUnavailable where it is taken."""
    server = grpc.aio.server(options=OPTIONS, maximum_concurrent_rpcs=MOST_CALLS)
    dubline_pb2_grpc.add_DublineServicer_to_server(Servicer(having), server)
    watched = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(watched, server)
    names = (SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)
    host = having.settings.host
    try:
        bound = server.add_insecure_port(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    except RuntimeError:
        raise ServiceUnavailable(
            f"gRPC cannot listen on {host}:{port}; set DUBLINE_GATEWAY_RPC_PORT to a free port."
        ) from None
    await server.start()
    for name in ("", SERVICE):
        await watched.set(name, health_pb2.HealthCheckResponse.SERVING)
    try:
        yield bound
    finally:
        await watched.enter_graceful_shutdown()
        await server.stop(STOP_S)
