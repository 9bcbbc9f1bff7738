from __future__ import annotations

import os
from itertools import chain
from pathlib import Path

import pytest
from clips import AAC, H264, PICTURE, TONE, Clips, ffmpeg

from dubline.domain.errors import InvalidMedia
from dubline.media import inputs
from dubline.media.inputs import check_file
from dubline.media.probe import language_code, probe
from dubline.storage.artifacts import reference
from dubline.storage.results import ArtifactRef, Source


def probed(path: Path) -> Source:
    return probe(reference(path))


@pytest.mark.parametrize(
    ("name", "container", "codec"),
    [
        ("plain.mp4", "mp4", "h264"),
        ("plain.mov", "mov", "h264"),
        ("plain.mkv", "mkv", "h264"),
        ("plain.webm", "mkv", "vp8"),
        ("plain.avi", "avi", "mpeg4"),
        ("plain.ts", "ts", "h264"),
    ],
)
def test_a_video_of_each_container_is_accepted_with_its_figures(
    clips: Clips, name: str, container: str, codec: str
) -> None:
    source = probed(clips.path(name))
    assert source.container == container
    assert source.picture is not None
    assert (source.picture.codec, source.picture.width, source.picture.height) == (codec, 160, 90)
    assert source.picture.frame_rate == pytest.approx(25)
    assert source.duration_ms == pytest.approx(2000, abs=80)
    assert len(source.tracks) == 1
    assert source.dubbed_track == source.tracks[0].index


def test_the_default_track_is_dubbed_though_it_is_not_the_first(clips: Clips) -> None:
    source = probed(clips.path("tracks.mkv"))
    assert [t.language for t in source.tracks] == ["de", "en"]
    assert [t.default for t in source.tracks] == [False, True]
    assert source.dubbed_track == source.tracks[1].index


def test_a_video_without_sound_is_accepted_and_has_no_track_to_dub(clips: Clips) -> None:
    source = probed(clips.path("silent.mp4"))
    assert source.tracks == ()
    assert source.dubbed_track is None


def test_sound_that_is_longer_than_the_picture_sets_the_duration(clips: Clips) -> None:
    assert probed(clips.path("long-sound.mp4")).duration_ms == pytest.approx(3000, abs=30)


def test_sound_alone_is_no_video(clips: Clips) -> None:
    with pytest.raises(InvalidMedia, match="has no picture"):
        probed(clips.path("sound-only.mp4"))


def test_a_cover_image_is_no_picture(clips: Clips, tmp_path: Path) -> None:
    cover, song = tmp_path / "cover.png", tmp_path / "song.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", "1", cover)
    sound = clips.path("sound-only.mp4")
    ffmpeg("-i", sound, "-i", cover, "-map", "0", "-map", "1", "-c", "copy", "-disposition:v", "attached_pic", song)
    with pytest.raises(InvalidMedia, match="has no picture"):
        probed(song)


def test_the_duration_of_a_file_that_announces_none_is_counted(clips: Clips, tmp_path: Path) -> None:
    live = tmp_path / "live.mkv"
    ffmpeg("-i", clips.path("plain.mkv"), "-c", "copy", "-live", "1", "-f", "matroska", live)
    assert probed(live).duration_ms == pytest.approx(2000, abs=60)


@pytest.mark.parametrize("container", ["mp4", "mkv", "avi", "ts"])
def test_a_video_of_a_fifth_of_a_second_is_one(tmp_path: Path, container: str) -> None:
    short = tmp_path / f"short.{container}"
    ffmpeg("-f", "lavfi", "-i", "color=blue:s=32x32:r=25:d=0.2", "-c:v", "libx264", "-bf", "0", short)
    assert probed(short).duration_ms == pytest.approx(200, abs=40)


