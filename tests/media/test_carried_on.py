"""What a source holds besides the picture leaves as it came: sound, subtitles, fonts, covers, further angles."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from clips import duration_s, ffmpeg, streams

from dubline.domain.errors import InvalidMedia, OutputUnavailable
from dubline.media.containers import container_for, left_out, sound_codec
from dubline.media.extract import extract_audio
from dubline.media.hashing import picture_equal, sound_hash
from dubline.media.mux import SubtitleTrack, mux
from dubline.media.probe import probe
from dubline.settings import settings
from dubline.storage.artifacts import reference
from dubline.storage.results import ArtifactRef, Picture, Source, Track

PICTURE = ["-f", "lavfi", "-i", "testsrc2=s=64x64:r=25:d=0.5"]
TONE = ["-f", "lavfi", "-i", "sine=f=440:r=48000:d=0.5"]
H264 = ["-c:v", "libx264", "-preset", "ultrafast"]
FLV = ["-c:v", "flv"]
CUE = "1\n00:00:00,100 --> 00:00:00,400\nHello\n\n"
ASS = (
    "[Script Info]\nScriptType: v4.00+\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize, PrimaryColour, Alignment\n"
    "Style: Sign,DejaVu Sans,20,&H0000FFFF,8\n[Events]\nFormat: Layer, Start, End, Style, Text\n"
    "Dialogue: 0,0:00:00.10,0:00:00.40,Sign,{\\pos(30,20)\\c&H0000FF&}OPEN\n"
)
CHAPTERS = ";FFMETADATA1\ntitle=Film\nartist=Somebody\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=250\ntitle=One\n"


def dubbed(video: Path, folder: Path) -> tuple[Path, Source]:
    """With the original's own sound as the mix, and with subtitles of ours."""
    source, out = probe(reference(video)), folder / "out"
    out.mkdir()
    (out / "es.srt").write_text(CUE)
    full, *_ = extract_audio(video, source, out)
    return mux(video, source, full, [SubtitleTrack(out / "es.srt", "es", "Spanish")], "es", out)[0], source


def of_kind(path: Path, kind: str) -> list[dict[str, Any]]:
    return [stream for stream in streams(path) if stream["codec_type"] == kind]


def told(path: Path, *what: str) -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", *what, "-of", "json", path]
    return dict(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))


def extracted(path: Path, stream: str, form: str, out: Path) -> bytes:
    ffmpeg("-copyts", "-i", path, "-map", stream, "-c", "copy", "-f", form, out)
    return out.read_bytes()


SOUND = [
    ("disc.m2ts", [*H264, "-c:a", "pcm_bluray", "-ac", "2"], "flac"),
    ("disc.vob", ["-c:v", "mpeg2video", "-c:a", "pcm_dvd", "-ac", "2", "-f", "dvd"], "flac"),
    ("ima4.mov", [*H264, "-c:a", "adpcm_ima_qt", "-ar", "22050"], "flac"),
    ("signed.mov", [*H264, "-c:a", "pcm_s8"], "flac"),
    ("floats.mov", [*H264, "-c:a", "pcm_f32be"], "pcm_f32le"),
    ("gsm.mov", [*H264, "-c:a", "libgsm", "-ar", "8000"], "flac"),
    ("nelly.flv", [*FLV, "-c:a", "nellymoser", "-ar", "22050"], "pcm_f32le"),
    ("swf.flv", [*FLV, "-c:a", "adpcm_swf", "-ar", "44100"], "flac"),
    ("speex.flv", [*FLV, "-c:a", "libspeex", "-ar", "16000"], "pcm_f32le"),
    ("ms.avi", ["-c:v", "mpeg4", "-c:a", "adpcm_ms"], "flac"),
    ("yamaha.avi", ["-c:v", "mpeg4", "-c:a", "adpcm_yamaha"], "flac"),
    ("studio.ts", [*H264, "-c:a", "s302m", "-ac", "2", "-strict", "-2"], "flac"),
    ("phone.flv", [*FLV, "-c:a", "pcm_mulaw", "-ar", "8000"], "pcm_mulaw"),
    ("broadcast.ts", [*H264, "-c:a", "aac", "-mpegts_flags", "latm"], "aac_latm"),
    ("dts.mkv", [*H264, "-c:a", "dca", "-strict", "-2"], "dts"),
    ("windows.wmv", ["-c:v", "wmv2", "-c:a", "wmav2"], "wmav2"),
]


