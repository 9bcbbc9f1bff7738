"""Loudness of a sound track by EBU R128 (ITU-R BS.1770-4): of a file, as ffmpeg's `ebur128` filter measures it, and of
sound that is still to be written, for any gain on a part of it."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import ffmpeg
import numpy as np
from numpy.typing import NDArray

from dubline.domain.errors import MediaToolFailed
from dubline.media.inputs import open_media, shown
from dubline.media.runner import run_ffmpeg

RATE = 48_000
STEP = RATE // 10
"""Blocks of 400 ms start every 100 ms (BS.1770-4, annex 1)."""
_K_WEIGHTING = (
    (1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585),
    (1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621),
)
"""BS.1770-4, tables 1 and 2, for 48 kHz: a shelf for the head, then a high pass."""
_LUFS = r"\bI:\s+(\S+) LUFS"
_OFFSET = -0.691
SILENCE_LUFS = -70.0
"""The absolute gate of BS.1770-4: what is nowhere louder has no loudness."""
_RELATIVE_GATE = -10.0
_SURROUND = 1.41
_LOW_FREQUENCY = 3
"""Where layouts of six channels and more have the low frequency channel, which is not measured."""

Powers = NDArray[np.float64]
"""Mean square of a step, channels weighted and summed."""


def loudness(path: Path, track: int | None = None) -> tuple[float, float]:
    """(integrated loudness in LUFS, true peak in dBTP) of an audio stream, by default the first.

    `track` is ffmpeg's stream index. Silence is SILENCE_LUFS and -inf dBTP. Raises InvalidMedia for a file without
    sound, MediaToolFailed.
    """
    summary = _summary(path, track, peak="true")
    return _figure(path, summary, _LUFS), _figure(path, summary, r"\bPeak:\s+(\S+) dBFS")


def integrated_loudness(path: Path, track: int | None = None) -> float:
    """As `loudness`, in less than half the time: the true peak looks at four times the samples."""
    return _figure(path, _summary(path, track, peak="none"), _LUFS)


def _summary(path: Path, track: int | None, peak: str) -> str:
    stream = open_media(path)["a:0" if track is None else str(track)]
    measured = stream.filter("ebur128", peak=peak, framelog="verbose")
    report = run_ffmpeg(ffmpeg.output(measured, "-", format="null"), reading=path, loglevel="info").stderr
    return report.rpartition("Summary:")[2]


def _figure(path: Path, summary: str, pattern: str) -> float:
    match = re.search(pattern, summary)
    if match is None:
        raise MediaToolFailed(f"ffmpeg measured no loudness of '{shown(path)}'; its ebur128 filter gave no summary.")
    return float(match.group(1))


class KWeighting:
    """The K-weighting filter over a sound at 48 kHz that comes in pieces."""

    def __init__(self, channels: int) -> None:
        self._state = np.zeros((2, 2, channels))

    def __call__(self, sound: NDArray[Any]) -> Powers:
        """The next piece, (samples, channels), weighted; same shape, float64."""
        from scipy.signal import sosfilt

        weighted, self._state = sosfilt(_K_WEIGHTING, sound, axis=0, zi=self._state)
        result: Powers = weighted
        return result


class Meter:
    """Integrated loudness of a sound at 48 kHz that comes in pieces."""

    def __init__(self, channels: int) -> None:
        self._filter, self._weights = KWeighting(channels), channel_weights(channels)
        self._steps = _Steps()

    def add(self, sound: NDArray[Any]) -> None:
        """Take in the next piece, (samples, channels)."""
        self._steps.add(np.square(self._filter(sound)) @ self._weights)

    def lufs(self) -> float | None:
        """Loudness of what was taken in; None for silence and for less than 400 ms."""
        return integrated(self._steps.powers)


class SumMeter:
    """Loudness of `bed + gain * voices` for any gain, after one pass over both.

    The power of a sum is a quadratic in the gain, so three powers a step tell all there is to know.
    """

    def __init__(self, channels: int) -> None:
        self._bed, self._voices = KWeighting(channels), KWeighting(channels)
        self._weights = channel_weights(channels)
        self._beds, self._products, self._spoken = _Steps(), _Steps(), _Steps()

    def add(self, bed: NDArray[Any], voices: NDArray[Any]) -> None:
        """Take in the next piece of both, (samples, channels)."""
        bed, voices = self._bed(bed), self._voices(voices)
        self._beds.add(np.square(bed) @ self._weights)
        self._products.add((bed * voices) @ self._weights)
        self._spoken.add(np.square(voices) @ self._weights)

    def lufs(self, gain: float) -> float | None:
        """Loudness with this factor on the voices; None for silence and for less than 400 ms."""
        return integrated(self._beds.powers + 2 * gain * self._products.powers + gain**2 * self._spoken.powers)


class _Steps:
    """Means over whole steps of a signal that comes in pieces."""

    def __init__(self) -> None:
        self._sums, self._taken = np.zeros(0), 0

    def add(self, power: Powers) -> None:
        if not len(power):
            return
        steps = np.arange(self._taken, self._taken + len(power)) // STEP
        first, last = int(steps[0]), int(steps[-1])
        self._sums = np.append(self._sums, np.zeros(max(0, last + 1 - len(self._sums))))
        self._sums[first : last + 1] += np.bincount(steps - first, power)
        self._taken += len(power)

    @property
    def powers(self) -> Powers:
        return self._sums[: self._taken // STEP] / STEP


def channel_weights(channels: int) -> Powers:
    """BS.1770-4, table 3, in FLAC's order: surrounds weigh 1.41, the low frequency channel nothing."""
    front = 2 if channels == 4 else 3
    weights = np.where(np.arange(channels) < front, 1.0, _SURROUND)
    if channels >= 6:
        weights[_LOW_FREQUENCY] = 0.0
    return weights


def integrated(steps: Powers) -> float | None:
    """Gated loudness of the powers of 100 ms steps (BS.1770-4, annex 1, equations 3-7)."""
    if len(steps) < 4:
        return None
    blocks = np.maximum(np.convolve(steps, np.ones(4) / 4, mode="valid"), 0)
    blocks = blocks[blocks > _power(SILENCE_LUFS)]
    if not len(blocks):
        return None
    blocks = blocks[blocks > np.mean(blocks) * 10 ** (_RELATIVE_GATE / 10)]
    return _OFFSET + 10 * math.log10(float(np.mean(blocks)))


def _power(lufs: float) -> float:
    return float(10 ** ((lufs - _OFFSET) / 10))
