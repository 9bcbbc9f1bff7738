"""What the profiles offer, as package data: the gateway knows it without importing an engine.

`python -m scripts.catalog` writes it from the engines; a test fails when the two differ.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from dubline.domain.errors import InvalidRequest, UnsupportedLanguage

DATA = Path(__file__).parent / "catalog.json"


class VoiceOffered(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str
    register_: str = Field(alias="register")
    native: bool


class ProfileOffered(BaseModel):
    """What one profile can do."""

    model_config = ConfigDict(frozen=True)

    name: str
    description: str
    engines: dict[str, str]
    """Capability -> engine."""
    licences: dict[str, str]
    """Model -> licence."""
    pairs: dict[str, list[str]]
    """Source language -> target languages; `*` stands for every source that has no entry."""
    voices: dict[str, list[VoiceOffered]]
    """Target language -> voices."""


class Catalog(BaseModel):
    model_config = ConfigDict(frozen=True)

    profiles: list[ProfileOffered]


@lru_cache(maxsize=1)
def catalog() -> Catalog:
    return Catalog.model_validate(json.loads(DATA.read_text(encoding="utf-8")))


def check(request: dict[str, Any]) -> None:
    """Refuse at once what a profile of the catalogue cannot do; of others the workers know more.

    Raises InvalidRequest or UnsupportedLanguage.
    """
    found = next((one for one in catalog().profiles if one.name == request["profile"]), None)
    if found is None:
        return
    source = request.get("source_language")
    some = found.pairs.get(source, found.pairs.get("*", [])) if source else None
    targets = {one for all_ in found.pairs.values() for one in all_} if some is None else set(some) - {source}
    for target in request["languages"]:
        if target not in found.voices:
            raise UnsupportedLanguage(
                f"The profile '{found.name}' has no voice for '{target}'; choose another profile."
            )
        if target not in targets:
            spoken = f" from '{source}'" if source else ""
            raise UnsupportedLanguage(
                f"The profile '{found.name}' cannot translate{spoken} into '{target}'; choose another profile."
            )
    for choice in request.get("voices", ()):
        _known_voice(found, choice)


def _known_voice(profile: ProfileOffered, choice: dict[str, Any]) -> None:
    languages = [choice["language"]] if choice.get("language") else list(profile.voices)
    offered = {voice.id for language in languages for voice in profile.voices.get(language, ())}
    if choice["voice"] not in offered:
        raise InvalidRequest(f"There is no voice '{choice['voice']}'; GET /v1/profiles lists them.")
