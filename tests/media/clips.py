"""Tiny test videos, made with ffmpeg's own generators: 2 s of a moving test picture and a tone."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

PICTURE = ["-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=2"]
TONE = ["-f", "lavfi", "-i", "sine=f=440:r=48000:d=2"]
BURST = ["-f", "lavfi", "-i", "aevalsrc='if(between(t,0.5,0.7),0.5*sin(2*PI*1000*t),0)':s=48000:d=2"]
H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "10"]
AAC = ["-c:a", "aac"]

RECIPES: dict[str, list[str]] = {
    "plain.mp4": [*PICTURE, *BURST, *H264, *AAC],
    "plain.mov": [*PICTURE, *BURST, *H264, *AAC],
    "pcm.mov": [*PICTURE, *BURST, *H264, "-c:a", "pcm_s16le"],
    "plain.mkv": [*PICTURE, *BURST, *H264, *AAC],
    "plain.webm": [*PICTURE, *BURST, "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libvorbis"],
    "vp9.webm": [*PICTURE, *BURST, "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"],
    "plain.avi": [*PICTURE, *BURST, "-c:v", "mpeg4", "-c:a", "libmp3lame"],
    "h264.avi": [*PICTURE, *BURST, *H264, "-c:a", "libmp3lame"],
    "hevc.mkv": [*PICTURE, *BURST, "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none", *AAC],
    "plain.ts": [*PICTURE, *BURST, *H264, *AAC],
    "faststart.mp4": [*PICTURE, *TONE, *H264, *AAC, "-movflags", "+faststart"],
    "silent.mp4": [*PICTURE, *H264],
    "sound-only.mp4": [*TONE, *AAC],
    "long-sound.mp4": [*PICTURE, "-f", "lavfi", "-i", "sine=f=440:r=48000:d=3", *H264, *AAC],
    "short-sound.mp4": [*PICTURE, "-f", "lavfi", "-i", "sine=f=440:r=48000:d=1", *H264, *AAC],
    "late-sound.mkv": [*PICTURE, "-itsoffset", "0.8", *BURST, *H264, *AAC, "-t", "2"],
    "late-sound.mp4": [*PICTURE, "-itsoffset", "0.8", *BURST, *H264, *AAC, "-t", "2"],
    "late-sound.ts": [*PICTURE, "-itsoffset", "0.8", *BURST, *H264, *AAC, "-t", "2"],
    "portrait.mov": [*PICTURE, *TONE, *H264, *AAC],
    "portrait-pcm.mov": [*PICTURE, *TONE, *H264, "-c:a", "pcm_s16le"],
    "variable.mkv": [*PICTURE, *TONE, "-vf", "select='not(mod(n,3))+lt(n,20)'", "-fps_mode", "vfr", *H264, *AAC],
    "tracks.mkv": [
        *[*PICTURE, *TONE, *BURST, "-map", "0:v", "-map", "1:a", "-map", "2:a", *H264, *AAC],
        *["-metadata:s:a:0", "language=ger", "-metadata:s:a:1", "language=eng"],
        *["-disposition:a:0", "0", "-disposition:a:1", "default", "-metadata:s:a:0", "title=Commentary"],
    ],
    "surround.mp4": [
        *PICTURE,
        *["-f", "lavfi", "-i", "aevalsrc='0|0|0.4*sin(2*PI*500*t)|0|0.1*sin(2*PI*300*t)|0':s=48000:d=2:c=5.1"],
        *[*H264, *AAC],
    ],
    "surround.mkv": [
        *PICTURE,
        *["-f", "lavfi", "-i", "aevalsrc='0|0|0.4*sin(2*PI*500*t)|0|0.1*sin(2*PI*300*t)|0':s=48000:d=2:c=5.1"],
        *[*H264, "-c:a", "ac3"],
    ],
}


def ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg for a fixture; a failure shows what it said."""
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


class Clips:
    """Makes each clip the first time that a test asks for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = cache(self._make)

    def _make(self, name: str) -> Path:
        path = self.folder / name
        ffmpeg(*RECIPES[name], f"file:{path}")
        if name.startswith("portrait"):
            _turn(path)
        return path


def _turn(path: Path) -> None:
    """Write a quarter turn into the picture's track header (ISO 14496-12, 8.3.2), as a phone held upright does."""
    upright, turned = (
        b"".join(value.to_bytes(4, "big", signed=True) for value in matrix)
        for matrix in (
            (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30),
            (0, 1 << 16, 0, -1 << 16, 0, 0, 90 << 16, 0, 1 << 30),
        )
    )
    content = path.read_bytes()
    place = content.index(upright, content.index(b"tkhd"))
    path.write_bytes(content[:place] + turned + content[place + len(turned) :])


def streams(path: Path) -> list[dict[str, Any]]:
    """ffprobe's view of a result."""
    return list(_ffprobe(path, "-show_streams")["streams"])


def duration_s(path: Path) -> float:
    return float(_ffprobe(path, "-show_format")["format"]["duration"])


def frame_times(path: Path) -> list[float]:
    """Times of the picture's frames in order, from the first one on."""
    entries = ["-fflags", "+genpts", "-select_streams", "v:0", "-show_entries", "frame=best_effort_timestamp_time"]
    times = [float(frame["best_effort_timestamp_time"]) for frame in _ffprobe(path, *entries)["frames"]]
    return [round(time - times[0], 2) for time in times]


def _ffprobe(path: Path, *arguments: str) -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", *arguments, "-of", "json", f"file:{path}"]
    return dict(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


def burst_s(path: Path, threshold: float = 0.2) -> tuple[float, float]:
    """(start, end) in seconds of what is louder than `threshold` in the first channel of a sound file."""
    sound, rate = soundfile.read(path, always_2d=True)
    loud = np.flatnonzero(np.abs(sound[:, 0]) > threshold)
    return float(loud[0] / rate), float(loud[-1] / rate)


def dubbed_sound(path: Path, folder: Path, track: int) -> Path:
    """A sound stream of a finished video as wav, on the picture's axis as a player would play it."""
    out = folder / f"track-{track}.wav"
    start = float(next(s for s in streams(path) if s["codec_type"] == "video")["start_time"])
    shift = f"asetpts=PTS-{start}/TB,aresample=async=1:first_pts=0"
    ffmpeg("-copyts", "-i", path, "-map", f"0:a:{track}", "-af", shift, out)
    return out
