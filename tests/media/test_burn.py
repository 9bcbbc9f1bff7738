"""Subtitles drawn into the picture. The cue stands from 0.5 to 1.5 s."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import AAC, H264, TONE, Clips, duration_s, ffmpeg, frame_times, streams
from numpy.typing import NDArray

from dubline.domain.subtitles import Cue, to_ass
from dubline.domain.time import Span
from dubline.media.burn import BurnedVideo, burn
from dubline.media.probe import probe
from dubline.storage.artifacts import reference

GREY = ["-f", "lavfi", "-i", "color=gray:s=640x360:r=25:d=2"]


def subtitled(video: Path, folder: Path, *lines: str) -> BurnedVideo:
    picture = probe(reference(video)).picture
    assert picture is not None
    folder = folder / "-".join(str(len(line)) for line in lines)
    folder.mkdir(exist_ok=True)
    ass = folder / "cues.ass"
    ass.write_text(to_ass([Cue(Span(500, 1500), lines)], *picture.shown_size), encoding="utf-8")
    return burn(video, ass, folder, 2000)


def grey(folder: Path, *more: str) -> Path:
    path = folder / "grey.mp4"
    ffmpeg(*GREY, *TONE, *H264, *AAC, *more, path)
    return path


def luma(video: Path, at_s: float) -> NDArray[np.uint8]:
    """Brightness (rows, columns) of the frame that is shown at a time."""
    size = next((s["height"], s["width"]) for s in streams(video) if s["codec_type"] == "video")
    command = ["ffmpeg", "-v", "error", "-ss", str(at_s), "-i", video, "-frames:v", "1", "-pix_fmt", "gray"]
    raw = subprocess.run([*command, "-f", "rawvideo", "-"], capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(size)


def white_rows(video: Path, at_s: float) -> list[int]:
    return [int(row) for row in np.flatnonzero((luma(video, at_s) > 220).any(axis=1))]


def test_text_stands_at_the_bottom_while_its_cue_lasts(tmp_path: Path) -> None:
    made = subtitled(grey(tmp_path), tmp_path, "Hello, who is it?", "It is me.")
    assert made.missing == ()
    assert white_rows(made.path, 0.3) == white_rows(made.path, 1.7) == []
    shown = white_rows(made.path, 1.0)
    assert shown[0] > 360 * 0.7
    assert shown[-1] < 360 * 0.97


def test_the_picture_keeps_its_frames_and_the_dub_its_bytes(clips: Clips, tmp_path: Path) -> None:
    video = clips.path("variable.mkv")
    made = subtitled(video, tmp_path, "Hello")
    assert frame_times(made.path) == pytest.approx(frame_times(video), abs=0.011)
    assert duration_s(made.path) == pytest.approx(duration_s(video), abs=0.05)
    sounds = [tmp_path / "before.adts", tmp_path / "after.adts"]
    for path, sound in zip((video, made.path), sounds, strict=True):
        ffmpeg("-i", path, "-map", "0:a:0", "-c", "copy", "-f", "adts", sound)
    assert sounds[0].read_bytes() == sounds[1].read_bytes()


def test_a_portrait_video_has_upright_text_at_its_bottom(clips: Clips, tmp_path: Path) -> None:
    video = clips.path("portrait.mov")
    made, without = subtitled(video, tmp_path, "Hello"), subtitled(video, tmp_path)
    assert luma(made.path, 1.0).shape == (160, 90)
    rows = np.flatnonzero((np.abs(luma(made.path, 1.0).astype(int) - luma(without.path, 1.0)) > 60).any(axis=1))
    assert rows.size
    assert rows[0] > 160 * 0.7


def test_odd_sides_are_made_even(tmp_path: Path) -> None:
    video = tmp_path / "odd.mkv"
    ffmpeg("-f", "lavfi", "-i", "color=gray:s=161x91:r=25:d=1", "-c:v", "libx264", "-pix_fmt", "yuv444p", video)
    picture = streams(subtitled(video, tmp_path, "Hello").path)[0]
    assert (picture["width"], picture["height"]) == (160, 90)


def test_a_folder_of_any_name_will_do(tmp_path: Path) -> None:
    folder = tmp_path / "it's: a [x], b;c=d\\e %f"
    folder.mkdir()
    assert white_rows(subtitled(grey(tmp_path), folder, "Hello").path, 1.0)


def test_characters_without_a_font_are_named(tmp_path: Path) -> None:
    assert subtitled(grey(tmp_path), tmp_path, "a \U00012000 b").missing == ("\U00012000",)


def test_braces_are_drawn_and_are_no_codes(tmp_path: Path) -> None:
    plain = subtitled(grey(tmp_path), tmp_path, "WW")
    narrow = (luma(plain.path, 1.0) > 220).sum()
    coded = subtitled(grey(tmp_path), tmp_path, r"{\pos(10,10)}WW{\fs200}")
    assert (luma(coded.path, 1.0) > 220).sum() > 2 * narrow
    assert white_rows(coded.path, 1.0)[0] > 360 * 0.7


def painted(folder: Path, *made: str, text: str = "HOOO WWW") -> Path:
    """A cue over plain black, in a picture that was made so."""
    video = folder / "plain.mkv"
    ffmpeg(*made, video)
    return subtitled(video, folder, text).path


def looks_of(video: Path) -> dict[str, Any]:
    entries = ["-select_streams", "v:0", "-show_streams", "-show_frames", "-read_intervals", "%+#1", "-of", "json"]
    told = json.loads(
        subprocess.run(["ffprobe", "-v", "error", *entries, video], capture_output=True, check=True).stdout
    )
    sides = told["frames"][0].get("side_data_list", [])
    return {**told["streams"][0], "sides": {s["side_data_type"]: s for s in sides}}


HDR_DISPLAY = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"


@pytest.mark.parametrize(("transfer", "white"), [("smpte2084", 0.58), ("arib-std-b67", 0.75)])
def test_high_dynamic_range_stays_so_and_its_letters_do_not_dazzle(tmp_path: Path, transfer: str, white: float) -> None:
    figures = f":hdr10=1:master-display={HDR_DISPLAY}:max-cll=1000,400" if transfer == "smpte2084" else ""
    made = painted(
        tmp_path,
        *["-f", "lavfi", "-i", "color=black:s=640x360:r=25:d=2", "-c:v", "libx265", "-preset", "ultrafast"],
        *["-pix_fmt", "yuv420p10le", "-x265-params", f"log-level=none{figures}"],
        *["-color_primaries", "bt2020", "-color_trc", transfer, "-colorspace", "bt2020nc"],
    )
    found = looks_of(made)
    assert (found["codec_name"], found["codec_tag_string"], found["pix_fmt"]) == ("hevc", "hvc1", "yuv420p10le")
    assert (found["color_transfer"], found["color_primaries"]) == (transfer, "bt2020")
    assert (found["color_space"], found["color_range"]) == ("bt2020nc", "tv")
    if figures:
        display = found["sides"]["Mastering display metadata"]
        assert (display["green_x"], display["min_luminance"]) == ("13250/50000", "50/10000")
        light = found["sides"]["Content light level metadata"]
        assert (light["max_content"], light["max_average"]) == (1000, 400)
    command = ["ffmpeg", "-v", "error", "-ss", "1", "-i", made, "-frames:v", "1", "-vf", "extractplanes=y"]
    raw = subprocess.run([*command, "-f", "rawvideo", "-"], capture_output=True, check=True).stdout
    assert (np.frombuffer(raw, np.uint16).max() - 64) / 876 == pytest.approx(white, abs=0.03)


def test_letters_are_not_drawn_wide_where_pixels_are(tmp_path: Path) -> None:
    widths = {}
    for shape in ("1/1", "2/1"):
        folder = tmp_path / shape.replace("/", "-")
        folder.mkdir()
        made = painted(
            folder, "-f", "lavfi", "-i", "color=gray:s=640x360:r=25:d=2", "-vf", f"setsar={shape}", "-c:v", "libx264"
        )
        assert looks_of(made)["sample_aspect_ratio"] == shape.replace("/", ":")
        columns = np.flatnonzero((luma(made, 1.0) > 200).any(axis=0))
        widths[shape] = columns[-1] - columns[0]
    assert widths["2/1"] == pytest.approx(widths["1/1"] / 2, rel=0.1)


@pytest.mark.parametrize("field", ["tff", "bff"])
def test_fields_stay_fields(tmp_path: Path, field: str) -> None:
    made = painted(
        tmp_path,
        *["-f", "lavfi", "-i", "testsrc2=s=320x192:r=25:d=2", "-vf", f"setfield={field}", "-pix_fmt", "yuv422p"],
        *["-c:v", "mpeg2video", "-flags", "+ildct+ilme", "-top", "1" if field == "tff" else "0"],
    )
    assert looks_of(made)["field_order"] == ("tt" if field == "tff" else "bb")


def test_full_range_and_ten_bits_become_what_every_player_shows(tmp_path: Path) -> None:
    made = painted(
        tmp_path,
        *["-f", "lavfi", "-i", "color=gray:s=320x180:r=25:d=2", "-vf", "scale=out_range=pc,format=yuv420p10le"],
        *["-c:v", "ffv1", "-color_range", "pc"],
    )
    found = looks_of(made)
    assert (found["codec_name"], found["pix_fmt"], found.get("color_range", "tv")) == ("h264", "yuv420p", "tv")
    assert luma(made, 0.2)[0, 0] == pytest.approx(128, abs=2)
