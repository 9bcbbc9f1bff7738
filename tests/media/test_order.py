"""Frames are shown in order and in time though the file tells no times. Each frame is brighter than the last."""

from __future__ import annotations

import subprocess
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import PictureType
from clips import burst_s, dubbed_sound, ffmpeg, streams

from dubline.domain.errors import MediaToolFailed
from dubline.media.extract import extract_audio
from dubline.media.mux import mux
from dubline.media.order import disordered, put_in_order
from dubline.media.probe import probe
from dubline.media.reorder import decoded_order, opened, packets, picture_of, presentation
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
    told: list[float] = []
    made = put_in_order(video, source.picture.index, folder, told.append)
    assert told == sorted(told) and told[-1] > 0.5
    return mux(video, source, full, (), "es", folder, in_order=made)[0]


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


@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
def test_a_video_that_was_spoiled_by_such_a_copy_is_mended(
    avi: tuple[Path, Path], tmp_path: Path, container: str
) -> None:
    """Its packets are where the encoder had them, to a frame: the copy was guessed to be later, and its end as well."""
    spoiled, folder = tmp_path / f"spoiled.{container}", tmp_path / "out"
    folder.mkdir()
    ffmpeg("-fflags", "+genpts", "-i", avi[1], "-c", "copy", spoiled)
    assert decoding_order(spoiled) == sorted(decoding_order(spoiled))
    out = ordered(spoiled, folder)
    made, right = decoding_order(out), decoding_order(avi[0])
    assert [time - made[0] for time in made] == pytest.approx([time - right[0] for time in right], abs=0.021)
    assert -0.001 <= made[0] <= 0.041
    lights = [light for _, light in shown(out)]
    assert lights == sorted(lights)


@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_a_picture_put_in_order_keeps_its_title_language_and_marks(
    avi: tuple[Path, Path], tmp_path: Path, container: str
) -> None:
    spoiled, folder = tmp_path / f"spoiled.{container}", tmp_path / "out"
    folder.mkdir()
    said = ["-metadata:s:v", "title=Main angle", "-metadata:s:v", "language=fra", "-metadata:s:v", "handler_name=Angle"]
    marks = ["-disposition:v", "default+original"]
    ffmpeg("-fflags", "+genpts", "-i", avi[1], "-c", "copy", *said, *marks, spoiled)
    before, after = (streams(video)[0] for video in (spoiled, ordered(spoiled, folder)))
    kept = ("title", "language") if container == "mkv" else ("language", "handler_name")
    assert [after["tags"].get(name) for name in kept] == [before["tags"][name] for name in kept]
    assert after["disposition"] == before["disposition"]


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An AVI whose frames are in order at first: only from its 26th to its 28th second an encoder uses B-frames."""
    right, video = (tmp_path_factory.mktemp("late") / name for name in ("right.mp4", "video.avi"))
    with av.open(str(right), "w") as made:
        stream = made.add_stream("libx264", rate=25, width=32, height=32, pix_fmt="yuv420p")
        stream.codec_context.max_b_frames = 2
        stream.options = {"preset": "ultrafast", "g": "100"}
        for number in range(40 * 25):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), number % 200, np.uint8))
            frame.pts = number
            between = 25 <= number / 25 < 27 and number % 2
            frame.pict_type = PictureType.B if between else PictureType.P
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    ffmpeg("-i", right, "-c", "copy", "-bsf:v", "h264_mp4toannexb", video)
    return video


@pytest.mark.parametrize("container", ["avi", "mp4", "mkv"])
def test_b_frames_that_come_late_are_found(late: Path, tmp_path: Path, container: str) -> None:
    video = late
    if container != "avi":
        video = tmp_path / f"copy.{container}"
        ffmpeg("-fflags", "+genpts", "-i", late, "-c", "copy", video)
    types = ["-show_entries", "frame=pict_type", "-of", "csv=p=0"]
    told = subprocess.run(["ffprobe", "-v", "error", *types, video], capture_output=True, text=True, check=True)
    assert told.stdout.index("B") > 600, "or this proves nothing"
    picture = probe(reference(video)).picture
    assert picture is not None
    assert picture.disordered


def test_a_tool_that_fails_does_not_mean_that_frames_are_in_order(
    avi: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise MediaToolFailed("ffprobe failed with exit status 1: no message")

    monkeypatch.setattr("dubline.media.order.run_ffprobe", failing)
    with pytest.raises(MediaToolFailed):
        disordered(avi[0], 0, "h264", 0.0, 1.0)


def test_nothing_is_imported_from_the_folder_that_the_user_is_in(
    avi: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "av.py").write_text("raise SystemExit('somebody else wrote this')")
    monkeypatch.chdir(tmp_path)
    assert put_in_order(avi[1], 0, tmp_path).path.stat().st_size > 0


def test_a_picture_beyond_the_limit_is_not_decoded(tmp_path: Path) -> None:
    video = tmp_path / "huge.avi"
    huge = "color=s=16000x2400:r=25:d=0.04"
    ffmpeg("-f", "lavfi", "-i", huge, "-c:v", "libx264", "-preset", "ultrafast", video)
    with opened(video) as media:
        stream = picture_of(media, 0)
        assert decoded_order(stream, packets(media, stream)) == ([0], [])


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
    made = put_in_order(video, source.picture.index, tmp_path)
    out = mux(video, source, None, (), "es", tmp_path, in_order=made)[0]
    lights = [light for _, light in shown(out)]
    assert len(lights) == FRAMES
    assert lights == sorted(lights)
    assert decoding_order(out) != sorted(decoding_order(out))
