"""Subtitles drawn into the picture. The cue stands from 0.5 to 1.5 s."""

from __future__ import annotations

import subprocess
from pathlib import Path

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
