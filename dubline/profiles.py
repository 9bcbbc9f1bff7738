"""A profile names the engine of each capability: a YAML file in the profiles' folder. Unknown keys are refused."""

from __future__ import annotations

from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from dubline.domain.errors import InvalidRequest
from dubline.engines.contracts import Capability
from dubline.engines.registry import EngineSpec
from dubline.settings import settings

_CAPABILITIES: tuple[Capability, ...] = ("asr", "diarization", "separation", "translation", "speech")


class Profile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    description: str
    asr: EngineSpec
    diarization: EngineSpec
    separation: EngineSpec
    translation: EngineSpec
    speech: EngineSpec

    @model_validator(mode="before")
    @classmethod
    def _name_capabilities(cls, data: Any) -> Any:
        """A section's name is its engine's capability, so the file need not repeat it."""
        if not isinstance(data, dict):
            return data
        named = {c: {"capability": c, **data[c]} for c in _CAPABILITIES if isinstance(data.get(c), dict)}
        return data | named

    @property
    def engines(self) -> tuple[EngineSpec, ...]:
        return (self.asr, self.diarization, self.separation, self.translation, self.speech)


_added: dict[str, Profile] = {}


def add(profile: Profile) -> None:
    """Know a profile that is no file for as long as this process lives."""
    _added[profile.name] = profile


def names() -> tuple[str, ...]:
    return tuple(sorted({*_added, *(path.stem for path in settings().profiles.glob("*.yaml"))}))


def load(name: str) -> Profile:
    """Raises InvalidRequest for a name that does not exist (it lists those that do) and for a file that is wrong."""
    if name in _added:
        return _added[name]
    if name not in names():
        raise InvalidRequest(f"There is no profile '{name}'; use one of: {', '.join(names())}.")
    path = settings().profiles / f"{name}.yaml"
    try:
        return Profile.model_validate({"name": name, **yaml.safe_load(path.read_text(encoding="utf-8"))})
    except (ValidationError, yaml.YAMLError) as error:
        raise InvalidRequest(f"The profile {path} is wrong: {_first_fault(error)}.") from error


def _first_fault(error: Exception) -> str:
    if isinstance(error, ValidationError):
        fault = error.errors()[0]
        return f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
    return " ".join(str(error).split())
