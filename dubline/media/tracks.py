"""Which of a video's audio tracks is heard: what a person named, else what language tags, titles and voices tell."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from dubline.domain.errors import InvalidRequest
from dubline.domain.languages import language as named_language
from dubline.media.inputs import printable
from dubline.storage import sealed
from dubline.storage.results import Source, SurveyedTrack, Track

_ENOUGH_MS = 250
"""With less there are no voices in a track: a syllable, or something that the detector takes for one."""
_SHARE = 0.25
"""A track with less of the voices that the most talkative one of its kind has is passed over: a few words in a game's
sound, beside the player's own voice."""


def named(source: Source, name: str) -> Track:
    """The track that a person named: its number among the audio tracks from 1 on, or its title in either case.

    Raises InvalidRequest, with the tracks.
    """
    by_number = [track for number, track in enumerate(source.tracks, 1) if name.strip() == str(number)]
    found = by_number or [track for track in source.tracks if (track.title or "").casefold() == name.strip().casefold()]
    if len(found) == 1 and name.strip():
        return found[0]
    fault = "several audio tracks" if len(found) > 1 else "no audio track"
    raise InvalidRequest(
        f"There {'are' if len(found) > 1 else 'is'} {fault} {_quoted(name) or 'of that name'} in the video; "
        + (f"name one by its number: {listing(source)}." if source.tracks else "it has no sound.")
    )


def groups(tracks: Sequence[Track], language: str | None, targets: Collection[str] = ()) -> Iterator[tuple[Track, ...]]:
    """Tracks of equal standing, best first; in each the default one first, then as they stand in the file.

    Commentary and the like come last. With a language (ISO 639-1), tracks that are tagged with it come before those
    without a tag, and those before tracks with another. Without one, tracks that are tagged with a target language come
    behind: they are translated already.
    """
    ranked: dict[tuple[bool, int], list[Track]] = {}
    for track in sorted(tracks, key=lambda one: not one.default):
        ranked.setdefault((track.aside, _distance(track, language, targets)), []).append(track)
    for rank in sorted(ranked):
        yield tuple(ranked[rank])


def _distance(track: Track, language: str | None, targets: Collection[str]) -> int:
    if language is None:
        return 2 if track.language in targets else 0
    if track.language == language:
        return 0
    return 1 if track.language is None else 2


def with_voices(surveyed: Sequence[SurveyedTrack]) -> tuple[SurveyedTrack, ...]:
    """Those of a group in which people speak, as they are preferred: first those that have a fair share of it all."""
    most = max((one.voices_ms for one in surveyed), default=0)
    spoken = [one for one in surveyed if one.voices_ms >= _ENOUGH_MS]
    return tuple(sorted(spoken, key=lambda one: one.voices_ms < _SHARE * most))


def note(source: Source, undecodable: Sequence[int]) -> str:
    """One sentence that names the tracks of a video with several, and the one that was heard."""
    heard = next(n for n, track in enumerate(source.tracks, 1) if track.index == source.dubbed_track)
    broken = [str(n) for n, track in enumerate(source.tracks, 1) if track.index in undecodable]
    return (
        f"Audio track {heard} of {len(source.tracks)} was heard: {listing(source)}; --track names another"
        + (f". Track {', '.join(broken)} cannot be decoded" if broken else "")
        + "."
    )


def listing(source: Source) -> str:
    """The audio tracks with their numbers, for messages: 1 (English, 'Main', default), 2 (Spanish)."""
    return ", ".join(f"{number} ({_described(track)})" for number, track in enumerate(source.tracks, 1))


def _described(track: Track) -> str:
    language = named_language(track.language).name if track.language else "no language"
    title = _quoted(track.title) if track.title else ""
    kinds = ("default" if track.default else "", "aside" if track.aside else "")
    return ", ".join(filter(None, (language, title, *kinds)))


def _quoted(title: str) -> str:
    """Nothing for a sealed session: warnings and errors stand in the database, and in Prefect's, as they are."""
    return "" if sealed.used() else f"'{printable(title)}'"
