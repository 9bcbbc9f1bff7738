"""How high a speaker's voice is: the median fundamental frequency (F0) of his voiced frames.

The estimator is the cumulative mean normalized difference of YIN (de Cheveigné and Kawahara, "YIN, a fundamental
frequency estimator for speech and music", JASA 111(4), 2002, steps 2 to 5), on all frames at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dubline.domain.time import Span

LOWEST_HZ, HIGHEST_HZ = 60.0, 400.0
"""Speech of adults (Baken and Orlikoff, Clinical Measurement of Speech and Voice, 2nd ed., 2000, chapter 6)."""
APERIODICITY = 0.15
"""A frame is voiced where the normalized difference dips below this; YIN's paper uses 0.1 on clean speech."""
HOP_MS, INTEGRATION_MS = 20, 25
QUIET = 0.1
"""Frames under this share of the spans' loudest tenth (RMS) are breath or room, not voice."""
FEWEST_FRAMES = 15
"""0.3 s of voiced speech: under that a median is one syllable's intonation."""
MOST_FRAMES = 6_000
"""Two minutes of frames, spread evenly over the spans, settle a median; an hour would only cost memory."""

Samples = NDArray[np.float32]


def median_f0_hz(samples: Samples, sample_rate: int, spans: Sequence[Span]) -> float | None:
    """Median F0 in Hz, LOWEST_HZ..HIGHEST_HZ, of the voiced frames inside the spans.

    `samples` is float32 (samples,), mono; `spans` are on its axis. None where too little is voiced.
    """
    frames = _frames(samples, sample_rate, spans)
    if len(frames) < FEWEST_FRAMES:
        return None
    loudness = np.sqrt(np.mean(np.square(frames), axis=1))
    frames = frames[loudness > max(QUIET * float(np.quantile(loudness, 0.9)), 1e-6)]
    f0 = _f0(frames, sample_rate)
    voiced = f0[np.isfinite(f0)]
    return float(np.median(voiced)) if len(voiced) >= FEWEST_FRAMES else None


def _frames(samples: Samples, sample_rate: int, spans: Sequence[Span]) -> NDArray[np.float64]:
    """Windows that lie wholly inside a span: (frames, integration + longest lag)."""
    width = _ms(INTEGRATION_MS, sample_rate) + int(sample_rate / LOWEST_HZ) + 1
    hop = _ms(HOP_MS, sample_rate)
    starts = [
        np.arange(
            _ms(max(span.start_ms, 0), sample_rate), min(_ms(span.end_ms, sample_rate), len(samples)) - width, hop
        )
        for span in spans
    ]
    chosen = np.concatenate(starts).astype(np.int64) if starts else np.zeros(0, np.int64)
    chosen = chosen[:: -(-len(chosen) // MOST_FRAMES) or 1]
    result: NDArray[np.float64] = samples[chosen[:, None] + np.arange(width)].astype(np.float64)
    if len(result):
        result -= result.mean(axis=1, keepdims=True)
    return result


def _f0(frames: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """F0 in Hz for each frame; NaN where it is not voiced."""
    shortest, longest = int(sample_rate / HIGHEST_HZ), int(sample_rate / LOWEST_HZ)
    difference = _normalized_difference(frames, longest)
    result = np.full(len(frames), np.nan)
    for row, curve in enumerate(difference):
        below = np.flatnonzero(curve[shortest:longest] < APERIODICITY)
        if len(below):
            lag = shortest + int(below[0])
            while lag + 1 < longest and curve[lag + 1] < curve[lag]:
                lag += 1
            result[row] = sample_rate / (lag + _vertex(curve[lag - 1 : lag + 2]))
    return result


def _normalized_difference(frames: NDArray[np.float64], longest: int) -> NDArray[np.float64]:
    """YIN's d'(lag), lag 0..longest: 1 on average, near 0 at the period. Autocorrelation by FFT."""
    width = frames.shape[1]
    head = frames[:, : width - longest]
    size = 1 << (2 * width - 1).bit_length()
    spectrum = np.fft.rfft(frames, size) * np.conj(np.fft.rfft(head, size))
    correlation = np.fft.irfft(spectrum, size)[:, : longest + 1]
    energy = np.cumsum(np.pad(np.square(frames), ((0, 0), (1, 0))), axis=1)
    moving = energy[:, width - longest :][:, : longest + 1] - energy[:, : longest + 1]
    difference = np.maximum(moving[:, :1] + moving - 2 * correlation, 0.0)
    lags = np.arange(1, longest + 1)
    result: NDArray[np.float64] = np.ones_like(difference)
    result[:, 1:] = difference[:, 1:] * lags / np.maximum(np.cumsum(difference[:, 1:], axis=1), 1e-12)
    return result


def _vertex(around: NDArray[np.float64]) -> float:
    """Where the parabola through three neighbours is lowest, as an offset from the middle one (YIN step 5)."""
    left, middle, right = around
    bend = left - 2 * middle + right
    return float(np.clip((left - right) / (2 * bend), -1, 1)) if bend > 0 else 0.0


def _ms(milliseconds: float, sample_rate: int) -> int:
    return round(milliseconds * sample_rate / 1000)
