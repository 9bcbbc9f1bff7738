from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from clips import Clips

from dubline.domain.errors import InvalidMedia
from dubline.media.loudness import loudness

RATE = 48_000


def test_a_stereo_sine_at_minus_23_dbfs_is_minus_23_lufs(tmp_path: Path) -> None:
    """EBU Tech 3341, test case 1: 1 kHz in both channels at -23 dBFS reads -23 LUFS within 0.1 LU."""
    sine = 10 ** (-23 / 20) * np.sin(2 * np.pi * 1000 * np.arange(20 * RATE) / RATE)
    soundfile.write(tmp_path / "sine.flac", np.stack([sine, sine], axis=1), RATE, "PCM_24")
    integrated, peak = loudness(tmp_path / "sine.flac")
    assert integrated == pytest.approx(-23, abs=0.1)
    assert peak == pytest.approx(-23, abs=0.2)


def test_the_true_peak_lies_above_the_samples(tmp_path: Path) -> None:
    """A faded sine at a quarter of the rate, 45 degrees off: samples at -3 dB of its peak (BS.1770-4, annex 2)."""
    fade = np.minimum(1, np.minimum(np.arange(5 * RATE), np.arange(5 * RATE)[::-1]) / RATE)
    sine = fade * np.sin(2 * np.pi * np.arange(5 * RATE) / 4 + np.pi / 4) * 0.5
    soundfile.write(tmp_path / "sine.flac", sine, RATE, "PCM_24")
    assert 20 * np.log10(np.abs(sine).max()) == pytest.approx(-9.03, abs=0.01)
    assert loudness(tmp_path / "sine.flac")[1] == pytest.approx(-6.02, abs=0.2)


def test_silence_is_at_the_gate(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.flac", np.zeros(2 * RATE), RATE)
    integrated, peak = loudness(tmp_path / "silence.flac")
    assert integrated == -70.0
    assert peak == float("-inf")


def test_a_track_of_a_video_can_be_measured_by_its_index(clips: Clips) -> None:
    video = clips.path("tracks.mkv")
    assert loudness(video, 1) == loudness(video)
    assert loudness(video, 2) != loudness(video, 1)


def test_a_video_without_sound_has_no_loudness(clips: Clips) -> None:
    with pytest.raises(InvalidMedia, match=r"'silent\.mp4'"):
        loudness(clips.path("silent.mp4"))
