from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """What is read, written down or handed on: it never changes, and a field that nobody knows is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
