"""The gates between the stages, one for each suite."""

from __future__ import annotations

from dubline.domain.time import total_ms
from dubline.domain.timeline import FittedTimeline, SpeechPlan
from dubline.domain.transcript import Transcript, Translation
from dubline.engines.contracts import DiarizationResult
from dubline.media.clip_levels import measure
from dubline.storage.artifacts import local_path
from dubline.storage.results import (
    Audio,
    Clips,
    Lines,
    Mix,
    Plan,
    Script,
    Source,
    Subtitles,
    Timeline,
    Turns,
    Video,
)
from quality_suites import media, output, segments, speech, timeline, transcript, translation
from quality_suites.rules import Frames
from tasks.gate import gate
from tasks.inspect_output import cues, facts
from tasks.stage import artifacts


@gate(media.SUITE)
def check_media(source: Source, audio: Audio | None) -> Frames:
    return media.rows(source, audio)


@gate(segments.SUITE)
def check_segments(script: Script, duration_ms: int) -> Frames:
    return segments.rows(artifacts().load_value(script.artifact, Transcript), duration_ms)


@gate(transcript.SUITE)
def check_transcript(script: Script, turns: Turns, requested: str | None) -> Frames:
    heard = artifacts().load_value(turns.artifact, DiarizationResult)
    speech_ms = total_ms(turn.span for turn in heard.turns)
    return transcript.rows(artifacts().load_value(script.artifact, Transcript), requested, speech_ms)


@gate(translation.SUITE)
def check_translation(script: Script, lines: Lines) -> Frames:
    return translation.rows(
        artifacts().load_value(script.artifact, Transcript), artifacts().load_value(lines.artifact, Translation)
    )


@gate(speech.SUITE)
def check_speech(plan: Plan, clips: Clips) -> Frames:
    measured = {spoken.phrase: measure(local_path(spoken.clip.artifact)) for spoken in clips.phrases if spoken.clip}
    return speech.rows(artifacts().load_value(plan.artifact, SpeechPlan), measured)


@gate(timeline.SUITE)
def check_timeline(script: Script, plan: Plan, placed: Timeline) -> Frames:
    return timeline.rows(
        artifacts().load_value(script.artifact, Transcript),
        artifacts().load_value(plan.artifact, SpeechPlan),
        artifacts().load_value(placed.artifact, FittedTimeline),
    )


@gate(output.SUITE)
def check_output(
    source: Source,
    audio: Audio | None,
    dub: Mix | None,
    video: Video,
    subtitles: tuple[Subtitles, ...],
    language: str,
    loudness: float | None,
) -> Frames:
    return output.rows(facts(source, audio, dub, video, subtitles, language, loudness), cues(subtitles))
