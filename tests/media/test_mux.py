from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import soundfile
from clips import AAC, H264, PICTURE, TONE, Clips, burst_s, dubbed_sound, duration_s, ffmpeg, frame_times, streams

from dubline.media.containers import container_for, subtitle_codec
from dubline.media.extract import extract_audio
from dubline.media.hashing import frames_hash, picture_equal, picture_hash
from dubline.media.mux import SubtitleTrack, mux
from dubline.media.order import put_in_order
from dubline.media.probe import probe
from dubline.storage.artifacts import reference
from dubline.storage.results import Source

FRAME_S = 0.04
CUES = "1\n00:00:00,500 --> 00:00:01,500\n{}\n\n"


def subtitles(folder: Path) -> list[SubtitleTrack]:
    tracks = [SubtitleTrack(folder / "es.srt", "es", "Spanish"), SubtitleTrack(folder / "en.srt", "en", "English")]
    for track, text in zip(tracks, ("¿Qué tal?", "How are you?"), strict=True):
        track.path.write_text(CUES.format(text), encoding="utf-8")
    return tracks


Dub = Callable[[str], tuple[Path, str, Source]]


def dub_into(path: Path, folder: Path) -> tuple[Path, str, Source]:
    """The whole way with the original's own sound as the mix: then both tracks must agree in time."""
    source = probe(reference(path))
    full, _, _, _ = extract_audio(path, source, folder)
    assert source.picture is not None
    made = put_in_order(path, source.picture.index, folder) if source.picture.disordered else None
    return *mux(path, source, full, subtitles(folder), "es", folder, in_order=made), source


@pytest.fixture(scope="module")
def dubbed(clips: Clips, tmp_path_factory: pytest.TempPathFactory) -> Dub:
    """Dubs each clip once."""
    return cache(lambda name: dub_into(clips.path(name), tmp_path_factory.mktemp("dub")))


INPUTS = [
    ("plain.mp4", "mp4"),
    ("plain.mov", "mp4"),
    ("pcm.mov", "mkv"),
    ("plain.mkv", "mp4"),
    ("plain.webm", "mkv"),
    ("vp9.webm", "mp4"),
    ("plain.avi", "mp4"),
    ("h264.avi", "mp4"),
    ("plain.ts", "mp4"),
    ("variable.mkv", "mp4"),
    ("portrait.mov", "mp4"),
]


@pytest.mark.parametrize(("name", "container"), INPUTS)
def test_each_kind_of_video_keeps_its_picture_and_its_duration(
    clips: Clips, dubbed: Dub, tmp_path: Path, name: str, container: str
) -> None:
    video = clips.path(name)
    out, chosen, source = dubbed(name)
    assert chosen == container
    assert out.suffix == f".{container}"
    assert picture_equal(video, out)
    # An AVI has no times: ffprobe's guess for B-frames is wrong.
    timed = clips.path("plain.mp4") if name == "h264.avi" else video
    assert frame_times(out) == pytest.approx(frame_times(timed), abs=0.011)
    assert duration_s(out) == pytest.approx(source.duration_ms / 1000, abs=FRAME_S)
    kinds = [(s["codec_type"], s.get("tags", {}).get("language")) for s in streams(out)]
    assert [kind for kind, _ in kinds] == ["video", "audio", "audio", "subtitle", "subtitle"]
    assert kinds[1][1] == kinds[3][1] == "spa"
    assert kinds[4][1] == "eng"
    assert [s["disposition"]["default"] for s in streams(out) if s["codec_type"] == "audio"] == [1, 0]


@pytest.mark.parametrize("name", [n for n, _ in INPUTS if n not in ("variable.mkv", "portrait.mov")])
def test_dub_and_original_stand_at_the_same_place_under_the_picture(dubbed: Dub, tmp_path: Path, name: str) -> None:
    """The burst at 0.5 s is found there in both tracks, as a player with the picture's clock would hear it."""
    out, _, _ = dubbed(name)
    onsets = [burst_s(dubbed_sound(out, tmp_path, track))[0] for track in (0, 1)]
    assert onsets[0] == pytest.approx(0.5, abs=0.05)
    assert onsets[0] == pytest.approx(onsets[1], abs=0.03)


