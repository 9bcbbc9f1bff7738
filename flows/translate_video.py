"""Translate one video into one or more languages."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import Annotated

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from dubline.cast_file import voices_for
from dubline.profiles import Profile
from dubline.publication import Manifest
from dubline.request import TranslateRequest, pair
from dubline.storage.results import Audio, Dub, OrderedPicture, Source, Stems, Subtitles, Words
from dubline.telemetry import progress
from flows.before import already_done, make_room, require_possible
from flows.key import request_key
from flows.mend import Scripts, mended_lines, mended_script, mended_take, require_lines
from flows.names import titled
from flows.tracks import chosen_track
from tasks import check
from tasks.attribute import attribute
from tasks.burn_in import burn_in
from tasks.configure import know_profile, use_media_store, use_store_of_session
from tasks.diarize import diarize
from tasks.elsewhere import cancel_children
from tasks.ending import end_when_told, ended_when_cancelled
from tasks.extract_audio import extract_audio
from tasks.gate import Gates, start_host
from tasks.identify_language import original_language
from tasks.ingest import ingest
from tasks.mix import mix
from tasks.mux import mux
from tasks.order_frames import order_frames
from tasks.place import place
from tasks.plan_speech import plan_speech
from tasks.publish import publish
from tasks.separate import separate
from tasks.session import SessionRun, session_of
from tasks.shown import deployed, progress_shown, result_shown, result_shown_again, tagged
from tasks.stage import Stages
from tasks.subtitle import subtitle, subtitle_source
from tasks.synthesize import synthesize
from tasks.transcribe import transcribe
from tasks.translate import translate

PARALLEL_TASKS = 6
# Where parameters are wrong, Prefect prints them all into the worker's log: addresses with their tokens, edited lines.
# What is wrong with which one is in the error, too.
logging.getLogger("prefect.flows").addFilter(lambda record: "\nParameters: " not in record.getMessage())


@flow(
    name="translate-video",
    flow_run_name="{request.video.name}",
    task_runner=ThreadPoolTaskRunner(max_workers=PARALLEL_TASKS),  # type: ignore[arg-type]  # Prefect's own generic
    persist_result=False,
    on_cancellation=[cancel_children],
)
async def translate_video(request: Annotated[TranslateRequest, titled("Request")]) -> Manifest:
    """From a source video to dubbed videos, subtitles and reports in the request's folder.

    Args:
        request: What is translated, into what, and where the results go.
    """
    if deployed():
        end_when_told(request.out)
    await use_media_store()
    if request.session:
        await use_store_of_session(request.session.tenant, request.session.id)
    await know_profile(request.profile)
    async with session_of(request) as session:
        await tagged(request.profile, *session.request.languages)  # people may have added languages to a session
        return await translated(session)


async def translated(session: SessionRun) -> Manifest:
    """What is done already, or made now."""
    request = session.request
    profile = require_possible(request)
    async with progress_shown(request.languages), ended_when_cancelled(request.out):
        if done := await asyncio.to_thread(already_done, request):  # it reads the video, and what was published
            await result_shown_again(request.out, done)
            await session.done(done)
            return done
        if request.edits:
            start_host()  # all but a line is known, so this import is what somebody would wait for
        await asyncio.to_thread(make_room, request)
        return await made(session, profile)


async def made(session: SessionRun, profile: Profile) -> Manifest:
    """Every stage, one after the other or side by side."""
    request = session.request
    stages = Stages(request.refresh)
    async with Gates(stages) as gates:
        source = await stages(ingest, str(request.video), request.track)
        progress.announce(source.duration_ms / 1000)
        source, told = await chosen_track(source, request, profile, stages)
        (audio, stems, words, scripts), ordered = await asyncio.gather(
            hear(source, request, profile, stages, gates), in_order(source, stages)
        )
        script = scripts.mended if scripts else None
        require_lines(script, request)
        if scripts is None or audio is None or stems is None or not scripts.mended.segments:
            dubs = await gathered(*(keep(source, ordered, lang, stages, gates) for lang in request.languages))
        else:
            heard = await stages(subtitle_source, scripts.mended, source.duration_ms, source.picture)
            dubs = await gathered(
                *(
                    dub(source, ordered, audio, stems, scripts, heard, words, lang, profile, request, stages, gates)
                    for lang in request.languages
                )
            )
        if request.burn_in:
            dubs = await gathered(*(burned(source, made, stages) for made in dubs))
        judged = await gates.passed()
    key = request_key(request, source.file.sha256)
    manifest = await stages(publish, request, key, source, told, audio, words, script, dubs, judged, stages.timed)
    await result_shown(request.out, manifest, judged, stages.timed)
    await session.done(manifest, judged, stages.timed)
    return manifest


async def hear(
    source: Source, request: TranslateRequest, profile: Profile, stages: Stages, gates: Gates
) -> tuple[Audio | None, Stems | None, Words | None, Scripts | None]:
    """What is said in the video, by whom, over what; no script where there is no sound, one without lines where nothing
    was recognized."""
    if source.dubbed_track is None:
        gates.open(check.check_media, source, None)
        return None, None, None, None
    audio = await stages(extract_audio, source)
    try:
        recognizing = await stages.ahead(transcribe, audio, request.source_language, profile.asr)
    finally:
        gates.open(check.check_media, source, audio)  # also where the recognizer fails: this may say why
    words, turns, stems = await asyncio.gather(
        recognizing,
        stages(diarize, audio, profile.diarization),
        stages(separate, audio, profile.separation),
    )
    for target in request.languages if words.count else ():
        pair(profile, words.language, target)
    heard = await stages(attribute, audio, stems, words, turns)
    scripts = await mended_script(heard, request, source.duration_ms, stages)
    gates.open(check.check_segments, scripts.mended, max(source.duration_ms, audio.duration_ms))
    gates.open(check.check_transcript, scripts.mended, turns, request.source_language)
    return audio, stems, words, scripts


async def in_order(source: Source, stages: Stages) -> OrderedPicture | None:
    """The picture with its frames in order, where the source has them in disorder."""
    return await stages(order_frames, source) if source.picture and source.picture.disordered else None


async def dub(
    source: Source,
    ordered: OrderedPicture | None,
    audio: Audio,
    stems: Stems,
    scripts: Scripts,
    heard: Subtitles,
    words: Words | None,
    language: str,
    profile: Profile,
    request: TranslateRequest,
    stages: Stages,
    gates: Gates,
) -> Dub:
    """Everything that one target language needs."""
    stages, gates = stages.speaking(language), gates.speaking(language)
    script = scripts.mended
    glossary = request.glossary.speaking(language)
    told = await stages(translate, scripts.heard, language, profile.translation, glossary)
    lines = await mended_lines(scripts, told, language, profile, request, stages)
    gates.open(check.check_translation, script, lines)
    chosen = voices_for(request.voices, language)
    plan = await stages(plan_speech, scripts.heard, told, profile.speech, source.duration_ms, chosen)
    await gates.passed()  # speech is the costly part: none is made from a faulty script
    take = await stages(synthesize, scripts.heard, plan, profile.speech, source.duration_ms)
    edited = await mended_take(scripts, told, lines, take, profile, request, source.duration_ms, stages)
    plan, clips = edited.plan, edited.clips
    gates.open(check.check_speech, plan, clips)
    timeline = await stages(place, script, plan, clips, source.duration_ms)
    gates.open(check.check_timeline, script, plan, timeline)
    spoken, mixed = await asyncio.gather(
        stages(subtitle, script, plan, timeline, source.duration_ms, source.picture),
        stages(mix, audio, stems, script, plan, clips, timeline, request.loudness),
    )
    video = await stages(mux, source, mixed, (spoken, heard), language, original_language(words), ordered)
    gates.open(check.check_output, source, audio, mixed, video, (spoken, heard), language, request.loudness)
    return Dub(
        language=language,
        lines=lines,
        plan=plan,
        cast=take.plan,
        clips=clips,
        timeline=timeline,
        subtitles=spoken,
        source_subtitles=heard,
        mix=mixed,
        video=video,
    )


async def keep(source: Source, ordered: OrderedPicture | None, language: str, stages: Stages, gates: Gates) -> Dub:
    """Where there is nothing to dub, the video with its original sound."""
    video = await stages.speaking(language)(mux, source, None, (), language, None, ordered)
    gates.speaking(language).open(check.check_output, source, None, None, video, (), language, None)
    return Dub(language=language, video=video)


async def burned(source: Source, made: Dub, stages: Stages) -> Dub:
    """The dub with a further video that has its subtitles in the picture; as it is where that cannot be made."""
    if made.subtitles is None or (source.picture and not source.picture.drawable):
        return made
    video = await stages.speaking(made.language)(burn_in, made.video, made.subtitles, source.duration_ms)
    return made.model_copy(update={"burned": video})


async def gathered(*jobs: Awaitable[Dub]) -> tuple[Dub, ...]:
    return tuple(await asyncio.gather(*jobs))
