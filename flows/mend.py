"""A person's edits of single lines within a run: which further stages they ask for. Without edits there are none."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from dubline.domain.errors import InvalidRequest
from dubline.edits import in_source, speaking
from dubline.profiles import Profile
from dubline.request import TranslateRequest
from dubline.storage.results import Lines, Script, Take
from tasks.mend import mend_lines, mend_plan, mend_source, stored
from tasks.stage import Stages
from tasks.synthesize import speak_again
from tasks.translate import translate_again


@dataclass(frozen=True, slots=True)
class Scripts:
    """What was heard, and the same with a person's edits: one value where nobody edited it."""

    heard: Script
    mended: Script


async def mended_script(heard: Script, request: TranslateRequest, duration_ms: int, stages: Stages) -> Scripts:
    """Raises InvalidRequest for edits that the transcript has no place for."""
    if not request.edits or not heard.segments:
        return Scripts(heard, heard)
    edits = await asyncio.to_thread(stored, in_source(request.edits))
    return Scripts(heard, await stages(mend_source, heard, edits, duration_ms))


def require_lines(script: Script | None, request: TranslateRequest) -> None:
    """Raises InvalidRequest where lines were edited and nothing was recognized."""
    if request.edits and (script is None or not script.segments):
        raise InvalidRequest("There are no lines to edit: nothing was recognized in the video; leave the edits out.")


async def mended_lines(
    scripts: Scripts, lines: Lines, language: str, profile: Profile, request: TranslateRequest, stages: Stages
) -> Lines:
    """The translation with what a person edited; lines whose source was edited are translated again, and only they."""
    mends = speaking(request.edits, language)
    rewritten = {mend.segment for mend in in_source(request.edits).lines if mend.source_text is not None}
    given = {mend.segment for mend in mends.lines if mend.text is not None}
    if not rewritten and not given:
        return lines
    edits, again = await asyncio.to_thread(stored, mends), None
    if rewritten - given:
        glossary = request.glossary.speaking(language)
        again = await stages(
            translate_again, scripts.heard, scripts.mended, language, profile.translation, glossary, edits
        )
    return await stages(mend_lines, lines, again, edits)


async def mended_take(
    scripts: Scripts,
    told: Lines,
    lines: Lines,
    take: Take,
    profile: Profile,
    request: TranslateRequest,
    duration_ms: int,
    stages: Stages,
) -> Take:
    """The speech with edited lines planned and spoken anew. `told` and `take` are without the edits, `lines` with."""
    mends = speaking(request.edits, lines.language)
    if not mends.lines and scripts.mended == scripts.heard:
        return take
    edits = await asyncio.to_thread(stored, mends)
    plan = await stages(
        mend_plan, scripts.heard, scripts.mended, told, lines, take.plan, edits, profile.speech, duration_ms
    )
    return await stages(speak_again, scripts.mended, take, plan, profile.speech, duration_ms)