@pytest.mark.parametrize("name", ["late-sound.mkv", "late-sound.mp4", "late-sound.ts"])
def test_sound_that_starts_late_stays_late_in_both_tracks(dubbed: Dub, tmp_path: Path, name: str) -> None:
    out, _, _ = dubbed(name)
    for track in (0, 1):
        assert burst_s(dubbed_sound(out, tmp_path, track))[0] == pytest.approx(1.3, abs=0.03)


def test_hevc_is_tagged_as_players_of_mp4_want_it(clips: Clips, dubbed: Dub) -> None:
    out, container, _ = dubbed("hevc.mkv")
    assert container == "mp4"
    assert streams(out)[0]["codec_tag_string"] == "hvc1"
    assert picture_hash(out) == picture_hash(clips.path("hevc.mkv"))


def test_titles_tell_the_tracks_apart(dubbed: Dub) -> None:
    out, container, _ = dubbed("plain.webm")
    assert container == "mkv"
    titles = [s.get("tags", {}).get("title") for s in streams(out)]
    assert titles[1] == "Dub (Spanish)"
    assert titles[3:] == ["Spanish", "English"]
    out, container, _ = dubbed("plain.mp4")
    assert [s["tags"]["handler_name"] for s in streams(out)][1] == "Dub (Spanish)"


def test_every_original_track_is_kept_as_it_was_but_no_longer_default(
    clips: Clips, dubbed: Dub, tmp_path: Path
) -> None:
    video = clips.path("tracks.mkv")
    out, _, _ = dubbed("tracks.mkv")
    sound = [s for s in streams(out) if s["codec_type"] == "audio"]
    assert [s["tags"]["language"] for s in sound] == ["spa", "ger", "eng"]
    assert [s["disposition"]["default"] for s in sound] == [1, 0, 0]
    for number in (0, 1):
        copies = [tmp_path / f"{number}-{side}.adts" for side in ("before", "after")]
        ffmpeg("-i", video, "-map", f"0:a:{number}", "-c", "copy", "-f", "adts", copies[0])
        ffmpeg("-i", out, "-map", f"0:a:{number + 1}", "-c", "copy", "-f", "adts", copies[1])
        assert copies[0].read_bytes() == copies[1].read_bytes()


@pytest.mark.parametrize("name", ["long-sound.mp4", "short-sound.mp4"])
def test_neither_the_end_of_the_picture_nor_that_of_the_sound_is_lost(clips: Clips, dubbed: Dub, name: str) -> None:
    video = clips.path(name)
    out, _, _ = dubbed(name)
    before, after = streams(video), streams(out)
    assert picture_hash(out) == picture_hash(video)
    assert float(after[0]["duration"]) == pytest.approx(float(before[0]["duration"]), abs=0.001)
    assert float(after[2]["duration"]) == pytest.approx(float(before[1]["duration"]), abs=0.03)
    assert float(after[1]["duration"]) == pytest.approx(max(float(s["duration"]) for s in before), abs=FRAME_S)


def test_surround_stays_surround(dubbed: Dub) -> None:
    out, _, _ = dubbed("surround.mkv")
    sound = [s for s in streams(out) if s["codec_type"] == "audio"]
    assert [(s["codec_name"], s["channels"]) for s in sound] == [("aac", 6), ("ac3", 6)]


@pytest.mark.parametrize("name", ["portrait.mov", "portrait-pcm.mov"])
def test_portrait_video_is_still_shown_upright(clips: Clips, dubbed: Dub, name: str) -> None:
    out, container, _ = dubbed(name)
    assert container == "mp4"
    turns = [[d.get("rotation") for d in streams(p)[0].get("side_data_list", [])] for p in (clips.path(name), out)]
    assert turns[0] == turns[1]
    assert abs(turns[0][0]) == 90


def test_a_video_without_sound_gets_its_subtitles_and_no_track(clips: Clips, tmp_path: Path) -> None:
    video = clips.path("silent.mp4")
    out, _ = mux(video, probe(reference(video)), None, subtitles(tmp_path), "es", tmp_path)
    assert [s["codec_type"] for s in streams(out)] == ["video", "subtitle", "subtitle"]


