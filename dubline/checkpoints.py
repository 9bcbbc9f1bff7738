"""What makes a checkpoint the right one: its content key, and whether the artifacts it refers to are still whole.

A key is a digest of what goes in: the sha256 of artifacts, parameters, the engine's fingerprint, the stage's version.
No path, name, run id or time is part of it, so a retry, a second submission, another language and an edited line each
redo only what changed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from dubline.engines import registry
from dubline.engines.models import ModelStore
from dubline.engines.registry import EngineSpec
from dubline.settings import settings
from dubline.storage.artifacts import ArtifactStore
from dubline.storage.results import ArtifactRef


def content_key(stage: str, version: int, inputs: Mapping[str, Any]) -> str:
    """`stage/hh/hash`: a relative path, so that a folder of checkpoints stays browsable.

    Raises TypeError for an input that has no content identity.
    """
    payload = json.dumps([stage, version, identity(inputs)], sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(payload.encode()).hexdigest()
    return f"{stage}/{digest[:2]}/{digest}"


def identity(value: Any) -> Any:
    """What of a value decides a result, as plain JSON values."""
    if isinstance(value, ArtifactRef):
        return value.sha256
    if isinstance(value, EngineSpec):
        return registry.fingerprint(value, ModelStore(settings().models))
    if isinstance(value, BaseModel):
        return {name: identity(getattr(value, name)) for name in type(value).model_fields}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: identity(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): identity(part) for name, part in value.items()}
    if isinstance(value, str | int | float | bool | None):
        return value
    if isinstance(value, Sequence):
        return [identity(part) for part in value]
    raise TypeError(f"{type(value).__name__} has no content identity")


def references(value: Any) -> Iterator[ArtifactRef]:
    """Every artifact that a result refers to, however deep."""
    if isinstance(value, ArtifactRef):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from references(getattr(value, name))
    elif isinstance(value, tuple | list):
        for part in value:
            yield from references(part)


def intact(value: BaseModel, store: ArtifactStore) -> bool:
    """Whether every artifact of a result is there, with the sha256 that the result promises."""
    return store.intact(references(value))
