"""A profile of engines that is no file on the workers."""

from __future__ import annotations

from typing import ClassVar

from prefect.blocks.core import Block
from pydantic import BaseModel, Field

from dubline.profiles import Profile


class Engine(BaseModel):
    """One engine, as in a profile's file."""

    engine: str = Field(description="Name of the engine, such as whisperx.", examples=["whisperx"])
    model: str | None = Field(default=None, description="Its model, as `dubline models list` names it.")
    options: dict[str, str | int | float | bool] = Field(default_factory=dict, description="Options of the engine.")


# Prefect's form heads a group with its class's name and docstring, whatever the field says.
class Recognition(Engine):
    """Turns speech into words."""


class Speakers(Engine):
    """Tells who speaks when."""


class Separation(Engine):
    """Takes the voices out of the sound."""


class Translation(Engine):
    """Renders each line in the target language."""


class Speech(Engine):
    """Speaks the translation."""


class EngineProfile(Block):
    """Which engine does what. A run whose profile has the name of this block uses it."""

    _block_type_name: ClassVar[str] = "Dubline Engine Profile"
    _block_type_slug: ClassVar[str] = "dubline-engine-profile"
    _description: ClassVar[str] = "Which engine recognizes, tells speakers apart, separates, translates and speaks."

    summary: str = Field(title="Summary", description="What this profile is good for, in a sentence.")
    asr: Recognition
    diarization: Speakers
    separation: Separation
    translation: Translation
    speech: Speech

    def profile(self, name: str) -> Profile:
        """Raises pydantic's ValidationError for an engine's option of a wrong kind."""
        engines = {field: getattr(self, field).model_dump() for field in ("asr", "diarization", "separation")}
        engines |= {field: getattr(self, field).model_dump() for field in ("translation", "speech")}
        return Profile.model_validate({"name": name, "description": self.summary, **engines})
