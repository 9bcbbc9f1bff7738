"""Listen into several audio tracks: which of them have voices."""

from __future__ import annotations

from pathlib import Path

from dubline.acoustics.voice_activity import PACKAGES
from dubline.domain.errors import InvalidMedia
from dubline.media import survey
from dubline.media.inputs import source_file
from dubline.media.runner import Progress
from dubline.storage.results import Source, Survey, SurveyedTrack, Track
from dubline.telemetry.progress import teller
from tasks.stage import artifacts, stage


@stage("survey-tracks", result=Survey, packages=PACKAGES)
def survey_tracks(source: Source, indices: tuple[int, ...]) -> Survey:
    """`indices` are ffmpeg's of the tracks; the survey has their order."""
    tracks = {track.index: track for track in source.tracks}
    shares = [_share(teller(), number, len(indices)) for number in range(len(indices))]
    with artifacts().workspace() as folder, source_file(source.file) as path:
        found = (_surveyed(path, source, tracks[n], folder, tell) for n, tell in zip(indices, shares, strict=True))
        return Survey(tracks=tuple(found))


def _share(tell: Progress, number: int, count: int) -> Progress:
    return lambda done: tell((number + done) / count)


def _surveyed(path: Path, source: Source, track: Track, folder: Path, tell: Progress) -> SurveyedTrack:
    try:
        voices_ms, sample = survey.survey(path, source, track, folder, tell)
    except InvalidMedia:
        return SurveyedTrack(index=track.index, voices_ms=0, decodable=False)
    return SurveyedTrack(index=track.index, voices_ms=voices_ms, sample=artifacts().adopt(sample) if sample else None)
