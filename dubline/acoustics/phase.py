"""Left and right in opposite phase: their sum, which one loudspeaker or one listener gets, cancels what is said.

The middle of a pair is (left + right) / 2, its side (left - right) / 2. A voice in phase sounds in the middle, one in
opposite phase in the side; in a pair turned round (right times -1) the two are exchanged.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Powers = NDArray[np.float64]
"""(blocks, 2): of the middle and of the side."""

BLOCK_S = 0.1
"""Shorter than a syllable: a film that is cut from one recording to another changes its phase between two words."""
BAND_HZ = (200, 4000)
"""Where speech has its energy; below it rooms and wind differ from side to side."""
TURNED, BACK = 4.0, 1.0
"""Side against middle, in power, from which on a pair counts as turned, and down to which it then stays so. 4 is a
correlation of -0.6 between channels of equal level, which rooms and wide music do not reach. Up to there the middle
lacks less of a voice than 9 dB."""
SILENCE = 1e-8
"""Power (-80 dBFS) of a block in which nothing tells the phase."""


def powers(middle: Samples, side: Samples, rate: int) -> Powers:
    """Mean power of each block in the band of speech; `middle` and `side` are float32 (samples,) at `rate` Hz."""
    return np.stack([_power(middle, rate), _power(side, rate)], axis=1)


def turned(found: Powers) -> NDArray[np.bool_]:
    """Whether each block is turned round. One that does not tell, silent or in between, is as the one before."""
    if not len(found):
        return np.zeros(0, bool)
    padded = np.pad(found, ((1, 1), (0, 0)))
    middle, side = (padded[:-2] + padded[1:-1] + padded[2:]).T
    known = np.where(side > TURNED * middle, 1, np.where(side < BACK * middle, 0, -1))
    known[middle + side < SILENCE] = -1
    told = np.maximum.accumulate(np.where(known >= 0, np.arange(len(known)), 0))
    decided: NDArray[np.bool_] = known[told] == 1
    return decided


def ramps(blocks: NDArray[Any], start: int, length: int, rate: int) -> Samples:
    """What each block is given, at each of `length` samples from `start` on: float32, straight from block to block."""
    centres = (np.arange(len(blocks)) + 0.5) * round(rate * BLOCK_S)
    values: Samples = np.interp(np.arange(start, start + length), centres, blocks).astype(np.float32)
    return values


def _power(sound: Samples, rate: int) -> NDArray[np.float64]:
    size = round(rate * BLOCK_S)
    spectrum = np.fft.rfft(np.pad(sound, (0, -len(sound) % size)).reshape(-1, size), axis=1)
    low, high = (round(hz * BLOCK_S) for hz in BAND_HZ)
    power: NDArray[np.float64] = 2 * np.sum(np.square(np.abs(spectrum[:, low:high])), axis=1) / size**2
    return power
