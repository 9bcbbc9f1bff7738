"""The OpenAPI document, with what holds for all operations said once."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from dubline.gateway.errors import MEDIA_TYPE, Problem

PROBLEM = {"$ref": f"#/components/schemas/{Problem.__name__}"}
BODY_STATUSES = ("400", "413")
"""Of a body that cannot be read, or is too large."""


def install(app: FastAPI) -> None:
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            for operations in plain()["paths"].values():
                for operation in operations.values():
                    _complete(operation)
        return plain()

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend its document


def _complete(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    if "application/json" in operation.get("requestBody", {}).get("content", {}):
        for status in BODY_STATUSES:
            responses.setdefault(status, {"description": "See `code`.", "content": {MEDIA_TYPE: {"schema": PROBLEM}}})
    for response in responses.values():
        content = response.get("content", {})
        if content.get("application/json", {}).get("schema") == PROBLEM:
            content[MEDIA_TYPE] = content.pop("application/json")