def test_the_end_of_a_long_file_is_found_by_seeking(tmp_path: Path) -> None:
    long = tmp_path / "long.mp4"
    picture = "color=blue:s=32x32:r=5:d=40"
    ffmpeg("-f", "lavfi", "-i", picture, "-c:v", "libx264", "-preset", "ultrafast", "-movflags", "+faststart", long)
    assert probed(long).duration_ms == 40_000
    long.write_bytes(long.read_bytes()[: long.stat().st_size * 3 // 4])
    with pytest.raises(InvalidMedia, match=r"ends after \d+\.\d s though it announces 40\.0 s"):
        probed(long)


@pytest.mark.parametrize("name", ["faststart.mp4", "plain.mkv", "plain.avi"])
def test_a_truncated_file_is_told_by_what_it_announces(clips: Clips, tmp_path: Path, name: str) -> None:
    cut = tmp_path / name
    cut.write_bytes(clips.path(name).read_bytes()[: clips.path(name).stat().st_size // 2])
    with pytest.raises(InvalidMedia, match="looks truncated"):
        probed(cut)


def test_an_mp4_that_lost_its_index_looks_truncated(clips: Clips, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(clips.path("plain.mp4").read_bytes()[:-2000])
    with pytest.raises(InvalidMedia, match=r"'cut\.mp4' cannot be read: it looks truncated"):
        probed(cut)


def test_a_cut_transport_stream_announces_nothing_and_is_a_shorter_video(clips: Clips, tmp_path: Path) -> None:
    cut = tmp_path / "cut.ts"
    cut.write_bytes(clips.path("plain.ts").read_bytes()[: 188 * (clips.path("plain.ts").stat().st_size // 188 // 2)])
    assert 500 < probed(cut).duration_ms < 1700


def test_each_kind_of_path_that_is_no_file_gets_its_own_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty, pipe = tmp_path / "empty.mp4", tmp_path / "pipe"
    empty.touch()
    os.mkfifo(pipe)
    cases = {tmp_path / "gone.mp4": "no file", tmp_path: "is a folder", empty: "0 bytes", pipe: "not a regular file"}
    for path, said in cases.items():
        with pytest.raises(InvalidMedia, match=said):
            check_file(path)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(inputs, "_readable_size", refuse)
    with pytest.raises(InvalidMedia, match="may not be read"):
        check_file(empty)


def test_a_text_file_is_damaged_or_not_a_video(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("These are my notes. " * 500)
    with pytest.raises(InvalidMedia, match="not a video"):
        probed(text)


def test_a_file_that_went_away_after_it_was_hashed_is_invalid() -> None:
    gone = ArtifactRef(uri="file:///nowhere/at/all.mp4", sha256="0" * 64, size=1)
    with pytest.raises(InvalidMedia, match="no file"):
        probe(gone)


@pytest.mark.parametrize(
    ("tag", "code"),
    [("eng", "en"), ("ger", "de"), ("deu", "de"), ("pt-BR", "pt"), ("zh_Hant", "zh"), ("und", None), (None, None)],
)
def test_language_tags_of_every_standard_become_one_code(tag: str | None, code: str | None) -> None:
    assert language_code(tag) == code


def test_tracks_that_are_not_the_main_one_are_told_by_disposition_or_title(tmp_path: Path) -> None:
    titles = ["Main", "Director's commentary", "Descriptive audio", "Español", "Isolated score", "Song 1"]
    kinds = ["default", "0", "0", "comment", "0", "hearing_impaired"]
    named = [f"-metadata:s:a:{n}=title={title}".split("=", 1) for n, title in enumerate(titles)]
    marked = [[f"-disposition:a:{n}", kind] for n, kind in enumerate(kinds)]
    path = tmp_path / "many.mkv"
    maps = [word for _ in titles for word in ("-map", "1:a")]
    ffmpeg(*PICTURE, *TONE, "-map", "0:v", *maps, *H264, *AAC, *chain(*named, *marked), path)
    found = probed(path).tracks
    assert [track.title for track in found] == titles
    assert [track.aside for track in found] == [False, True, True, True, True, True]


def test_a_title_in_mp4_is_the_handlers_name_unless_a_tool_gave_it(tmp_path: Path) -> None:
    path = tmp_path / "named.mp4"
    maps = ["-map", "0:v", "-map", "1:a", "-map", "1:a"]
    ffmpeg(*PICTURE, *TONE, *maps, *H264, *AAC, "-metadata:s:a:1", "handler_name=Mic/Aux", path)
    assert [track.title for track in probed(path).tracks] == [None, "Mic/Aux"]
