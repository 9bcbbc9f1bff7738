"""What a run would refuse is refused here, before anything is stored: what is known of the profile and of the lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dubline.domain import mending
from dubline.domain.errors import InvalidRequest, ServiceUnavailable
from dubline.domain.time import Span
from dubline.gateway import catalog, reading
from dubline.gateway.errors import invalid
from dubline.gateway.reading import Published
from dubline.gateway.services import Services
from dubline.storage.offers import ProfileOffered
from dubline.storage.sessions import revision, store
from dubline.storage.sessions.model import Session

WAS = "was"
"""Of an edit of a line's times: what they were before anybody edited them."""


async def request(having: Services, asked: dict[str, Any]) -> None:
    """Of a session that is to be made. Raises Refused or UnsupportedLanguage."""
    profile = await _profile(having, asked["profile"])
    if profile is None:
        return
    for target in asked["languages"]:
        catalog.require_pair(profile, asked.get("source_language"), target)
    for number, choice in enumerate(asked.get("voices", ())):
        for target in [choice["language"]] if choice.get("language") else asked["languages"]:
            catalog.require_voice(profile, target, choice["voice"], f"body.voices.{number}.voice")


async def edit(having: Services, session: Session, what: dict[str, Any]) -> dict[str, Any]:
    """The edit as it is to be kept. Raises Refused, InvalidRequest or UnsupportedLanguage."""
    found = await reading.published(session)
    profile = await _profile(having, session.request["profile"], session) if _is_judged(what) else None
    before = [one.edit for one in await store.edits(having.database, session.id, session.revision)]
    kind = what["kind"]
    if kind == revision.LANGUAGE:
        if profile:
            await _language(having, session, profile, found, what["language"])
    elif kind == revision.CAST and profile:
        catalog.require_voice(profile, what["voice"]["language"], what["voice"]["voice"], "body.voice")
    elif kind == revision.LINE:
        line = what["line"]
        if profile:
            catalog.require_voice(profile, line["language"], line["voice"], "body.voice")
        if "start_ms" in line:
            what = what | {WAS: _unedited(found, before, line["segment"])}
            _require_times(found, [*before, what])
    elif kind == revision.UNDO:
        _require_times(found, [*before, what])
    return what


def _is_judged(what: dict[str, Any]) -> bool:
    """Whether an edit asks something of the profile. Others are taken also while it is not offered."""
    kind = what["kind"]
    return kind in (revision.LANGUAGE, revision.CAST) or (kind == revision.LINE and bool(what["line"].get("voice")))


async def _profile(having: Services, name: str, session: Session | None = None) -> ProfileOffered | None:
    """None where it is one of which nothing is known here, such as a block of Prefect's."""
    found = (offered := await catalog.offered(having.database)).get(name)
    if found or session:
        return found
    try:
        if await having.runs.has_profile(name):
            return None
    except ServiceUnavailable:
        return None  # the run will tell
    names = ", ".join(one.name for one in offered.profiles) or "none"
    raise invalid("body.profile", f"There is no profile '{name}'; use one of: {names}.")


async def _language(having: Services, session: Session, profile: ProfileOffered, found: Published, target: str) -> None:
    source = found.manifest.source_language or session.request.get("source_language")
    catalog.require_pair(profile, source, target)
    asked = await store.asked(having.database, session, session.revision)
    for choice in asked["voices"]:
        if choice.get("language") in (None, target):
            catalog.require_voice(profile, target, choice["voice"], "body.language")


@dataclass(frozen=True, slots=True)
class _Line:
    id: str
    speaker: str
    span: Span


def _require_times(found: Published, edits: Sequence[dict[str, Any]]) -> None:
    """As the run will ask of the lines. Raises Refused."""
    lines, moved = _lines(found, edits)
    try:
        mending.require_times(lines, moved, found.manifest.duration_ms)
    except InvalidRequest as error:
        raise invalid("body.start_ms", str(error)) from None


def _lines(found: Published, edits: Sequence[dict[str, Any]]) -> tuple[list[_Line], set[str]]:
    """The lines with all those edits, and the ids of those that are moved by them."""
    moved = _moved(edits)
    unedited = {edit["line"]["segment"]: Span(*edit[WAS]) for edit in reversed(edits) if edit.get(WAS)}
    lines = [
        _Line(line.segment, line.speaker, moved.get(line.segment) or unedited.get(line.segment) or span)
        for line, span in _served(found)
    ]
    return lines, set(moved)


def _moved(edits: Sequence[dict[str, Any]]) -> dict[str, Span]:
    lines = revision.asked({"languages": []}, edits).get("edits", ())
    return {line["segment"]: Span(line["start_ms"], line["end_ms"]) for line in lines if "start_ms" in line}


def _unedited(found: Published, before: Sequence[dict[str, Any]], segment: str) -> list[int] | None:
    """Times of a line that nobody has moved yet; None where that is told already, or not known any more."""
    if any(
        edit["kind"] == revision.LINE and edit["line"]["segment"] == segment and "start_ms" in edit["line"]
        for edit in before
    ):
        return None
    span = next(span for line, span in _served(found) if line.segment == segment)
    return [span.start_ms, span.end_ms]


def _served(found: Published) -> Iterator[Any]:
    for line in found.manifest.dubs[0].lines:
        yield line, Span(line.source_start_ms, line.source_end_ms)
