"""Levels of clips, on files that soundfile wrote."""

import numpy as np
import pytest
import soundfile

from dubline.domain.errors import MediaToolFailed
from dubline.media import clip_levels as levels

RATE = 24_000


def _measured(tmp_path, samples, subtype="PCM_16"):
    path = tmp_path / "clip.wav"
    soundfile.write(path, samples, RATE, subtype=subtype)
    return levels.measure(path)


def test_a_sine_of_half_scale_is_nine_decibels_below_full_scale(tmp_path):
    sine = 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE * 7) / RATE)
    result = _measured(tmp_path, sine)
    assert result.duration_ms == 7000
    assert result.rms_dbfs == pytest.approx(-9.03, abs=0.01)
    assert result.peak_dbfs == pytest.approx(-6.02, abs=0.01)
    assert result.clipped_share == 0


def test_clipped_samples_are_counted_at_both_rails(tmp_path):
    samples = np.full(1000, 0.1)
    samples[[3, 5]], samples[7] = 1.0, -1.0
    assert _measured(tmp_path, samples).clipped_share == pytest.approx(0.003)


@pytest.mark.parametrize("length", [0, 4800])
def test_silence_and_an_empty_file_lie_at_the_floor(tmp_path, length):
    result = _measured(tmp_path, np.zeros(length))
    assert (result.rms_dbfs, result.peak_dbfs, result.clipped_share) == (levels.FLOOR_DBFS, levels.FLOOR_DBFS, 0.0)
    assert result.duration_ms == length * 1000 // RATE


def test_both_channels_are_measured(tmp_path):
    stereo = np.stack([np.zeros(1000), np.full(1000, 0.5)], axis=1)
    result = _measured(tmp_path, stereo)
    assert result.rms_dbfs == pytest.approx(-9.03, abs=0.01)


def test_samples_that_are_not_numbers_count_as_clipped_and_spoil_nothing_else(tmp_path):
    samples = np.full(100, 0.5, dtype=np.float32)
    samples[0] = np.nan
    result = _measured(tmp_path, samples, subtype="FLOAT")
    assert result.clipped_share == 0.01
    assert result.peak_dbfs == pytest.approx(-6.02, abs=0.01)


def test_a_file_that_is_missing_or_no_sound_is_named(tmp_path):
    with pytest.raises(MediaToolFailed, match=r"nowhere\.flac"):
        levels.measure(tmp_path / "nowhere.flac")
    (tmp_path / "text.flac").write_text("not a sound")
    with pytest.raises(MediaToolFailed, match=r"text\.flac"):
        levels.measure(tmp_path / "text.flac")
