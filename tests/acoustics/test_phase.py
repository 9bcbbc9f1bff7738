"""Which pairs of channels count as turned round, and where."""

from __future__ import annotations

import numpy as np
import pytest

from dubline.acoustics import phase

RATE = 16_000


def voice(seconds: float, seed: int = 0) -> np.ndarray:
    """Syllables of noise, three a second, with pauses between."""
    time = np.arange(int(seconds * RATE)) / RATE
    noise = np.random.default_rng(seed).normal(0, 0.1, len(time))
    return (noise * (np.sin(2 * np.pi * 3 * time) > -0.3)).astype(np.float32)


def turned(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return phase.turned(phase.powers((left + right) / 2, (left - right) / 2, RATE))


@pytest.mark.parametrize("gain", [-1.0, -0.7, -0.5])
def test_a_pair_in_opposite_phase_is_turned_all_the_time(gain: float) -> None:
    sound = voice(4)
    assert turned(sound, np.float32(gain) * sound)[3:].all()


@pytest.mark.parametrize("gain", [1.0, 0.5, 0.0, -0.2])
def test_a_pair_whose_middle_has_the_voice_is_not(gain: float) -> None:
    sound = voice(4)
    assert not turned(sound, np.float32(gain) * sound).any()


def test_channels_that_have_nothing_in_common_are_not_turned() -> None:
    assert not turned(voice(4), voice(4, seed=1)).any()


def test_a_film_that_is_cut_together_is_turned_in_its_part_alone() -> None:
    sound = voice(6)
    sign = np.where(np.arange(len(sound)) // (2 * RATE) == 1, -1, 1).astype(np.float32)
    found = turned(sound, sign * sound)
    assert found[22:38].all() and not found[:18].any() and not found[43:].any()


def test_pauses_stay_as_the_speech_before_them() -> None:
    sound = voice(3) * (np.arange(3 * RATE) < RATE)
    assert turned(sound, -sound)[12:].all()


def test_nothing_and_silence_are_not_turned() -> None:
    assert not len(turned(*np.zeros((2, 0), np.float32)))
    assert not turned(*np.zeros((2, RATE), np.float32)).any()


def test_ramps_go_from_block_to_block_wherever_a_piece_begins() -> None:
    blocks = np.array([0, 0, 1, 1])
    whole = phase.ramps(blocks, 0, 4 * RATE // 10, RATE)
    assert whole[0] == 0 and whole[-1] == 1 and whole[3 * RATE // 20 : 5 * RATE // 20].max() < 1
    assert np.array_equal(phase.ramps(blocks, 2000, 1000, RATE), whole[2000:3000])
