"""Translate one video into one or more languages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from dubline.cast_file import voices_for
from dubline.profiles import Profile
from dubline.publication import Manifest
from dubline.request import TranslateRequest, pair
from dubline.storage.results import Audio, Dub, Script, Source, Stems, Subtitles, Words
from dubline.telemetry import progress
from flows.before import already_done, make_room, require_possible
from flows.key import request_key
from tasks import check
from tasks.attribute import attribute
from tasks.burn_in import burn_in
from tasks.configure import know_profile, use_media_store
from tasks.diarize import diarize
from tasks.elsewhere import cancel_children
from tasks.ending import end_when_told
from tasks.extract_audio import extract_audio
from tasks.gate import Gates
from tasks.ingest import ingest
from tasks.mix import mix
from tasks.mux import mux
from tasks.place import place
from tasks.plan_speech import plan_speech
from tasks.publish import publish
from tasks.separate import separate
from tasks.shown import deployed, progress_shown, result_shown
from tasks.stage import Stages
from tasks.subtitle import subtitle, subtitle_source
from tasks.synthesize import retake, synthesize
from tasks.transcribe import transcribe
from tasks.translate import translate

PARALLEL_TASKS = 6


@flow(
    name="translate-video",
    flow_run_name="{request.video.name}",
    task_runner=ThreadPoolTaskRunner(max_workers=PARALLEL_TASKS),  # type: ignore[arg-type]  # Prefect's own generic
    persist_result=False,
    on_cancellation=[cancel_children],
)
async def translate_video(request: TranslateRequest) -> Manifest:
    """From a source video to dubbed videos, subtitles and reports in the request's folder."""
    if deployed():
        end_when_told(request.out)
    await use_media_store()
    await know_profile(request.profile)
    profile = require_possible(request)
    if done := await asyncio.to_thread(already_done, request):
        return done
    make_room(request)
    async with progress_shown(request.languages):
        return await made(request, profile)


async def made(request: TranslateRequest, profile: Profile) -> Manifest:
    """Every stage, one after the other or side by side."""
    stages = Stages(request.refresh)
    async with Gates(stages) as gates:
        source = await stages(ingest, str(request.video))
        progress.announce(source.duration_ms / 1000)
        audio, stems, words, script = await hear(source, request, profile, stages, gates)
        if script is None or audio is None or stems is None:
            dubs = await gathered(*(keep(source, lang, stages, gates) for lang in request.languages))
        else:
            heard = await stages(subtitle_source, script, source.duration_ms, source.picture)
            dubs = await gathered(
                *(
                    dub(source, audio, stems, script, heard, lang, profile, request, stages, gates)
                    for lang in request.languages
                )
            )
        if request.burn_in:
            dubs = await gathered(*(burned(source, made, stages) for made in dubs))
        judged = await gates.passed()
    key = request_key(request, source.file.sha256)
    manifest = await stages(publish, request, key, source, words, script, dubs, judged, stages.timed)
    await result_shown(manifest, judged, stages.timed)
    return manifest


async def hear(
    source: Source, request: TranslateRequest, profile: Profile, stages: Stages, gates: Gates
) -> tuple[Audio | None, Stems | None, Words | None, Script | None]:
    """What is said in the video, by whom, over what; no script where there is no sound or nobody speaks."""
    if source.dubbed_track is None:
        gates.open(check.check_media, source, None)
        return None, None, None, None
    audio = await stages(extract_audio, source)
    gates.open(check.check_media, source, audio)
    words, turns, stems = await asyncio.gather(
        stages(transcribe, audio, request.source_language, profile.asr),
        stages(diarize, audio, profile.diarization),
        stages(separate, audio, profile.separation),
    )
    if words.count == 0:
        return audio, stems, words, None
    for target in request.languages:
        pair(profile, words.language, target)
    script = await stages(attribute, audio, stems, words, turns)
    gates.open(check.check_segments, script, max(source.duration_ms, audio.duration_ms))
    gates.open(check.check_transcript, script, turns, request.source_language)
    return audio, stems, words, script


async def dub(
    source: Source,
    audio: Audio,
    stems: Stems,
    script: Script,
    heard: Subtitles,
    language: str,
    profile: Profile,
    request: TranslateRequest,
    stages: Stages,
    gates: Gates,
) -> Dub:
    """Everything that one target language needs."""
    stages, gates = stages.speaking(language), gates.speaking(language)
    lines = await stages(translate, script, language, profile.translation, request.glossary.speaking(language))
    gates.open(check.check_translation, script, lines)
    chosen = voices_for(request.voices, language)
    plan = await stages(plan_speech, script, lines, profile.speech, source.duration_ms, chosen)
    await gates.passed()  # speech is the costly part: none is made from a faulty script
    first = await stages(synthesize, plan, profile.speech)
    take = await stages(retake, script, plan, first, profile.speech, source.duration_ms)
    plan, clips = take.plan, take.clips
    gates.open(check.check_speech, plan, clips)
    timeline = await stages(place, script, plan, clips, source.duration_ms)
    gates.open(check.check_timeline, script, plan, timeline)
    spoken, mixed = await asyncio.gather(
        stages(subtitle, script, plan, timeline, source.duration_ms, source.picture),
        stages(mix, audio, stems, script, plan, clips, timeline, request.loudness),
    )
    video = await stages(mux, source, mixed, (spoken, heard), language)
    gates.open(check.check_output, source, audio, mixed, video, (spoken, heard), language, request.loudness)
    return Dub(
        language=language,
        lines=lines,
        plan=plan,
        clips=clips,
        timeline=timeline,
        subtitles=spoken,
        source_subtitles=heard,
        mix=mixed,
        video=video,
    )


async def keep(source: Source, language: str, stages: Stages, gates: Gates) -> Dub:
    """Where there is nothing to dub, the video with its original sound."""
    video = await stages.speaking(language)(mux, source, None, (), language)
    gates.speaking(language).open(check.check_output, source, None, None, video, (), language, None)
    return Dub(language=language, video=video)


async def burned(source: Source, made: Dub, stages: Stages) -> Dub:
    """The dub with a further video that has its subtitles in the picture; as it is where there are none."""
    if made.subtitles is None:
        return made
    video = await stages.speaking(made.language)(burn_in, made.video, made.subtitles, source.duration_ms)
    return made.model_copy(update={"burned": video})


async def gathered(*jobs: Awaitable[Dub]) -> tuple[Dub, ...]:
    return tuple(await asyncio.gather(*jobs))
