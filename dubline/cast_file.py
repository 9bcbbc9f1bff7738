"""Who speaks with which voice, as a person says it (`--voice`, `--cast`) and as a run writes it (cast.yaml)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dubline.domain.casting import register_of
from dubline.domain.errors import InvalidRequest
from dubline.domain.transcript import Transcript
from dubline.storage.value import Value

CAST = "cast.yaml"
_HEAD = """\
# Who speaks in this video, and with which voice. Change a voice, then run the same command with --cast and this file.
"""


class VoiceOverride(Value):
    """A person's choice."""

    model_config = ConfigDict(title="Voice of a speaker")

    speaker: str = Field(description="Name of the speaker in cast.yaml, such as S1.")
    voice: str = Field(description="Name of the voice, such as em_alex.")
    language: str | None = Field(
        default=None, description="The target language that it holds for; all of them when not given."
    )


class CastEntry(BaseModel):
    """What cast.yaml says of a speaker; only `voices` is read back."""

    model_config = ConfigDict(extra="forbid")

    register_: str | None = Field(default=None, alias="register")
    median_f0_hz: float | None = None
    speech_s: float | None = None
    first_line: str | None = None
    voices: dict[str, str] = {}
    """Target language -> voice."""


class CastFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    speakers: dict[str, CastEntry]


def parse(option: str) -> VoiceOverride:
    """`SPEAKER=VOICE`, or `SPEAKER=LANG:VOICE` for one target language. Raises InvalidRequest."""
    speaker, equals, rest = option.partition("=")
    language, colon, voice = rest.rpartition(":")
    if not (speaker and equals and voice) or (colon and not language):
        raise InvalidRequest(f"'{option}' is no choice of a voice; write it as S1=em_alex, or S1=es:em_alex.")
    return VoiceOverride(speaker=speaker, voice=voice, language=language or None)


def read(path: Path) -> tuple[VoiceOverride, ...]:
    """The voices of a cast file. Raises InvalidRequest."""
    try:
        cast = CastFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"The cast file {path} cannot be read: {error}.") from error
    except yaml.YAMLError as error:
        raise InvalidRequest(f"The cast file {path} is not YAML: {' '.join(str(error).split())}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise InvalidRequest(f"The cast file {path} is wrong at {place}: {first['msg']}.") from error
    return tuple(
        VoiceOverride(speaker=speaker, voice=voice, language=language)
        for speaker, entry in cast.speakers.items()
        for language, voice in entry.voices.items()
    )


def voices_for(overrides: Iterable[VoiceOverride], language: str) -> dict[str, str]:
    """Speaker -> voice in one target language; of two choices for a speaker the later holds."""
    return {one.speaker: one.voice for one in overrides if one.language in (None, language)}


def written(transcript: Transcript, voices: Mapping[str, Mapping[str, str]]) -> str:
    """The text of cast.yaml. `voices` is target language -> speaker -> voice."""
    entries = {}
    for speaker in transcript.speakers:
        name = speaker.id
        entries[name] = {
            "register": register_of(speaker),
            "median_f0_hz": speaker.median_f0_hz and round(speaker.median_f0_hz, 1),
            "speech_s": round(speaker.speech_ms / 1000, 1),
            "first_line": next((s.text for s in transcript.segments if s.speaker == name), None),
            "voices": {language: chosen[name] for language, chosen in voices.items() if name in chosen},
        }
    return _HEAD + yaml.safe_dump({"speakers": entries}, sort_keys=False, allow_unicode=True, width=10**6)
