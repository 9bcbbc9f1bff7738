"""Frames are shown in order and in time though the file tells no times. Each frame is brighter than the last."""

from __future__ import annotations

import subprocess
from pathlib import Path

import av
import numpy as np
import pytest
from clips import burst_s, dubbed_sound, ffmpeg

from dubline.media.extract import extract_audio
from dubline.media.mux import mux
from dubline.media.probe import probe
from dubline.media.reorder import presentation
from dubline.storage.artifacts import reference

RAMP = ["-f", "lavfi", "-i", "color=black:s=64x64:r=25:d=1,geq=lum='16+8*N':cb=128:cr=128"]
BEEP = ["-f", "lavfi", "-i", "aevalsrc='if(between(t,0.5,0.6),0.5*sin(2*PI*1000*t),0)':s=48000:d=1"]
PYRAMID = ["-c:v", "libx264", "-bf", "3", "-g", "12", "-x264-params", "b-pyramid=normal:b-adapt=0:ref=4"]
HEVC = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:bframes=3:b-adapt=0"]
FRAMES = 25


def shown(path: Path) -> list[tuple[float, int]]:
    """(time in s, brightness) of the frames in the order of the times that the container says."""
    entries = ["-select_streams", "v:0", "-show_entries", "packet=pts_time", "-of", "csv=p=0"]
    told = subprocess.run(["ffprobe", "-v", "error", *entries, path], capture_output=True, text=True, check=True)
    times = sorted(float(line.strip(",")) for line in told.stdout.split())
    raw = ["-map", "0:v:0", "-vf", "scale=1:1", "-pix_fmt", "gray", "-fps_mode", "passthrough", "-f", "rawvideo", "-"]
    made = subprocess.run(["ffmpeg", "-v", "error", "-i", path, *raw], capture_output=True, check=True)
    return list(zip(times, np.frombuffer(made.stdout, np.uint8).tolist(), strict=True))


def decoding_order(path: Path) -> list[float]:
    """Times of the picture's packets as they lie in the file."""
    entries = ["-select_streams", "v:0", "-show_entries", "packet=pts_time", "-of", "csv=p=0"]
    told = subprocess.run(["ffprobe", "-v", "error", *entries, path], capture_output=True, text=True, check=True)
    return [round(float(line.strip(",")), 2) for line in told.stdout.split()]


@pytest.fixture(scope="module", params=["h264", "hevc"])
def avi(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An MP4 that says when each packet is shown, and the same packets in an AVI."""
    folder = tmp_path_factory.mktemp(request.param)
    right, video = folder / "right.mp4", folder / "video.avi"
    ffmpeg(*RAMP, *BEEP, *(PYRAMID if request.param == "h264" else HEVC), "-c:a", "libmp3lame", right)
    tag = ["-tag:v", "HEVC", "-strict", "unofficial"] if request.param == "hevc" else []
    annexb = ["-bsf:v", f"{request.param}_mp4toannexb"]
    ffmpeg("-i", right, "-c", "copy", *annexb, *tag, video)
    return right, video


def ordered(video: Path, folder: Path) -> Path:
    source = probe(reference(video))
    assert source.picture is not None
    assert source.picture.disordered
    full, *_ = extract_audio(video, source, folder)
    return mux(video, source, full, (), "es", folder)[0]


def test_frames_of_an_avi_are_shown_in_their_order_and_in_time(avi: tuple[Path, Path], tmp_path: Path) -> None:
    right, video = avi
    out = ordered(video, tmp_path)
    assert [round(time, 2) for time, _ in shown(out)] == [round(n / 25, 2) for n in range(FRAMES)]
    lights = [light for _, light in shown(out)]
    assert lights == sorted(lights)
    assert decoding_order(out) == decoding_order(right), "each packet has the time that its encoder gave it"
    assert decoding_order(right) != sorted(decoding_order(right)), "or this proves nothing"


def test_sound_and_picture_stay_together(avi: tuple[Path, Path], tmp_path: Path) -> None:
    out = ordered(avi[1], tmp_path)
    assert [burst_s(dubbed_sound(out, tmp_path, track))[0] for track in (0, 1)] == pytest.approx([0.5, 0.5], abs=0.09)


def test_a_video_that_was_spoiled_by_such_a_copy_is_mended(avi: tuple[Path, Path], tmp_path: Path) -> None:
    spoiled = tmp_path / "spoiled.mp4"
    ffmpeg("-fflags", "+genpts", "-i", avi[1], "-c", "copy", spoiled)
    assert decoding_order(spoiled) == sorted(decoding_order(spoiled))
    folder = tmp_path / "out"
    folder.mkdir()
    assert decoding_order(ordered(spoiled, folder)) == decoding_order(avi[0])


def test_a_video_that_tells_its_times_is_copied_as_it_is(avi: tuple[Path, Path]) -> None:
    picture = probe(reference(avi[0])).picture
    assert picture is not None
    assert not picture.disordered


@pytest.mark.parametrize(
    ("frames", "placed"),
    [
        ([0, 2, 1, 3], [0, 20, 10, 30]),
        ([0, 2, 3], [0, 10, 20, 30]),  # the second gave no frame: it follows the first
        ([1, 2, 3], [0, 10, 20, 30]),
        ([], [0, 10, 20, 30]),
    ],
)
def test_each_packet_gets_the_time_of_its_frame(frames: list[int], placed: list[int]) -> None:
    assert presentation([0, 10, 20, 30], frames) == placed


def packed(plain: Path, out: Path) -> None:
    """Put each B-frame into the packet before it, and a placeholder where it was: DivX's `packed bitstream`."""
    with av.open(str(plain)) as media, av.open(str(out), "w", format="avi") as made:
        stream = media.streams.video[0]
        copy = made.add_stream_from_template(stream)
        contents = [bytes(packet) for packet in media.demux(stream) if packet.size]
        mark = b"\0\0\1\xb2DivX503b1393p"
        placed = contents[:1]
        for reference_frame, between in zip(contents[1::2], contents[2::2], strict=False):
            placed += [reference_frame + between, NOT_CODED]
        placed[0] = placed[0].replace(VOP, mark + VOP, 1)
        for number, content in enumerate(placed):
            packet = av.Packet(content)
            packet.stream, packet.pts, packet.dts, packet.is_keyframe = copy, number, number, number == 0
            packet.time_base = copy.time_base
            made.mux(packet)


VOP = b"\0\0\1\xb6"
NOT_CODED = VOP + bytes([0b01010000, 0b01111111])
"""A predicted VOP of which nothing is coded (ISO 14496-2, 6.2.5)."""


def test_packed_frames_of_mpeg4_are_taken_apart(tmp_path: Path) -> None:
    plain, video = tmp_path / "plain.avi", tmp_path / "packed.avi"
    ffmpeg(*RAMP, "-c:v", "mpeg4", "-bf", "1", "-b_strategy", "0", "-g", "50", "-q:v", "3", plain)
    packed(plain, video)
    source = probe(reference(video))
    assert source.picture is not None
    assert source.picture.disordered
    out = mux(video, source, None, (), "es", tmp_path)[0]
    lights = [light for _, light in shown(out)]
    assert len(lights) == FRAMES
    assert lights == sorted(lights)
    assert decoding_order(out) != sorted(decoding_order(out))
