"""Put the results where the user asked for them: videos, subtitles, clips, reports, and the manifest last."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from dubline import outputs, profiles
from dubline.cast_file import CAST, written
from dubline.domain.languages import language as named
from dubline.domain.timeline import FittedTimeline, PlacedLine, PlannedLine, SpeechPlan
from dubline.domain.transcript import Transcript, Translation
from dubline.domain.unheard import talked_over, unheard
from dubline.edits import edited
from dubline.engines.contracts import TranscriptionResult
from dubline.engines.manager import manager
from dubline.media import waveform
from dubline.media.containers import NAMES, container_for, left_out
from dubline.publication import Folder, Manifest, ManifestDub, ManifestLine, ManifestPhrase, ManifestStretch
from dubline.reporting.assemble import assemble
from dubline.reporting.model import RunReport, StageTiming
from dubline.reporting.page import render_html
from dubline.request import TranslateRequest
from dubline.storage.artifacts import local_path
from dubline.storage.locations import WebFile
from dubline.storage.results import Audio, Clip, Dub, Judged, Script, Source, Words
from tasks.identify_language import contradicts
from tasks.stage import Timing, artifacts, stage


@stage("publish", result=Manifest, checkpoint=False)
def publish(
    request: TranslateRequest,
    key: str,
    source: Source,
    told: tuple[str, ...],
    audio: Audio | None,
    words: Words | None,
    script: Script | None,
    dubs: tuple[Dub, ...],
    judged: tuple[Judged, ...],
    timings: tuple[Timing, ...],
) -> Manifest:
    """`told` is what a person should know of what came before: which audio track was heard."""
    with outputs.filled(request.out, of_one_video=request.session is None) as folder:
        heard = artifacts().load_value(script.artifact, Transcript) if script else None
        transcript = heard if heard and heard.segments else None
        published = tuple(_dub(folder, request, dub, transcript) for dub in dubs)
        unrecognized = tuple(_stretches(heard)) if heard else ()
        manifest = Manifest(
            key=key,
            source=request.video.shown if isinstance(request.video, WebFile) else str(request.video),
            source_sha256=source.file.sha256,
            source_language=words.language if words else None,
            duration_ms=source.duration_ms,
            dubbed_track=source.dubbed_track,
            original_track=1 + sum(track.index < (source.dubbed_track or 0) for track in source.tracks),
            loudness=request.loudness,
            dubs=published,
            files=tuple(folder.files),
            warnings=(
                *told,
                *_other_language(words),
                *_warnings(request, source, transcript, unrecognized),
                *_left_out(request, source),
                *_missing_fonts(dubs),
            ),
            unrecognized=unrecognized,
            stage_seconds=seconds_of(timings),
        )
        if transcript:
            folder.add("cast", CAST, _cast(transcript, published))
        if audio and request.session:
            _waveforms(folder, audio, dubs)
        report = _report(manifest, request, words, transcript, dubs, judged, timings)
        folder.add("report-json", "report.json", report.model_dump_json(indent=1, by_alias=True))
        folder.add("report-html", "report.html", render_html(report))
        return folder.commit(manifest)


def seconds_of(timings: Iterable[Timing]) -> dict[str, float]:
    """What each stage took, all its runs together: some are run for each group of audio tracks."""
    taken: dict[str, float] = {}
    for timing in timings:
        if not timing.cached:
            taken[timing.stage] = round(taken.get(timing.stage, 0.0) + timing.seconds, 3)
    return taken


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


def _other_language(words: Words | None) -> Iterator[str]:
    if words and words.heard and contradicts(words.heard, words.language):
        heard, asked = named(words.heard.language), named(words.language)
        yield (
            f"{heard.name} is heard ({words.heard.probability:.0%}), not {asked.name}, which was asked for: leave out "
            f"--from or write --from {heard.code}; of several audio tracks, --track names another."
        )


def _stretches(transcript: Transcript) -> Iterator[ManifestStretch]:
    for span in unheard(transcript):
        yield ManifestStretch(start_ms=span.start_ms, end_ms=span.end_ms)
    for turn in talked_over(transcript):
        span = turn.span
        yield ManifestStretch(start_ms=span.start_ms, end_ms=span.end_ms, speaker=turn.speaker)


def _warnings(
    request: TranslateRequest,
    source: Source,
    transcript: Transcript | None,
    unrecognized: tuple[ManifestStretch, ...],
) -> Iterator[str]:
    """`transcript` is None where there are no lines."""
    if transcript is not None:
        if unrecognized:
            places = _places(len(unrecognized))
            yield f"Clear speech is in no line in {places}: its sound stays, and the report says when."
        return
    if source.dubbed_track is None:
        yield "The video has no sound: nothing was dubbed."
    elif unrecognized:
        yield "Somebody speaks, and nothing of it was recognized: the original sound was kept."
    else:
        yield "No speech was found: the original sound was kept."
    if request.loudness is not None:
        yield f"The loudness of {request.loudness:g} LUFS was not applied: it is that of a dub."
    if request.burn_in:
        yield "No video with burned-in subtitles was made: there are none."


def _left_out(request: TranslateRequest, source: Source) -> Iterator[str]:
    if lost := left_out(source):
        yield (
            f"Not in the dubbed video, because {NAMES[container_for(source)]} as it is written here cannot hold it: "
            f"{', '.join(lost)}."
        )
    if request.burn_in and source.picture and not source.picture.drawable:
        yield (
            "No video with burned-in subtitles was made: only decoders of Dolby Vision know the picture's colours "
            "(profile 5); give a copy in HDR10 or SDR."
        )


def _places(count: int) -> str:
    return "one place" if count == 1 else f"{count} places"


def _waveforms(folder: Folder, audio: Audio, dubs: tuple[Dub, ...]) -> None:
    """For the page on which lines are edited."""
    source = waveform.outline(local_path(audio.speech))
    for dub in dubs:
        if dub.mix:
            spoken = waveform.outline(local_path(dub.mix.artifact))
            drawn = {"per_second": waveform.PER_SECOND, "source": source, "dub": spoken}
            folder.add("waveform", f"waveform.{dub.language}.json", json.dumps(drawn), dub.language)


def _cast(transcript: Transcript, dubs: tuple[ManifestDub, ...]) -> str:
    return written(transcript, {dub.language: dub.voices for dub in dubs})


def _missing_fonts(dubs: tuple[Dub, ...]) -> Iterator[str]:
    for dub in dubs:
        if dub.burned and dub.burned.missing:
            yield (
                f"No font on this machine can draw {len(dub.burned.missing)} characters of the burned-in subtitles in "
                f"'{dub.language}' ({dub.burned.missing[:10]}); run: sudo apt-get install fonts-noto-core "
                "fonts-noto-cjk, then the same command with --refresh burn-in."
            )


def _dub(folder: Folder, request: TranslateRequest, dub: Dub, transcript: Transcript | None) -> ManifestDub:
    stem = request.video.stem
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
        folder.add("subtitles-ass" if own else "source-ass", f"{name}.ass", local_path(subtitles.ass), language)
    if dub.burned:
        name = f"{stem}.{dub.language}.burned.mp4"
        folder.add("video-burned", name, local_path(dub.burned.artifact), dub.language)
    offered = dub.lines is not None and dub.lines.alternatives
    return ManifestDub(
        language=dub.language,
        video=video,
        alternatives=offered,
        voices=_voices(dub, transcript),
        lines=_lines(folder, dub, transcript, edited(request.edits, dub.language)),
    )


def _voices(dub: Dub, transcript: Transcript) -> dict[str, str]:
    assert dub.cast  # noqa: S101 - as below
    lines = artifacts().load_value(dub.cast.artifact, SpeechPlan).lines
    return {segment.speaker: line.voice for segment, line in zip(transcript.segments, lines, strict=True)}


def _lines(folder: Folder, dub: Dub, transcript: Transcript, edited: frozenset[str]) -> tuple[ManifestLine, ...]:
    assert dub.plan and dub.clips and dub.timeline  # noqa: S101 - a script means that all of them were made
    plan = artifacts().load_value(dub.plan.artifact, SpeechPlan)
    timeline = artifacts().load_value(dub.timeline.artifact, FittedTimeline)
    clips = {spoken.phrase: spoken.clip for spoken in dub.clips.phrases if spoken.clip}
    return tuple(
        ManifestLine(
            segment=segment.id,
            speaker=segment.speaker,
            source_start_ms=segment.span.start_ms,
            source_end_ms=segment.span.end_ms,
            source_text=segment.text,
            text=planned.text,
            voice=planned.voice,
            start_ms=placed.span.start_ms,
            end_ms=placed.span.end_ms,
            phrases=tuple(_phrases(folder, dub.language, planned, placed, clips)),
            flags=placed.flags,
            edited=segment.id in edited,
        )
        for segment, planned, placed in zip(transcript.segments, plan.lines, timeline.lines, strict=True)
    )


def _phrases(
    folder: Folder, language: str, line: PlannedLine, placed: PlacedLine, clips: dict[str, Clip]
) -> Iterator[ManifestPhrase]:
    if placed.kept_original:
        return
    for planned, phrase in zip(line.phrases, placed.phrases, strict=True):
        clip = clips[planned.id].artifact
        yield ManifestPhrase(
            id=planned.id,
            source_start_ms=planned.slot.start_ms,
            source_end_ms=planned.slot.end_ms,
            text=planned.text,
            speed=planned.speed,
            stretch=phrase.stretch,
            start_ms=phrase.span.start_ms,
            end_ms=phrase.span.end_ms,
            clip=folder.add("clip", f"clips/{language}/{planned.id}.flac", local_path(clip), language),
            clip_sha256=clip.sha256,
        )
