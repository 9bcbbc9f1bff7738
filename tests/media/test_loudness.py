from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from clips import Clips, ffmpeg

from dubline.domain.errors import InvalidMedia
from dubline.media.extract import LAYOUTS
from dubline.media.loudness import Meter, SumMeter, integrated_loudness, loudness

RATE = 48_000


def test_a_stereo_sine_at_minus_23_dbfs_is_minus_23_lufs(tmp_path: Path) -> None:
    """EBU Tech 3341, test case 1: 1 kHz in both channels at -23 dBFS reads -23 LUFS within 0.1 LU."""
    sine = 10 ** (-23 / 20) * np.sin(2 * np.pi * 1000 * np.arange(20 * RATE) / RATE)
    soundfile.write(tmp_path / "sine.flac", np.stack([sine, sine], axis=1), RATE, "PCM_24")
    integrated, peak = loudness(tmp_path / "sine.flac")
    assert integrated == pytest.approx(-23, abs=0.1)
    assert integrated == integrated_loudness(tmp_path / "sine.flac")
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


@pytest.mark.parametrize("channels", range(1, 9))
def test_the_meter_of_pieces_agrees_with_ffmpeg_in_every_layout(tmp_path: Path, channels: int) -> None:
    """Each channel at its own level, with a loud middle and a pause that the gates take out."""
    draw = np.random.default_rng(channels)
    envelope = np.repeat([0.05, 0.3, 0.0, 0.1, 0.02], 2 * RATE)[:, None]
    sound = envelope * draw.normal(0, 0.3, (len(envelope), channels)) * draw.uniform(0.2, 1, channels)
    soundfile.write(tmp_path / "raw.flac", sound, RATE)
    ffmpeg("-i", tmp_path / "raw.flac", "-af", f"aformat=channel_layouts={LAYOUTS[channels]}", tmp_path / "sound.flac")
    meter = Meter(channels)
    for piece in np.split(soundfile.read(tmp_path / "sound.flac", always_2d=True)[0], [1, 4_799, 100_001, 300_000]):
        meter.add(piece)
    assert meter.lufs() == pytest.approx(loudness(tmp_path / "sound.flac")[0], abs=0.1)


@pytest.mark.parametrize("gain", [0.0, 0.3, 1.0, 4.0])
def test_the_loudness_of_a_sum_is_told_for_any_gain(gain: float) -> None:
    bed, voices = np.random.default_rng(5).normal(0, 0.05, (2, 3 * RATE, 2))
    voices[RATE : 2 * RATE] = bed[RATE : 2 * RATE]
    both, alone = SumMeter(2), Meter(2)
    for start in range(0, 3 * RATE, 10_007):
        both.add(bed[start : start + 10_007], voices[start : start + 10_007])
    alone.add(bed + gain * voices)
    assert both.lufs(gain) == pytest.approx(alone.lufs(), abs=1e-6)


def test_silence_and_less_than_a_block_have_no_loudness() -> None:
    silent, short = Meter(1), Meter(1)
    silent.add(np.zeros((RATE, 1)))
    short.add(np.full((RATE // 3, 1), 0.5))
    assert silent.lufs() is None
    assert short.lufs() is None
