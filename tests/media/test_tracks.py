"""Which audio track is heard: names, language tags, what is no main track, and voices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from clips import H264, ffmpeg

from dubline.domain.errors import InvalidMedia, InvalidRequest
from dubline.media import survey, tracks
from dubline.media.probe import probe
from dubline.storage import sealed
from dubline.storage.artifacts import reference
from dubline.storage.results import ArtifactRef, Source, SurveyedTrack, Track
from tests.speech import SAMPLE

FILE = ArtifactRef(uri="file:///clip.mkv", sha256="0", size=1)
SECONDS = 6
SPEECH = ["-ss", "8", "-i", SAMPLE]
MUSIC = "aevalsrc='0.15*sin(2*PI*220*t)*exp(-3*mod(t,0.5))':s=48000"


def track(
    index: int, language: str | None = None, title: str = "", default: bool = False, aside: bool = False
) -> Track:
    kind = {"language": language, "title": title or None, "default": default, "aside": aside}
    return Track(index=index, codec="aac", channels=2, **kind)


def source(*held: Track) -> Source:
    dubbed = held[0].index if held else None
    return Source(file=FILE, container="mkv", duration_ms=1000, picture=None, tracks=held, dubbed_track=dubbed)


def order(*held: Track, language: str | None = None, targets: Sequence[str] = ()) -> list[list[int]]:
    return [[one.index for one in group] for group in tracks.groups(held, language, targets)]


TWO = source(track(1, "en", "English", default=True), track(2, "es", "Castellano"))


@pytest.mark.parametrize("name", ["2", " 2 ", "Castellano", "castellano"])
def test_a_track_is_named_by_number_or_title(name: str) -> None:
    assert tracks.named(TWO, name).index == 2


@pytest.mark.parametrize("name", ["0", "3", "-1", "es", "Castell", ""])
def test_a_wrong_name_is_refused_with_the_tracks(name: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        tracks.named(TWO, name)
    assert "1 (English, 'English', default), 2 (Spanish, 'Castellano')" in str(refused.value)


def test_of_a_sealed_session_no_title_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "_in_use", object())
    assert tracks.note(TWO, [2]) == (
        "Audio track 1 of 2 was heard: 1 (English, default), 2 (Spanish); --track names another. "
        "Track 2 cannot be decoded."
    )
    with pytest.raises(InvalidRequest) as refused:
        tracks.named(TWO, "Catala")
    assert str(refused.value) == (
        "There is no audio track of that name in the video; name one by its number: 1 (English, default), 2 (Spanish)."
    )
    assert tracks.named(TWO, "Castellano").index == 2


def test_a_title_of_two_tracks_names_none_and_a_number_goes_before_a_title() -> None:
    alike = source(track(1, title="Stereo"), track(2, title="Stereo"), track(3, title="1"))
    with pytest.raises(InvalidRequest, match="several audio tracks 'stereo'"):
        tracks.named(alike, "stereo")
    assert tracks.named(alike, "1").index == 1


def test_a_track_of_a_silent_video_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="no sound"):
        tracks.named(source(), "1")


def test_without_a_language_the_default_track_comes_first_and_commentary_last() -> None:
    held = (track(1, "en", aside=True, default=True), track(2, "fr"), track(3, "es", default=True), track(4))
    assert order(*held) == [[3, 2, 4], [1]]


def test_tracks_in_the_language_come_before_those_without_one_and_those_in_another() -> None:
    held = (
        track(1, "en", default=True),
        track(2),
        track(3, "es"),
        track(4, "es", default=True),
        track(5, "es", aside=True),
    )
    assert order(*held, language="es") == [[4, 3], [2], [1], [5]]


def test_a_track_in_a_target_language_comes_behind_unless_it_was_asked_for() -> None:
    held = (track(1, "es", default=True), track(2, "en"), track(3))
    assert order(*held, targets=["es", "fr"]) == [[2, 3], [1]]
    assert order(*held, language="es", targets=["es"])[0] == [1]


def heard(*voices_ms: int) -> list[int]:
    return [
        one.index
        for one in tracks.with_voices([SurveyedTrack(index=n, voices_ms=ms) for n, ms in enumerate(voices_ms)])
    ]


def test_of_tracks_with_voices_the_first_is_preferred_unless_it_has_next_to_none() -> None:
    assert heard(5000, 9000) == [0, 1]
    assert heard(0, 9000, 8000) == [1, 2]
    assert heard(400, 9000) == [1, 0]
    assert heard(0, 100) == []


def test_the_note_names_all_tracks_the_one_that_was_heard_and_those_that_cannot_be() -> None:
    chosen = TWO.model_copy(update={"dubbed_track": 2})
    assert tracks.note(chosen, ()) == (
        "Audio track 2 of 2 was heard: 1 (English, 'English', default), 2 (Spanish, 'Castellano'); "
        "--track names another."
    )
    assert tracks.note(chosen, (1,)).endswith("Track 1 cannot be decoded.")


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Music, speech, speech in opposite phase, and one whose packets are noise."""
    path = tmp_path_factory.mktemp("recording") / "obs.mkv"
    ffmpeg(
        *[
            "-f",
            "lavfi",
            "-i",
            f"testsrc2=s=160x90:r=25:d={SECONDS}",
            "-f",
            "lavfi",
            "-i",
            f"{MUSIC}:d={SECONDS}",
            *SPEECH,
        ],
        *["-filter_complex", "[2:a]asplit[a][b];[b]pan=stereo|c0=c0|c1=-1*c0[c]"],
        *["-map", "0:v", "-map", "1:a", "-map", "[a]", "-map", "[c]", "-map", "1:a", "-t", str(SECONDS), *H264],
        *["-c:a", "aac", "-c:a:3", "ac3", "-bsf:a:3", "noise=amount=1", path],
    )
    return probe(reference(path))


