"""What a person asks for: one video, its target languages, and with which engines."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from dubline import profiles
from dubline.cast_file import VoiceOverride, voices_for
from dubline.domain.errors import InvalidRequest, UnsupportedLanguage
from dubline.domain.glossary import NO_GLOSSARY, Glossary
from dubline.domain.languages import language
from dubline.edits import LineEdit
from dubline.engines.registry import engine_class
from dubline.profiles import Profile
from dubline.stages import STAGES
from dubline.storage.locations import Location, VideoLocation
from dubline.storage.value import Value


def in_order(schema: dict[str, Any]) -> None:
    """Number a schema's properties: the database of Prefect's server does not keep their order, and forms show them."""
    for position, one in enumerate(schema["properties"].values()):
        one["position"] = position


LanguageCode = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^[a-z]{2,3}(-[a-z]+)?$"})]
"""For programs and forms; `domain.languages` knows which there are, and says what may be meant by another."""


def _known(code: str) -> str:
    try:
        return language(code).code
    except UnsupportedLanguage as error:
        raise ValueError(str(error)) from None


KnownLanguage = Annotated[LanguageCode, AfterValidator(_known)]
"""One that is looked up where it is written down, because what follows from it comes much later."""


TrackName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
"""An audio track's number or title; what a video has is known once it was looked into."""


class SessionReference(Value):
    """The session that a run works for; what it asks for at that revision stands in the database."""

    model_config = ConfigDict(title="Session")

    id: str = Field(title="Session ID", description="Id of the session, as the gateway made it.")
    tenant: str = Field(description="Whose session it is.")
    revision: int = Field(description="Which of the changes that people made is worked on.")
    attempt: int = Field(description="Which of the runs for that revision this one is.")


class TranslateRequest(Value):
    """What is translated, into what, and where the results go."""

    model_config = ConfigDict(title="Request", json_schema_extra=in_order)

    video: VideoLocation = Field(
        description="The video to translate: a path, s3://bucket/key or an https:// address. It is never changed."
    )
    languages: tuple[LanguageCode, ...] = Field(
        title="Target languages",
        min_length=1,
        description="Languages into which the video is translated, as ISO 639-1 codes.",
    )
    out: Location = Field(
        title="Folder for results",
        description="Folder for the dubbed videos, subtitles and reports: a path, or s3://bucket/prefix.",
    )
    source_language: LanguageCode | None = Field(
        default=None, description="Spoken language; found by the recognizer when not given."
    )
    track: TrackName | None = Field(
        default=None,
        title="Audio track",
        description="The audio track to dub, by its number from 1 on or its title; found by language and voices when "
        "not given.",
    )
    profile: str = Field(
        default="offline",
        description="Which engines: a profile's file in deployments/profiles, or a block 'dubline-engine-profile'.",
    )
    glossary: Glossary = Field(
        default=NO_GLOSSARY, description="Terms with their fixed translations; its content, not a file's name."
    )
    voices: tuple[VoiceOverride, ...] = Field(
        default=(), description="Voices chosen by a person; the later of two choices for a speaker holds."
    )
    edits: tuple[LineEdit, ...] = Field(
        default=(), description="Edits of single lines, in order; the later of two of the same thing holds."
    )
    burn_in: bool = Field(
        default=False,
        title="Subtitles in the picture",
        description="Make a further video with the subtitles in its picture.",
    )
    loudness: float | None = Field(
        default=None,
        ge=-40,
        le=-8,
        title="Loudness in LUFS",
        description="Loudness of the dub; the source's own when not given.",
    )
    refresh: Annotated[str, WithJsonSchema({"type": "string", "enum": list(STAGES)})] | None = Field(
        default=None,
        title="Recompute from",
        description="The first stage that is done anew, whatever is recorded; none when not given.",
    )
    session: SessionReference | None = Field(
        default=None,
        title="Session",
        description="Leave it empty: the gateway names the session here that is told of the progress.",
    )


def accept(request: TranslateRequest) -> Profile:
    """Say before any work starts what cannot be done. Returns the profile.

    Raises InvalidRequest or UnsupportedLanguage. A pair can be refused only when the source language was given; `pair`
    looks again once the recognizer has found it.
    """
    profile = profiles.load(request.profile)
    if request.refresh is not None and request.refresh not in STAGES:
        raise InvalidRequest(f"There is no stage '{request.refresh}' to refresh; use one of: {', '.join(STAGES)}.")
    source = request.source_language
    if source is not None and not engine_class(profile.asr).recognizes(language(source).code):
        raise UnsupportedLanguage(
            f"The recognizer {profile.asr.engine} does not know '{source}'; choose another profile or language."
        )
    for target in request.languages:
        if not engine_class(profile.speech).voices(language(target).code):
            raise UnsupportedLanguage(
                f"The speech engine {profile.speech.engine} has no voice for '{target}'; choose another profile."
            )
        _check_voices(request, profile, target)
        if source is not None:
            pair(profile, source, target)
    for edit in request.edits:
        _check_edit(edit, request, profile)
    return profile


def _check_voices(request: TranslateRequest, profile: Profile, target: str) -> None:
    """Whether the speakers are there is known only once the video was heard; casting tells."""
    offered = [voice.id for voice in engine_class(profile.speech).voices(language(target).code)]
    for speaker, voice in voices_for(request.voices, target).items():
        if voice not in offered:
            raise InvalidRequest(
                f"There is no voice '{voice}' for '{target}' (asked for the speaker '{speaker}'); "
                f"use one of: {', '.join(offered)}."
            )


def _check_edit(edit: LineEdit, request: TranslateRequest, profile: Profile) -> None:
    """Whether the line is there is known only once the video was heard; `mending.mended_source` tells."""
    if edit.language is None:
        return
    if edit.language not in request.languages:
        raise InvalidRequest(
            f"An edit of the line '{edit.segment}' is for '{edit.language}', into which the video is not translated; "
            f"use one of: {', '.join(request.languages)}."
        )
    offered = [voice.id for voice in engine_class(profile.speech).voices(language(edit.language).code)]
    if edit.voice is not None and edit.voice not in offered:
        raise InvalidRequest(
            f"There is no voice '{edit.voice}' for '{edit.language}' (asked for in an edit of the line "
            f"'{edit.segment}'); use one of: {', '.join(offered)}."
        )


def pair(profile: Profile, source: str, target: str) -> None:
    """Raises UnsupportedLanguage when the profile's translator cannot go from `source` to `target`."""
    if source == target:
        raise UnsupportedLanguage(f"The video is in '{source}' already; choose another target language.")
    translator = engine_class(profile.translation)
    if not translator.supports(profile.translation, source, target):
        raise UnsupportedLanguage(translator.unsupported(profile.translation, source, target))