@pytest.mark.parametrize(("name", "made", "codec"), SOUND, ids=[name for name, *_ in SOUND])
def test_sound_is_carried_on_without_loss_whatever_it_was(
    tmp_path: Path, name: str, made: list[str], codec: str
) -> None:
    video = tmp_path / name
    ffmpeg(*PICTURE, *TONE, *made, video)
    out, source = dubbed(video, tmp_path)
    assert out.suffix == ".mkv"
    sound = of_kind(out, "audio")
    assert [s["codec_name"] for s in sound] == ["aac", codec]
    assert sound_hash(video, source.tracks[0].index) == sound_hash(out, sound[1]["index"])
    assert picture_equal(video, out)


@pytest.mark.parametrize(
    ("samples", "bits", "channels", "container", "expected"),
    [
        ("s32", 24, 2, "mkv", {"c": "flac", "sample_fmt": "s32", "bits_per_raw_sample": "24"}),
        ("s32", 32, 2, "mkv", {"c": "pcm_s32le"}),
        ("s32p", 24, 2, "mp4", {"c": "alac", "sample_fmt": "s32p", "bits_per_raw_sample": "24"}),
        ("s16p", 0, 12, "mkv", {"c": "pcm_s16le"}),
        ("u8", 0, 1, "mov", {"c": "pcm_s16le"}),
        ("fltp", 0, 2, "mov", {"c": "pcm_f32le"}),
        ("dbl", 0, 2, "mkv", {"c": "pcm_f64le"}),
    ],
)
def test_samples_go_where_all_their_bits_have_room(
    samples: str, bits: int, channels: int, container: Any, expected: dict[str, str]
) -> None:
    track = Track(index=1, codec="odd", channels=channels, samples=samples, bits=bits)
    assert sound_codec(track, container) == expected


@pytest.mark.parametrize("codec", ["qtrle", "smc"])
def test_a_picture_that_matroska_spoils_stays_in_quicktime(tmp_path: Path, codec: str) -> None:
    video = tmp_path / "animation.mov"
    ffmpeg(*PICTURE, *TONE, "-c:v", codec, "-c:a", "aac", video)
    out, _ = dubbed(video, tmp_path)
    assert out.suffix == ".mov"
    assert picture_equal(video, out)


def test_a_turned_picture_that_mp4_does_not_take_stays_in_quicktime() -> None:
    """Nothing would turn it in Matroska."""
    sound = Track(index=1, codec="pcm_s16le", channels=2, samples="s16")
    turned = Picture(index=0, codec="prores", width=64, height=64, frame_rate=25, rotation=90)
    file = ArtifactRef(uri="file:///film.mov", sha256="0" * 64, size=1)
    film = Source(file=file, container="mov", duration_ms=1, picture=turned, tracks=(sound,), dubbed_track=1)
    assert container_for(film) == "mov"
    assert container_for(film.model_copy(update={"picture": turned.model_copy(update={"rotation": 0})})) == "mkv"
    assert container_for(film.model_copy(update={"picture": turned.model_copy(update={"codec": "h264"})})) == "mp4"


def test_a_picture_that_nothing_holds_is_refused_with_what_to_do(tmp_path: Path) -> None:
    video = tmp_path / "screen.flv"
    ffmpeg(*PICTURE, "-c:v", "flashsv2", video)
    with pytest.raises(InvalidMedia, match=r"\(flashsv2\) fits into no container.*ffmpeg -i screen\.flv -c:v ffv1"):
        probe(reference(video))


