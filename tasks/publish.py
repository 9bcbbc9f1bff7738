"""Put the results where the user asked for them: videos, subtitles, clips, reports, and the manifest last."""

from __future__ import annotations

from datetime import UTC, datetime

from dubline import profiles
from dubline.domain.fitting import FittedTimeline, SpeechPlan
from dubline.domain.transcript import Segment, Transcript, Translation
from dubline.engines.contracts import TranscriptionResult
from dubline.engines.manager import manager
from dubline.publication import Folder, Manifest, ManifestDub, ManifestLine
from dubline.reporting.assemble import assemble
from dubline.reporting.model import RunReport, StageTiming
from dubline.reporting.page import render_html
from dubline.request import TranslateRequest
from dubline.storage.artifacts import local_path
from dubline.storage.results import Dub, Judged, Script, Source, SpokenLine, Words
from tasks.stage import Timing, artifacts, stage


@stage("publish", result=Manifest, checkpoint=False)
def publish(
    request: TranslateRequest,
    key: str,
    source: Source,
    words: Words | None,
    script: Script | None,
    dubs: tuple[Dub, ...],
    judged: tuple[Judged, ...],
    timings: tuple[Timing, ...],
) -> Manifest:
    with Folder(request.out) as folder:
        transcript = artifacts().load_value(script.artifact, Transcript) if script else None
        published = tuple(_dub(folder, request.video.stem, dub, transcript) for dub in dubs)
        manifest = Manifest(
            key=key,
            source=str(request.video),
            source_sha256=source.file.sha256,
            source_language=words.language if words else None,
            duration_ms=source.duration_ms,
            dubbed_track=source.dubbed_track,
            dubs=published,
            files=tuple(folder.files),
            warnings=_warnings(source, script),
            stage_seconds={timing.stage: timing.seconds for timing in timings if not timing.cached},
        )
        report = _report(manifest, request, words, transcript, dubs, judged, timings)
        folder.add("report-json", "report.json", report.model_dump_json(indent=1, by_alias=True))
        folder.add("report-html", "report.html", render_html(report))
        return folder.commit(manifest)


def _report(
    manifest: Manifest,
    request: TranslateRequest,
    words: Words | None,
    transcript: Transcript | None,
    dubs: tuple[Dub, ...],
    judged: tuple[Judged, ...],
    timings: tuple[Timing, ...],
) -> RunReport:
    heard = artifacts().load_value(words.artifact, TranscriptionResult) if words else None
    translations = [artifacts().load_value(dub.lines.artifact, Translation) for dub in dubs if dub.lines]
    return assemble(
        manifest,
        profiles.load(request.profile),
        manager().models,
        created_at=datetime.now(UTC),
        confidence=heard.language_confidence if heard else 0.0,
        speakers=transcript.speakers if transcript else (),
        routes={translation.target: translation.route for translation in translations},
        timings=tuple(StageTiming(**timing.model_dump()) for timing in timings),
        judged=judged,
    )


def _warnings(source: Source, script: Script | None) -> tuple[str, ...]:
    if source.dubbed_track is None:
        return ("The video has no sound: nothing was dubbed.",)
    if script is None:
        return ("No speech was found: the original sound was kept.",)
    return ()


def _dub(folder: Folder, stem: str, dub: Dub, transcript: Transcript | None) -> ManifestDub:
    video = folder.add(
        "video", f"{stem}.{dub.language}.{dub.video.container}", local_path(dub.video.artifact), dub.language
    )
    if transcript is None:
        return ManifestDub(language=dub.language, video=video, lines=())
    for subtitles in filter(None, (dub.subtitles, dub.source_subtitles)):
        own = subtitles is dub.subtitles
        name, language = f"{stem}.{subtitles.language}", subtitles.language
        folder.add("subtitles-srt" if own else "source-srt", f"{name}.srt", local_path(subtitles.srt), language)
        folder.add("subtitles-vtt" if own else "source-vtt", f"{name}.vtt", local_path(subtitles.vtt), language)
    return ManifestDub(language=dub.language, video=video, lines=_lines(folder, dub, transcript))


def _lines(folder: Folder, dub: Dub, transcript: Transcript) -> tuple[ManifestLine, ...]:
    assert dub.lines and dub.plan and dub.clips and dub.timeline  # noqa: S101 - a script means that all of them were made
    translation = artifacts().load_value(dub.lines.artifact, Translation)
    plan = artifacts().load_value(dub.plan.artifact, SpeechPlan)
    timeline = artifacts().load_value(dub.timeline.artifact, FittedTimeline)
    together = zip(transcript.segments, translation.lines, plan.lines, dub.clips.lines, timeline.lines, strict=True)
    return tuple(
        ManifestLine(
            segment=segment.id,
            speaker=segment.speaker,
            source_start_ms=segment.span.start_ms,
            source_end_ms=segment.span.end_ms,
            source_text=segment.text,
            text=line.text,
            voice=planned.voice,
            speed=planned.speed,
            stretch=placed.stretch,
            start_ms=placed.span.start_ms,
            end_ms=placed.span.end_ms,
            clip=_clip(folder, dub.language, segment, spoken),
            clip_sha256=spoken.clip.artifact.sha256 if spoken.clip else None,
            flags=placed.flags,
        )
        for segment, line, planned, spoken, placed in together
    )


def _clip(folder: Folder, language: str, segment: Segment, spoken: SpokenLine) -> str | None:
    if spoken.clip is None:
        return None
    return folder.add("clip", f"clips/{language}/{segment.id}.flac", local_path(spoken.clip.artifact), language)
