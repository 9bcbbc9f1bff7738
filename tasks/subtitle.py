"""Lay out subtitles: the source's at the source's times, the target's at the dub's."""

from __future__ import annotations

from dubline.domain.cues import CueLimits
from dubline.domain.fitting import FittedTimeline
from dubline.domain.subtitle_files import to_srt, to_vtt
from dubline.domain.subtitles import Utterance, layout
from dubline.domain.transcript import Transcript, Translation
from dubline.storage.results import Lines, Script, Subtitles, Timeline
from tasks.stage import artifacts, stage


@stage("subtitle-source", result=Subtitles)
def subtitle_source(script: Script, duration_ms: int, frame_rate: float) -> Subtitles:
    transcript = artifacts().load_value(script.artifact, Transcript)
    utterances = tuple(Utterance(s.span, s.text, s.speaker, s.words) for s in transcript.segments)
    return _subtitles(utterances, transcript.language, duration_ms, frame_rate)


@stage("subtitle", result=Subtitles)
def subtitle(script: Script, lines: Lines, timeline: Timeline, duration_ms: int, frame_rate: float) -> Subtitles:
    transcript = artifacts().load_value(script.artifact, Transcript)
    translation = artifacts().load_value(lines.artifact, Translation)
    fitted = artifacts().load_value(timeline.artifact, FittedTimeline)
    utterances = tuple(
        Utterance(place.span, line.text, segment.speaker)
        for segment, line, place in zip(transcript.segments, translation.lines, fitted.lines, strict=True)
    )
    return _subtitles(utterances, translation.target, duration_ms, frame_rate)


def _subtitles(utterances: tuple[Utterance, ...], language: str, duration_ms: int, frame_rate: float) -> Subtitles:
    limits = CueLimits.of(language, 1000 / frame_rate)
    cues = layout(utterances, limits=limits, duration_ms=duration_ms)
    return Subtitles(
        language=language,
        srt=artifacts().put_bytes(to_srt(cues).encode(), ".srt"),
        vtt=artifacts().put_bytes(to_vtt(cues).encode(), ".vtt"),
    )