def test_a_full_disk_does_not_mean_that_no_container_holds_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video, places = tmp_path / "screen.mov", []
    ffmpeg(*PICTURE, "-c:v", "qtrle", "-pix_fmt", "rgb24", video)

    def full(output: Any, **_: object) -> None:
        places.append(Path(output.node.kwargs["filename"].removeprefix("file:")))
        raise OutputUnavailable("Cannot write: No space left on device; make room.")

    monkeypatch.setattr("dubline.media.trial.run_ffmpeg", full)
    with pytest.raises(OutputUnavailable):
        probe(reference(video))
    assert settings().home in places[0].parents, "frames of a user's video stay where its working files are"


@pytest.fixture
def anime(tmp_path: Path) -> Path:
    """Matroska with all that MP4 would change."""
    for name, text in (("s.ass", ASS), ("s.srt", CUE), ("chapters.txt", CHAPTERS), ("readme.bin", "\x01\x02")):
        (tmp_path / name).write_text(text)
    (tmp_path / "font.ttf").write_bytes(b"\0\1\0\0 not really a font")
    ffmpeg("-f", "lavfi", "-i", "color=red:s=32x32", "-frames:v", "1", tmp_path / "cover.jpg")
    video = tmp_path / "anime.mkv"
    ffmpeg(
        *[*PICTURE, *TONE, "-i", tmp_path / "s.ass", "-i", tmp_path / "s.srt", "-i", tmp_path / "chapters.txt"],
        *["-map", "0", "-map", "1", "-map", "2", "-map", "3", "-map_metadata", "4", *H264, "-c:a", "flac"],
        *[
            "-c:s:0",
            "ass",
            "-c:s:1",
            "srt",
            "-metadata:s:s:0",
            "title=Signs & Songs",
            "-metadata:s:a:0",
            "title=Comment",
        ],
        *["-metadata:s:s:0", "language=eng", "-metadata:s:a:0", "language=jpn", "-metadata", "DIRECTOR=Her"],
        *["-disposition:s:0", "forced", "-disposition:s:1", "hearing_impaired"],
        *["-disposition:a:0", "default+original+comment"],
        *["-attach", tmp_path / "font.ttf", "-metadata:s:t:0", "mimetype=application/x-truetype-font"],
        *["-attach", tmp_path / "cover.jpg", "-metadata:s:t:1", "mimetype=image/jpeg"],
        *["-attach", tmp_path / "readme.bin", "-metadata:s:t:2", "mimetype=application/octet-stream"],
        video,
    )
    return video


def test_matroska_keeps_what_mp4_would_change(anime: Path, tmp_path: Path) -> None:
    out, source = dubbed(anime, tmp_path)
    assert out.suffix == ".mkv"
    assert left_out(source) == ()
    sound, text, files = (of_kind(out, kind) for kind in ("audio", "subtitle", "attachment"))
    assert [(s["codec_name"], s["tags"]["title"]) for s in sound] == [("aac", "Dub (Spanish)"), ("flac", "Comment")]
    assert [sound[1]["disposition"][mark] for mark in ("default", "original", "comment")] == [0, 1, 1]
    assert [s["codec_name"] for s in text] == ["subrip", "ass", "subrip"]
    assert text[1]["tags"]["title"] == "Signs & Songs"
    assert [[s["disposition"][mark] for s in text] for mark in ("default", "forced", "hearing_impaired")] == [
        *([0, 0, 0], [0, 1, 0], [0, 0, 1]),
    ]
    styled = [extracted(path, f"0:s:{n}", "ass", tmp_path / f"{n}.ass") for path, n in ((anime, 0), (out, 1))]
    assert styled[0] == styled[1]
    assert b"\\pos(30,20)" in styled[1]
    assert [s["tags"]["filename"] for s in files] == ["font.ttf", "readme.bin"]
    ffmpeg("-dump_attachment:t:0", tmp_path / "font.out", "-i", out, "-f", "null", "-t", "0", "-")
    assert (tmp_path / "font.out").read_bytes() == (tmp_path / "font.ttf").read_bytes()
    (cover,) = (s for s in of_kind(out, "video") if s["disposition"]["attached_pic"])
    assert cover["tags"]["filename"] == "cover.jpg"
    assert extracted(out, f"0:{cover['index']}", "rawvideo", tmp_path / "c") == (tmp_path / "cover.jpg").read_bytes()
    tags = told(out, "-show_format", "-show_chapters")
    assert [chapter["tags"]["title"] for chapter in tags["chapters"]] == ["One"]
    assert (tags["format"]["tags"]["title"], tags["format"]["tags"]["DIRECTOR"]) == ("Film", "Her")


