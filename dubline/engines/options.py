"""Options of an engine, as a profile writes them: checked against a model that refuses what it does not know."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from dubline.domain.errors import InvalidRequest
from dubline.engines.registry import EngineSpec


class Options(BaseModel):
    """Base of every engine's options."""

    model_config = ConfigDict(extra="forbid", frozen=True)


T = TypeVar("T", bound=Options)


def read_options(kind: type[T], spec: EngineSpec) -> T:
    """Raises InvalidRequest that names the option and those there are."""
    try:
        return kind.model_validate(spec.options)
    except ValidationError as error:
        fault = error.errors()[0]
        name = ".".join(str(part) for part in fault["loc"])
        known = ", ".join(sorted(kind.model_fields)) or "none"
        raise InvalidRequest(
            f"The option '{name}' of the {spec.capability} engine '{spec.engine}' is wrong ({fault['msg']}); "
            f"its options are: {known}."
        ) from error
