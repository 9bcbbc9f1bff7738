"""Which audio track is heard, where a video has several and nobody named one."""

from __future__ import annotations

from dubline.domain.heard import is_other
from dubline.media import tracks
from dubline.profiles import Profile
from dubline.request import TranslateRequest
from dubline.storage.results import Source, SurveyedTrack, Track
from tasks.identify_language import identify_language
from tasks.stage import Stages
from tasks.survey_tracks import survey_tracks


async def chosen_track(
    source: Source, request: TranslateRequest, profile: Profile, stages: Stages
) -> tuple[Source, tuple[str, ...]]:
    """The source with the track to dub, and what a person should know about the choice."""
    if request.track is not None or len(source.tracks) < 2:
        return source, ()
    heard, undecodable = await _heard(source, request, profile, stages)
    chosen = source.model_copy(update={"dubbed_track": heard})
    return chosen, (tracks.note(chosen, undecodable),)


async def _heard(
    source: Source, request: TranslateRequest, profile: Profile, stages: Stages
) -> tuple[int, tuple[int, ...]]:
    """Index of the first track with voices in the language; else the best with voices in any, else the best of all.

    Also those that nothing could be decoded of, among the ones that were listened to.
    """
    language = request.source_language
    spoken: int | None = None
    silent: list[int] = []
    undecodable: list[int] = []
    for group in tracks.groups(source.tracks, language, request.languages):
        survey = await stages(survey_tracks, source, tuple(track.index for track in group))
        undecodable += [one.index for one in survey.tracks if not one.decodable]
        silent += [one.index for one in survey.tracks if one.decodable]
        for one in tracks.with_voices(survey.tracks):
            if language is None or await _fits(one, source, language, profile, stages):
                return one.index, tuple(undecodable)
            spoken = one.index if spoken is None else spoken
    return next(index for index in (spoken, *silent, source.dubbed_track) if index is not None), tuple(undecodable)


async def _fits(one: SurveyedTrack, source: Source, language: str, profile: Profile, stages: Stages) -> bool:
    """Whether what is heard goes with the language. A track that is tagged with another one has to be heard in it."""
    if one.sample is None:
        return False
    heard = await stages(identify_language, one.sample, language, profile.asr)
    if _of(source, one.index).language not in (None, language):
        return heard.language == language
    return not is_other(heard.language, heard.probability, language, heard.asked)


def _of(source: Source, index: int) -> Track:
    return next(track for track in source.tracks if track.index == index)