def test_plain_matroska_becomes_mp4_and_bound_one_does_not(tmp_path: Path) -> None:
    video = tmp_path / "plain.mkv"
    ffmpeg(*PICTURE, *TONE, *H264, "-c:a", "aac", video)
    plain = probe(reference(video))
    assert container_for(plain) == "mp4"
    assert container_for(plain.model_copy(update={"beyond_mp4": True})) == "mkv"
    assert container_for(plain.model_copy(update={"subtitles": ((2, "subrip"),)})) == "mkv"
    ffmpeg("-i", video, "-c", "copy", "-metadata:s:a:0", "title=Director's comment", tmp_path / "titled.mkv")
    assert container_for(probe(reference(tmp_path / "titled.mkv"))) == "mkv"


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """MP4 with subtitles, a cover, a timecode, tags and a further angle."""
    (tmp_path / "s.srt").write_text(CUE)
    video = tmp_path / "film.mp4"
    ffmpeg(
        *[*PICTURE, *TONE, "-i", tmp_path / "s.srt", "-f", "lavfi", "-i", "color=red:s=32x32:d=0.04"],
        *["-map", "0", "-map", "1", "-map", "2", "-map", "2", "-map", "0", "-map", "3", *H264, "-c:v:2", "mjpeg"],
        *[
            "-c:a",
            "aac",
            "-c:s",
            "mov_text",
            "-disposition:v:2",
            "attached_pic",
            "-metadata:s:v:0",
            "timecode=01:00:00:00",
        ],
        *["-disposition:s:0", "default", "-disposition:s:1", "forced", "-metadata:s:s:0", "language=eng"],
        *["-metadata:s:a:0", "handler_name=Room microphone", "-metadata", "title=Film", "-metadata", "artist=Her"],
        *["-metadata", "creation_time=2020-01-02T03:04:05Z", "-metadata", "location=+52.1000+004.2000/", video],
    )
    return video


def test_mp4_keeps_its_cover_its_tags_and_which_subtitle_is_on(film: Path, tmp_path: Path) -> None:
    out, source = dubbed(film, tmp_path)
    assert out.suffix == ".mp4"
    assert left_out(source) == ()
    sound, text, pictures = (of_kind(out, kind) for kind in ("audio", "subtitle", "video"))
    assert sound[1]["tags"]["handler_name"] == "Room microphone"
    assert [(s["disposition"]["default"], s["disposition"]["forced"]) for s in text] == [(0, 0), (1, 0), (0, 1)]
    assert [s["codec_name"] for s in pictures] == ["h264", "h264", "mjpeg"]
    assert [s["disposition"]["attached_pic"] for s in pictures] == [0, 0, 1]
    tags = told(out, "-show_format")["format"]["tags"]
    assert (tags["title"], tags["artist"], tags["location"]) == ("Film", "Her", "+52.1000+004.2000/")
    assert tags["creation_time"].startswith("2020-01-02T03:04:05")
    assert tags["timecode"] == "01:00:00:00"
    assert duration_s(out) == pytest.approx(duration_s(film), abs=0.04)


