"""From the statuses of REST to those of gRPC, so that there is one table from errors to either."""

from __future__ import annotations

from grpc import StatusCode

OF: dict[int, StatusCode] = {
    400: StatusCode.INVALID_ARGUMENT,
    401: StatusCode.UNAUTHENTICATED,
    403: StatusCode.PERMISSION_DENIED,
    404: StatusCode.NOT_FOUND,
    405: StatusCode.UNIMPLEMENTED,
    409: StatusCode.FAILED_PRECONDITION,
    413: StatusCode.RESOURCE_EXHAUSTED,
    415: StatusCode.INVALID_ARGUMENT,
    416: StatusCode.OUT_OF_RANGE,
    422: StatusCode.INVALID_ARGUMENT,
    429: StatusCode.RESOURCE_EXHAUSTED,
    500: StatusCode.INTERNAL,
    503: StatusCode.UNAVAILABLE,
    507: StatusCode.RESOURCE_EXHAUSTED,
}
"""Every status that the gateway answers with; README.md lists their codes."""
