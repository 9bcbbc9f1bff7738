"""Levels of sound: how loud speech is while it is spoken, and a limiter that does not distort."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dubline.media.loudness import KWeighting

Samples = NDArray[np.float32]

_FRAME = 4_800
"""100 ms at 48 kHz."""
_ABSOLUTE_GATE = 10 ** (-70 / 10)
_RELATIVE_GATE = 10 ** (-10 / 10)
"""Gates of ITU-R BS.1770-4, annex 1: -70 dB, then 10 dB under the mean of what is left."""
MOST_DB = 20.0
"""A voice is made at most this much louder or softer than the engine spoke it: what lies under it is noise by then."""
RANGE_DB = 6.0
"""How far a line may lie from the programme's speech. People who raise their voice get 7 dB louder than in normal
conversation, in casual talk 5 dB softer (Pearsons, Bennett & Fidell, EPA-600/1-77-025, 1977); a synthetic voice that
is played much louder or softer than it sounds spoken seems wrong."""
SETTLING_S = 0.7
"""The level of speech over T seconds scatters by itself, by about 4 dB over 0.4 s and with the square root of T less,
while lines differ by about 3 dB: T / (T + 0.7 s) of a difference is real (shrinkage by the two variances)."""
CEILING_DBTP = -2.0
"""EBU R128 allows -1 dBTP; the rest is room for the encoder after the mix, which moves the peaks of dense sound."""
_CEILING = 10 ** (CEILING_DBTP / 20)
_LOOK = 512
"""Samples on each side over which the limiter spreads a peak's gain: 10.7 ms at 48 kHz."""
_OVERSAMPLING = 4
"""ITU-R BS.1770-4, annex 2, for 48 kHz."""
_MOST_BETWEEN = 2.3
"""No interpolated value exceeds the largest sample by this factor: a phase of the interpolator adds up to 2.24."""


class ActiveLevel:
    """Loudness of the parts of a sound that are not pauses: K-weighted and gated as loudness is, channels averaged."""

    def __init__(self) -> None:
        self._powers: list[NDArray[np.float64]] = []

    def add(self, sound: Samples) -> None:
        """Take in float32 (samples, channels) at 48 kHz; a rest shorter than a frame counts as a frame."""
        power = np.mean(np.square(KWeighting(sound.shape[1])(sound)), axis=1)
        if len(power):
            starts = np.arange(0, max(len(power) - _FRAME // 2, 1), _FRAME)
            lengths = np.diff(np.append(starts, len(power)))
            self._powers.append(np.add.reduceat(power, starts) / lengths)

    def _active(self) -> NDArray[np.float64]:
        powers = np.concatenate(self._powers) if self._powers else np.empty(0)
        powers = powers[powers > _ABSOLUTE_GATE]
        return powers[powers >= _RELATIVE_GATE * np.mean(powers)] if len(powers) else powers

    def db(self) -> float | None:
        """Mean level in dB, None for silence."""
        active = self._active()
        return 10 * math.log10(float(np.mean(active))) if len(active) else None

    @property
    def seconds(self) -> float:
        """How long the sound is active."""
        return 0.1 * len(self._active())


def line_gains(ours: Sequence[ActiveLevel], theirs: Sequence[ActiveLevel]) -> list[float]:
    """The factor for each line that brings it from its own level in `ours` to that of the speech it replaces.

    A line follows its own source within RANGE_DB of the mean of all; short ones less (SETTLING_S). 1 where nothing is
    known of the programme, the programme's gain where nothing is known of a line.
    """
    programme, voices = _mean_db(theirs), _mean_db(ours)
    if programme is None or voices is None:
        return [1.0] * len(ours)
    gains = []
    for own, source in zip(ours, theirs, strict=True):
        wanted = min(max(_settled(source, programme), -RANGE_DB), RANGE_DB)
        difference = programme + wanted - voices - _settled(own, voices)
        gains.append(10 ** (min(max(difference, -MOST_DB), MOST_DB) / 20))
    return gains


def _mean_db(levels: Sequence[ActiveLevel]) -> float | None:
    """The level of all of them together, weighted by their active time."""
    known = [(level.db(), level.seconds) for level in levels]
    seconds = sum(s for db, s in known if db is not None)
    if not seconds:
        return None
    return 10 * math.log10(sum(s * 10 ** (db / 10) for db, s in known if db is not None) / seconds)


def _settled(level: ActiveLevel, mean_db: float) -> float:
    """What is believed of a level's distance from the mean, in dB."""
    db = level.db()
    return 0.0 if db is None else (db - mean_db) * level.seconds / (level.seconds + SETTLING_S)


def limited(sound: Samples) -> Samples:
    """Press true peaks of (samples, channels) at 48 kHz under CEILING_DBTP by one smooth gain for all channels.

    The rest stays untouched: each sample's gain depends on no more than 1100 samples on either side. It is the least
    gain that a peak within `_LOOK` asks for, smoothed by a triangle of the same reach, which can only be lower.
    """
    if np.abs(sound).max(initial=0.0) * _MOST_BETWEEN <= _CEILING:
        return sound
    peaks = _true_peaks(sound)
    if peaks.max() <= _CEILING:
        return sound
    asked = np.minimum(1.0, _CEILING / np.maximum(peaks, 1e-9)).astype(np.float64)
    least = _sliding_minimum(np.pad(asked, 2 * _LOOK, constant_values=1.0), 2 * _LOOK + 1)
    gain = _moving_average(_moving_average(least, _LOOK + 1), _LOOK + 1)
    return (sound * gain[:, None]).astype(np.float32)


def _true_peaks(sound: Samples) -> NDArray[np.float32]:
    """(samples,): the largest magnitude in any channel at a sample and up to the next one, after oversampling."""
    from scipy.signal import resample_poly

    between = np.abs(resample_poly(sound, _OVERSAMPLING, 1, axis=0))
    peaks = np.max(between.reshape(len(sound), _OVERSAMPLING * sound.shape[1]), axis=1)
    highest: NDArray[np.float32] = np.maximum(peaks, np.abs(sound).max(axis=1))
    return highest


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
