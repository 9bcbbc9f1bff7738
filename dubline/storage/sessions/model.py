"""The values that the sessions' tables hold."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from functools import cached_property
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from dubline.domain.errors import DublineError, kebab
from dubline.storage import session_files
from dubline.storage.session_files import Files
from dubline.storage.sessions.told import for_tenants
from dubline.storage.value import Value


class State(StrEnum):
    """queued -> running -> done | failed | cancelled; an edit, a further language or a resumption queues it again."""

    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DELETING = "deleting"


WAITING = (State.QUEUED, State.RUNNING)
"""States in which a run may write what it found."""
ENDED = (State.DONE, State.FAILED, State.CANCELLED)


class Source(Value):
    """Where the video comes from, and the name that people know it by."""

    kind: Literal["upload", "url", "object"]
    location: str
    """A path or s3://bucket/key, which a run opens, or an address without its query, which the request has whole."""
    name: str
    size: int | None = None
    """Bytes, where that is known before the run."""

    @property
    def file(self) -> str:
        """Of an upload, its name among the session's files."""
        return f"source/{PurePosixPath(self.location).name}"


class Failure(Value):
    """Why a session has no dub, or why its last changes are not in the one it has."""

    code: Annotated[str, AfterValidator(kebab)]
    """Of the error's type, such as invalid-media. Those of sessions from before are brought into this spelling."""
    message: Annotated[str, AfterValidator(for_tenants)]
    """One sentence: what, where, what to do; without places of the server."""
    retryable: bool = False
    """Whether resuming the session can help by itself."""

    @classmethod
    def of(cls, error: DublineError) -> Failure:
        return cls(code=error.code, message=str(error), retryable=error.retryable)


class Webhook(Value):
    """Who is to be told when the session ends."""

    url: str
    secret: str = Field(repr=False)
    """Signs each call."""


class Session(Value):
    id: str
    tenant: str
    owner: str
    """Who made it: `key:<id>` or `oidc:<subject>`."""
    title: str
    state: State
    languages: tuple[str, ...]
    revision: int
    """Counts what people changed: edits and further languages."""
    running: int | None
    """The revision that the present run makes."""
    dubbed: int | None
    """The newest revision whose results are there."""
    attempt: int
    """How often it was resumed."""
    run: str | None
    """Id of the flow run that works on it, or did last."""
    stage: str | None
    fraction: float
    """Finished share of the present run, 0..1."""
    eta_s: float | None
    """Seconds until it is done, as far as can be told."""
    source: Source
    request: dict[str, Any]
    """Options of the translation, as `TranslateRequest` has them."""
    result: dict[str, Any]
    """Of the newest finished revision: where its files are, duration, quality."""
    error: Failure | None
    webhook: Webhook | None
    key: str | None = Field(default=None, repr=False)
    """Where the session is sealed, what its key is wrapped into."""
    last_event: int
    created: datetime
    changed: datetime
    expires: datetime | None

    @property
    def files(self) -> Files:
        return session_files.files(self.tenant, self.id, self.key)

    @property
    def run_key(self) -> str:
        """The idempotency key of its present run: whoever creates that run creates the same."""
        return f"session-{self.id}-{self.revision}-{self.attempt}"


class Event(Value):
    """Something that happened to a session; numbers of a session have no gaps."""

    session: str
    number: int
    at: datetime
    kind: Literal["state", "stage", "progress", "warning", "edit", "result"]
    data: dict[str, Any]

    @cached_property
    def text(self) -> str:
        """As JSON, without the session: written once for all who follow it."""
        return self.model_dump_json(exclude={"session"})


class Edit(Value):
    """A change that a person made, and the revision that it began."""

    revision: int
    at: datetime
    by: str
    edit: dict[str, Any]
    """A LineEdit (dubline.edits), or the marks of one that was taken back."""
