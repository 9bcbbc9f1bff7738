"""Levels of sound: how loud speech is while it is spoken, and a limiter that does not distort."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

_FRAME = 4_800
"""100 ms at 48 kHz."""
_ABSOLUTE_GATE = 10 ** (-70 / 10)
_RELATIVE_GATE = 10 ** (-10 / 10)
"""Gates of ITU-R BS.1770-4, annex 1: -70 dB, then 10 dB under the mean of what is left."""
_MOST_DB = 12.0
_CEILING = 10 ** (-1 / 20)
"""-1 dBFS."""
_LOOK = 512
"""Samples on each side over which the limiter spreads a peak's gain: 10.7 ms at 48 kHz."""


class ActiveLevel:
    """Mean power of the parts of a sound that are not pauses, gated as loudness is, frequencies unweighted."""

    def __init__(self) -> None:
        self._powers: list[NDArray[np.float64]] = []

    def add(self, sound: Samples) -> None:
        """Take in float32 (samples, channels) at 48 kHz; a rest shorter than a frame counts as a frame."""
        power = np.mean(np.square(sound, dtype=np.float64), axis=1)
        if len(power):
            starts = np.arange(0, max(len(power) - _FRAME // 2, 1), _FRAME)
            lengths = np.diff(np.append(starts, len(power)))
            self._powers.append(np.add.reduceat(power, starts) / lengths)

    def power(self) -> float | None:
        """Mean square of a channel, None for silence."""
        powers = np.concatenate(self._powers) if self._powers else np.empty(0)
        powers = powers[powers > _ABSOLUTE_GATE]
        if not len(powers):
            return None
        return float(np.mean(powers[powers >= _RELATIVE_GATE * np.mean(powers)]))


def matching_gain(ours: ActiveLevel, theirs: ActiveLevel) -> float:
    """The factor that brings `ours` to the level of `theirs`, at most 12 dB either way; 1 where one is silent."""
    mine, wanted = ours.power(), theirs.power()
    if mine is None or wanted is None:
        return 1.0
    difference = 10 * math.log10(wanted / mine)
    return float(10 ** (min(max(difference, -_MOST_DB), _MOST_DB) / 20))


def limited(sound: Samples) -> Samples:
    """Press peaks of (samples, channels) under -1 dBFS by one smooth gain for all channels; the rest stays untouched.

    Each sample's gain depends on no more than 1024 samples on either side: the least gain that a peak within `_LOOK`
    asks for, smoothed by a triangle of the same reach, which can only be lower than what the peak asks for.
    """
    peaks = np.max(np.abs(sound), axis=1)
    if peaks.max(initial=0.0) <= _CEILING:
        return sound
    asked = np.minimum(1.0, _CEILING / np.maximum(peaks, 1e-9)).astype(np.float64)
    least = _sliding_minimum(np.pad(asked, 2 * _LOOK, constant_values=1.0), 2 * _LOOK + 1)
    gain = _moving_average(_moving_average(least, _LOOK + 1), _LOOK + 1)
    return (sound * gain[:, None]).astype(np.float32)


def _moving_average(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    sums = np.cumsum(np.insert(values, 0, 0.0))
    averages: NDArray[np.float64] = (sums[width:] - sums[:-width]) / width
    return averages


def _sliding_minimum(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Minimum over each window of `width` values, by doubling: log2(width) passes."""
    reached = 1
    while reached < width:
        step = min(reached, width - reached)
        values = np.minimum(values[:-step], values[step:])
        reached += step
    return values
