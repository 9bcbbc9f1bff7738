"""Lay out subtitles: the source's at the source's times, the target's at the dub's."""

from __future__ import annotations

from dubline.domain.cues import CueLimits
from dubline.domain.subtitle_files import to_ass, to_srt, to_vtt
from dubline.domain.subtitles import Utterance, layout
from dubline.domain.timeline import FittedTimeline, PlacedLine, PlannedLine, SpeechPlan
from dubline.domain.transcript import Transcript, Word
from dubline.storage.results import Picture, Plan, Script, Subtitles, Timeline
from tasks.stage import artifacts, stage

_USUAL_RATE, _USUAL_SIZE = 25.0, (1920, 1080)
"""Of a picture that says nothing of itself."""


@stage("subtitle-source", result=Subtitles)
def subtitle_source(script: Script, duration_ms: int, picture: Picture | None) -> Subtitles:
    transcript = artifacts().load_value(script.artifact, Transcript)
    utterances = tuple(Utterance(s.span, s.text, s.speaker, s.words) for s in transcript.segments)
    return _subtitles(utterances, transcript.language, duration_ms, picture)


@stage("subtitle", result=Subtitles)
def subtitle(script: Script, plan: Plan, timeline: Timeline, duration_ms: int, picture: Picture | None) -> Subtitles:
    transcript = artifacts().load_value(script.artifact, Transcript)
    spoken = artifacts().load_value(plan.artifact, SpeechPlan)
    fitted = artifacts().load_value(timeline.artifact, FittedTimeline)
    utterances = tuple(
        Utterance(place.span, line.text, segment.speaker, _timed(line, place))
        for segment, line, place in zip(transcript.segments, spoken.lines, fitted.lines, strict=True)
    )
    return _subtitles(utterances, spoken.language, duration_ms, picture)


def _timed(line: PlannedLine, place: PlacedLine) -> tuple[Word, ...]:
    """The phrases as words with a time: what is said before a pause is shown before it."""
    phrases = zip(line.phrases, place.phrases, strict=not place.kept_original)
    return tuple(Word(planned.text, placed.span, 1.0) for planned, placed in phrases)


def _subtitles(
    utterances: tuple[Utterance, ...], language: str, duration_ms: int, picture: Picture | None
) -> Subtitles:
    rate = (picture.frame_rate if picture else 0.0) or _USUAL_RATE
    cues = layout(utterances, limits=CueLimits.of(language, 1000 / rate), duration_ms=duration_ms)
    width, height = picture.shown_size if picture else _USUAL_SIZE
    return Subtitles(
        language=language,
        srt=artifacts().put_bytes(to_srt(cues).encode(), ".srt"),
        vtt=artifacts().put_bytes(to_vtt(cues).encode(), ".vtt"),
        ass=artifacts().put_bytes(to_ass(cues, width, height).encode(), ".ass"),
    )