def test_no_subtitle_is_on_that_was_not(film: Path, tmp_path: Path) -> None:
    quiet = tmp_path / "quiet.mp4"
    ffmpeg("-i", film, "-map", "0:v:0", "-map", "0:a", "-c", "copy", quiet)
    out, _ = dubbed(quiet, tmp_path)
    assert [s["disposition"]["default"] for s in of_kind(out, "subtitle")] == [0]
    assert [s["disposition"]["default"] for s in of_kind(out, "audio")] == [1, 0]


def test_what_cannot_be_carried_on_is_named(film: Path, tmp_path: Path) -> None:
    source = probe(reference(film))
    text = source.subtitles[0][0]
    captioned = source.model_copy(update={"subtitles": ((text, "eia_608"),)})
    assert left_out(captioned) == (f"stream {text} (subtitles, eia_608)",)
    klv = tmp_path / "klv.ts"
    ffmpeg(*PICTURE, *TONE, *H264, "-c:a", "aac", klv)
    assert left_out(probe(reference(klv))) == ()


def test_a_cover_with_sound_is_told_from_a_video(tmp_path: Path) -> None:
    song = tmp_path / "song.m4a"
    cover = ["-f", "lavfi", "-i", "color=red:s=32x32:d=0.04"]
    marks = ["-disposition:v", "attached_pic"]
    ffmpeg(*TONE, *cover, "-map", "0", "-map", "1", "-c:a", "aac", "-c:v", "mjpeg", *marks, song)
    with pytest.raises(InvalidMedia, match="has no picture but a still cover"):
        probe(reference(song))


@pytest.mark.parametrize(
    ("name", "made", "said"),
    [
        (
            "clip.roq",
            ["-s", "64x64", "-r", "30", "-c:v", "roqvideo", "-an"],
            r"does not open \(roq\).*clip\.roq .*clip\.mkv",
        ),
        ("clip.y4m", ["-an"], r"does not open \(yuv4mpegpipe\)"),
        ("clip.h264", [*H264, "-an"], r"bare stream of pictures \(h264\)"),
        ("clip.caf", ["-vn"], r"sound alone \(caf\)"),
        ("clip.srt", [], "playlist or another file that is not a video"),
    ],
)
def test_a_container_that_is_not_opened_is_named_with_what_to_do(
    tmp_path: Path, name: str, made: list[str], said: str
) -> None:
    video = tmp_path / name
    if made:
        ffmpeg(*PICTURE, *TONE, *made, video)
    else:
        video.write_text(CUE * 9)
    with pytest.raises(InvalidMedia, match=said):
        probe(reference(video))


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("camera.mxf", ["-c:v", "mpeg2video", "-c:a", "pcm_s16le"]),
        ("clip.nut", [*H264, "-c:a", "aac"]),
        ("tape.dv", ["-s", "720x576", "-pix_fmt", "yuv420p", "-c:v", "dvvideo", "-c:a", "pcm_s16le", "-ac", "2"]),
        ("tv.wtv", ["-c:v", "mpeg2video", "-c:a", "mp2"]),
        ("server.gxf", ["-s", "720x576", "-c:v", "mpeg2video", "-c:a", "pcm_s16le"]),
    ],
)
def test_containers_of_cameras_and_stations_are_opened(tmp_path: Path, name: str, made: list[str]) -> None:
    video = tmp_path / name
    ffmpeg(*PICTURE, *TONE, *made, video)
    out, source = dubbed(video, tmp_path)
    assert [len(source.tracks), len(of_kind(out, "audio"))] == [1, 2]
    assert picture_equal(video, out)


def test_an_encoders_delay_before_zero_makes_matroska_no_longer(tmp_path: Path) -> None:
    """At 60 frames a second, 32 ms would count as two frames too many."""
    video = tmp_path / "short.mov"
    picture, tone = "testsrc2=s=64x64:r=60:d=1.02", "sine=f=440:r=48000:d=1.02"
    ffmpeg("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone, *H264, "-c:a", "pcm_s8", video)
    out, source = dubbed(video, tmp_path)
    assert out.suffix == ".mkv"
    assert probe(reference(out)).duration_ms == source.duration_ms
