"""How much of its original a dub still has, told from the sound alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from dubline.media.muted import muted

RATE = 16_000


def babble(seconds: float, seed: int) -> np.ndarray:
    """Noise in syllables."""
    noise = np.random.default_rng(seed).normal(0, 0.1, int(seconds * RATE))
    return noise * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * np.arange(len(noise)) / RATE))


def times(folder: Path, original: np.ndarray, dub: np.ndarray, *, moved: bool = False) -> list[tuple[Any, Any]]:
    for name, sound in (("original", original), ("dub", dub)):
        soundfile.write(folder / f"{name}.wav", sound, RATE, subtype="PCM_16")
    found = muted(folder / "original.wav", folder / "dub.wav", moved=moved)
    return [(span.start_ms, span.end_ms) for span in found]


def dubbed(original: np.ndarray, start: float, end: float, left: float = 0.2) -> np.ndarray:
    """A third voice from 1 to 5 s; of the original, `left` is left from `start` to `end`."""
    track = original.copy()
    track[int(start * RATE) : int(end * RATE)] *= left
    track[RATE : 5 * RATE] += babble(4, 9)
    return track


def test_what_goes_out_is_told_and_what_stays_under_another_voice_is_not(tmp_path: Path) -> None:
    original = babble(8, 1)
    assert times(tmp_path, original, dubbed(original, 2, 3.5)) == [
        (pytest.approx(2000, abs=100), pytest.approx(3500, abs=100))
    ]
    assert times(tmp_path, original, dubbed(original, 2, 3.5, left=0.9)) == []


@pytest.mark.parametrize("samples", [-700, 330])
def test_a_track_that_an_encoder_shifted_is_compared_all_the_same(tmp_path: Path, samples: int) -> None:
    original = babble(8, 2)
    shifted = np.roll(dubbed(original, 2, 3.5), samples)
    assert times(tmp_path, original, shifted)[-1:] == [(pytest.approx(2000, abs=100), pytest.approx(3500, abs=100))]


def test_a_dub_that_was_made_softer_as_a_whole_is_not_muted(tmp_path: Path) -> None:
    original = babble(8, 3)
    softer = 0.3 * dubbed(original, 2, 3.5)
    assert times(tmp_path, original, softer, moved=True) == [
        (pytest.approx(2000, abs=100), pytest.approx(3500, abs=100))
    ]
    assert times(tmp_path, original, softer) == [(0, 8000)]
