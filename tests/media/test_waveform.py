"""The outline of a sound: as many values as it is long, high where it is loud."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from dubline.media import waveform


def test_the_outline_is_high_where_the_sound_is_loud(tmp_path: Path) -> None:
    rate = 48000
    quiet, loud = np.zeros((rate, 2)), np.zeros((rate // 2, 2))
    loud[:, 1] = 0.5 * np.sin(np.arange(rate // 2) * 2 * np.pi * 440 / rate)
    soundfile.write(tmp_path / "sound.flac", np.concatenate([quiet, loud]), rate)
    found = waveform.outline(tmp_path / "sound.flac")
    assert len(found) == 1.5 * waveform.PER_SECOND
    assert set(found[:20]) == {0} and all(126 <= value <= 128 for value in found[20:])


def test_a_sound_without_samples_has_no_outline(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "none.wav", np.zeros((0, 1)), 16000)
    assert waveform.outline(tmp_path / "none.wav") == []
