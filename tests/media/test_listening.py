"""What a judge hears of a video's sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from clips import PICTURE, ffmpeg

from dubline.media.listening import RATE, sound_of


@pytest.mark.parametrize("right", ["sin(2*PI*400*t)", "-sin(2*PI*400*t)", "-0.7*sin(2*PI*400*t)"])
def test_channels_that_cancel_out_are_heard(tmp_path: Path, right: str) -> None:
    """A tone in the second half, on both channels of the second track."""
    sound = f"aevalsrc='0.5*sin(2*PI*400*t)*gt(t,1)|0.5*gt(t,1)*{right}':s=48000:d=2:c=stereo"
    other, video = "aevalsrc=0:s=48000:d=2", tmp_path / "video.mkv"
    maps = ["-map", "0:v", "-map", "1:a", "-map", "2:a"]
    ffmpeg(
        *PICTURE,
        "-f",
        "lavfi",
        "-i",
        other,
        "-f",
        "lavfi",
        "-i",
        sound,
        *maps,
        "-c:v",
        "libx264",
        "-c:a",
        "flac",
        video,
    )
    samples, rate = soundfile.read(sound_of(video, 1, tmp_path))
    assert (rate, samples.ndim) == (RATE, 1)
    assert len(samples) / RATE == pytest.approx(2, abs=0.1)
    assert np.abs(samples[: RATE * 9 // 10]).max() < 0.01
    assert np.abs(samples[RATE * 11 // 10 : RATE * 19 // 10]).max() > 0.35
