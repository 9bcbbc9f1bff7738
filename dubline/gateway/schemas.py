"""What goes in and out over REST."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from dubline.domain.errors import UnsupportedLanguage
from dubline.domain.languages import language
from dubline.edits import LineEdit
from dubline.gateway.access import Permission
from dubline.storage.accounts import Role
from dubline.storage.sessions.model import Failure, State
from dubline.storage.value import Value

MOST_LANGUAGES = 10
MOST_TERMS = 5000
LATEST_MS = 100 * 3_600_000
"""No video is that long."""


class Body(Value):
    """What comes in: what is not known is refused, and no text is quoted in an error."""

    model_config = ConfigDict(hide_input_in_errors=True)


class Shown(BaseModel):
    """What goes out."""

    model_config = ConfigDict(frozen=True)


def _printable(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("has control characters, or nothing else")
    return text.strip()


def _language(code: str) -> str:
    try:
        return language(code).code
    except UnsupportedLanguage as error:
        raise ValueError(str(error)) from None


def _web(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is no http(s) address")
    return url


Address = Annotated[str, Field(max_length=1100), AfterValidator(_printable)]
Title = Annotated[str, Field(max_length=300), AfterValidator(_printable)]
Code = Annotated[str, Field(max_length=20), AfterValidator(_language)]
Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_printable)]
Text = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_printable)]
Instant = Annotated[int, Field(ge=0, le=LATEST_MS)]


FORM = "^[0-9a-f]{32}$"
"""Of the ids of sessions and uploads."""
Id = Annotated[str, Field(pattern=FORM)]
EventNumber = Annotated[int, Field(ge=0, le=2**31 - 1)]
IdempotencyKey = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]


class SourceBody(Body):
    """One of three places."""

    upload: str | None = Field(default=None, description="Id of a finished upload.")
    url: Annotated[Address, AfterValidator(_web)] | None = Field(
        default=None, description="An http(s) address with the video."
    )
    object: Address | None = Field(
        default=None, pattern=r"^s3://[a-z0-9][a-z0-9.-]+/.*[^/]$", description="s3://bucket/key."
    )

    @model_validator(mode="after")
    def _one(self) -> SourceBody:
        if sum(place is not None for place in (self.upload, self.url, self.object)) != 1:
            raise ValueError("name one of upload, url and object")
        return self


class TermBody(Body):
    source: Text
    target: Text | None = Field(default=None, description="The fixed translation; without it the term stays as it is.")
    language: Code | None = Field(default=None, description="The target language it is for; all when not given.")


class VoiceBody(Body):
    speaker: Name
    voice: Name
    language: Code | None = None


class WebhookBody(Body):
    """Who is told when the session ends: a POST, signed with HMAC-SHA256 of this secret, repeated until it succeeds."""

    url: Annotated[Address, AfterValidator(_web)]
    secret: str = Field(min_length=16, max_length=200)


class NewSessionBody(Body):
    source: SourceBody
    languages: list[Code] = Field(min_length=1, max_length=MOST_LANGUAGES, description="Target languages.")
    title: Title | None = Field(default=None, description="The file's name when not given.")
    source_language: Code | None = Field(default=None, description="Found by listening when not given.")
    track: Annotated[str, Field(max_length=200), AfterValidator(_printable)] | None = Field(
        default=None,
        description="The audio track to dub, by its number from 1 on or its title; found by language and voices when "
        "not given.",
    )
    profile: Name = Field(default="offline", description="Which engines; GET /v1/profiles lists them.")
    glossary: list[TermBody] = Field(default=[], max_length=MOST_TERMS)
    voices: list[VoiceBody] = Field(default=[], max_length=100)
    burn_in: bool = False
    loudness: float | None = Field(
        default=None, ge=-40, le=-8, allow_inf_nan=False, description="LUFS; the source's own when not given."
    )
    keep_days: int | None = Field(default=None, ge=1, le=3650, description="After so many days it is deleted.")
    webhook: WebhookBody | None = None

    def request(self) -> dict[str, Any]:
        """As `TranslateRequest` has it; of what says where things are, an address only."""
        plain = self.model_dump(mode="json", exclude={"source", "title", "keep_days", "webhook", "glossary"})
        terms = [term.model_dump(mode="json") for term in self.glossary]
        video = {"video": self.source.url} if self.source.url else {}
        return plain | {"languages": list(dict.fromkeys(self.languages)), "glossary": {"terms": terms}} | video


class SessionShown(Shown):
    id: str
    title: str
    owner: str
    state: State
    languages: list[str]
    source: Literal["upload", "url", "object"] = Field(description="Only an upload can be watched, at /source.")
    source_language: str | None
    profile: str
    stage: str | None = Field(description="What is being done.")
    fraction: float = Field(description="Finished share of the present run, 0..1.")
    eta_s: float | None = Field(description="Seconds until it is done; null where nothing can be said.")
    revision: int = Field(description="Counts the changes that people made.")
    dubbed: int | None = Field(description="The newest revision that is finished; null before the first.")
    duration_s: float | None
    warnings: list[str]
    flagged: int | None = Field(description="Lines that a quality gate wants looked at.")
    error: Failure | None
    created: datetime
    changed: datetime
    expires: datetime | None
    run: str | None = Field(description="Its flow run in the Prefect UI.")
    last_event: int = Field(description="Number of its last event: follow those `after` it.")


class SessionPage(Shown):
    sessions: list[SessionShown]
    next: str | None = Field(description="The cursor of the next page; null at the end.")


class StageShown(Shown):
    name: str
    state: Literal["waiting", "running", "done", "cached", "failed"]
    fraction: float


class ArtifactShown(Shown):
    path: str = Field(description="To be asked for at /v1/sessions/{id}/artifacts/{path}.")
    role: str
    language: str | None
    sha256: str


class PhraseShown(Shown):
    text: str
    start_ms: int
    end_ms: int
    clip: str = Field(description="Path of the untouched clip among the artifacts.")


class LineShown(Shown):
    segment: str
    speaker: str
    voice: str
    source_start_ms: int
    source_end_ms: int
    source_text: str
    text: str
    start_ms: int
    end_ms: int
    flags: list[str]
    findings: list[str] = Field(description="Rules of the quality gates that it breaks.")
    edited: bool = Field(description="Whether people changed it, and so can take that back.")
    phrases: list[PhraseShown]


class LinesShown(Shown):
    language: str
    revision: int
    lines: list[LineShown]


class LineBody(Body):
    """What is to be other in a line; what is left out stays."""

    source_text: str | None = Field(default=None, max_length=1000, description="What is said in the source.")
    text: str | None = Field(default=None, max_length=1000, description="The translation as it is to be spoken.")
    voice: str | None = Field(default=None, max_length=100)
    start_ms: Instant | None = Field(default=None, description="When the source says it; with end_ms.")
    end_ms: Instant | None = None
    keep_original: bool | None = Field(default=None, description="Leave the line undubbed.")

    def edit(self, segment: str, language_: str) -> LineEdit:
        """Raises ValidationError for what cannot be spoken, or changes nothing."""
        given = self.model_dump(exclude_none=True)
        own = {"text", "voice", "keep_original"} & given.keys()
        return LineEdit.model_validate({"segment": segment, "language": language_ if own else None, **given})


class SpeakerBody(Body):
    voice: Name


class LanguageBody(Body):
    language: Code


class KeyBody(Body):
    name: Name
    role: Role = Role.EDITOR
    scopes: list[Permission] = Field(default=[], max_length=10, description="Permissions it is restricted to.")
    days: int | None = Field(default=None, ge=1, le=3650, description="How long it is valid.")


class KeyShown(Shown):
    id: str
    name: str
    role: Role
    scopes: list[str]
    created: datetime
    expires: datetime | None
    revoked: datetime | None
    used: datetime | None


class NewKeyShown(KeyShown):
    secret: str = Field(description="Shown this once: `Authorization: Bearer <secret>`.")