def test_voices_are_found_in_the_tracks_that_have_some(recording: Source, tmp_path: Path) -> None:
    path = Path(recording.file.uri.removeprefix("file://"))
    found = [survey.survey(path, recording, one, tmp_path, lambda _: None) for one in recording.tracks[:3]]
    assert found[0] == (0, None)
    for voices_ms, sample in found[1:]:
        assert 2500 < voices_ms < 1000 * SECONDS
        assert sample is not None and sample.stat().st_size > 10_000


def test_a_track_that_cannot_be_decoded_is_told(recording: Source, tmp_path: Path) -> None:
    path = Path(recording.file.uri.removeprefix("file://"))
    with pytest.raises(InvalidMedia):
        survey.survey(path, recording, recording.tracks[3], tmp_path, lambda _: None)


def test_a_long_track_is_listened_to_in_windows_and_whole_where_they_have_no_voices(
    recording: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(recording.file.uri.removeprefix("file://"))
    speech = recording.tracks[1]
    whole, _ = survey.survey(path, recording, speech, tmp_path, lambda _: None)
    monkeypatch.setattr(survey, "WINDOW_MS", 200)
    monkeypatch.setattr(survey, "WINDOWS", 2)
    heard_at: list[int] = []
    real = survey._decoded
    monkeypatch.setattr(survey, "_decoded", lambda p, t, w, f: heard_at.append(w.start_ms) or real(p, t, w, f))
    monkeypatch.setattr(survey, "voices", lambda sound: () if len(heard_at) <= 2 else [survey.Span(0, 100)])
    voices_ms, _ = survey.survey(path, recording, speech, tmp_path, lambda _: None)
    length_ms = recording.duration_ms
    assert heard_at[:2] == [length_ms // 4 - 100, 3 * length_ms // 4 - 100]
    assert heard_at[2:] == list(range(0, length_ms, 400))
    assert 100 * (len(heard_at) - 3) < voices_ms <= 100 * (len(heard_at) - 2) < whole  # the last window is shorter