def test_a_video_without_speech_keeps_its_sound_as_the_default(clips: Clips, tmp_path: Path) -> None:
    video = clips.path("plain.mp4")
    empty = SubtitleTrack(tmp_path / "empty.srt", "es", "Spanish")
    empty.path.touch()
    out, _ = mux(video, probe(reference(video)), None, [empty], "es", tmp_path)
    found = streams(out)
    assert [s["codec_type"] for s in found] == ["video", "audio"]
    assert found[1]["disposition"]["default"] == 1
    assert picture_hash(out) == picture_hash(video)


def test_the_sources_own_subtitles_chapters_and_title_are_carried_on(clips: Clips, tmp_path: Path) -> None:
    own, chapters, video = tmp_path / "own.srt", tmp_path / "chapters.txt", tmp_path / "film.mkv"
    own.write_text(CUES.format("Wie geht's?"))
    chapters.write_text(";FFMETADATA1\ntitle=Film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=900\ntitle=One\n")
    tag = ["-map_metadata", "2", "-metadata:s:s:0", "language=deu"]
    ffmpeg(
        "-i", clips.path("plain.mkv"), "-i", own, "-i", chapters, "-map", "0", "-map", "1", "-c", "copy", *tag, video
    )
    out, container, source = dub_into(video, tmp_path)
    assert container == "mkv"
    assert [codec for _, codec in source.subtitles] == ["subrip"]
    languages = [s["tags"]["language"] for s in streams(out) if s["codec_type"] == "subtitle"]
    assert languages == ["spa", "eng", "deu"]
    ffmpeg("-i", out, "-f", "ffmetadata", tmp_path / "found.txt")
    found = (tmp_path / "found.txt").read_text()
    assert "title=Film" in found
    assert "title=One" in found


def test_bitmap_subtitles_ask_for_matroska_and_captions_are_not_carried_on(clips: Clips) -> None:
    source = probe(reference(clips.path("plain.mp4")))
    assert container_for(source.model_copy(update={"subtitles": ((2, "hdmv_pgs_subtitle"),)})) == "mkv"
    assert container_for(source.model_copy(update={"subtitles": ((2, "eia_608"),)})) == "mp4"
    assert subtitle_codec("hdmv_pgs_subtitle", "mkv") == "copy"
    assert subtitle_codec("mov_text", "mkv") == "subrip"
    assert subtitle_codec("eia_608", "mkv") is None


def test_the_dub_lasts_as_long_as_its_mix(clips: Clips, tmp_path: Path) -> None:
    video = clips.path("silent.mp4")
    mix = tmp_path / "mix.flac"
    ffmpeg(*TONE, "-ar", "48000", mix)
    out, _ = mux(video, probe(reference(video)), mix, (), "fr", tmp_path)
    sound = dubbed_sound(out, tmp_path, 0)
    assert soundfile.info(sound).duration == pytest.approx(2.0, abs=0.03)


def test_another_picture_is_not_equal_and_another_framing_is(clips: Clips, tmp_path: Path) -> None:
    plain, stream, other = clips.path("plain.mp4"), tmp_path / "same.ts", tmp_path / "other.mp4"
    ffmpeg("-i", plain, "-c", "copy", stream)
    ffmpeg(*PICTURE, *TONE, "-vf", "drawbox=x=10:y=10:w=4:h=4:t=fill:enable='eq(n,30)'", *H264, *AAC, other)
    assert picture_hash(plain) != picture_hash(stream)
    assert frames_hash(plain) == frames_hash(stream)
    assert picture_equal(plain, stream)
    assert not picture_equal(plain, other)


def test_a_track_without_a_language_gets_the_one_that_is_known_and_the_others_nothing(
    clips: Clips, tmp_path: Path
) -> None:
    video = tmp_path / "two.mkv"
    ffmpeg("-i", clips.path("plain.mp4"), "-map", "0:v", "-map", "0:a", "-map", "0:a", "-c", "copy", video)
    source = probe(reference(video))
    out, _ = mux(video, source, None, (), "es", tmp_path, original="en")
    assert [track.language for track in probe(reference(out)).tracks] == ["en", None]
    tagged = clips.path("tracks.mkv")
    out, _ = mux(tagged, probe(reference(tagged)), None, (), "es", tmp_path, original="fr")
    assert [track.language for track in probe(reference(out)).tracks] == ["de", "en"]
