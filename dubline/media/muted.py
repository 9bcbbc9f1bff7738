"""Where a dub lacks the sound of its original, measured from the two tracks alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from dubline.domain.time import Span

RATE = 16_000
_STEP_MS, _STEPS = 50, 4
"""A window of 200 ms, which holds a syllable, each 50 ms."""
_HEARD = 0.5
"""Share of the original's amplitude that must be there: 6 dB less, and a voice under another one is not followed."""
_LAG = RATE // 10
"""Encoders shift a track by some milliseconds; no more than this is looked for."""
_BLOCK = 30 * RATE

Samples = NDArray[np.float32]


def muted(original: Path, dub: Path, *, moved: bool) -> tuple[Span, ...]:
    """Spans, in order, in which less than _HEARD of the original is in the dub; both are mono, 16 kHz.

    What else sounds there does not matter: what the dub has of the original is its projection on it. With `moved` the
    whole dub was made louder or softer; by how much is told by where the most of the original is left.
    """
    lag = _lag(original, dub)
    power, common = (np.concatenate(parts) for parts in zip(*_products(original, dub, lag), strict=True))
    wide = np.ones(_STEPS)
    share = np.convolve(common, wide, "same") / np.maximum(np.convolve(power, wide, "same"), 1e-9)
    whole = float(np.percentile(share, 95)) if moved and len(share) else 1.0
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (share < _HEARD * whole).astype(np.int8), [0]])))
    return tuple(Span(int(a) * _STEP_MS, int(b) * _STEP_MS) for a, b in edges.reshape(-1, 2))


def _products(original: Path, dub: Path, lag: int) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """For each step the original's energy, and its scalar product with the dub."""
    size = RATE * _STEP_MS // 1000
    for ours, theirs in _together(original, dub, lag):
        steps = len(ours) // size * size
        one, other = (sound[:steps].reshape(-1, size).astype(np.float64) for sound in (ours, theirs))
        yield np.square(one).sum(axis=1), (one * other).sum(axis=1)


def _together(original: Path, dub: Path, lag: int) -> Iterator[tuple[Samples, Samples]]:
    """Blocks of both, the dub `lag` samples later; zeros where it has none."""
    with soundfile.SoundFile(original) as first, soundfile.SoundFile(dub) as second:
        lead = np.zeros(max(0, -lag), np.float32)
        second.seek(min(max(0, lag), second.frames))
        while len(block := first.read(_BLOCK, dtype="float32")):
            other = np.concatenate([lead, second.read(len(block) - len(lead), dtype="float32")])
            yield block, np.pad(other, (0, len(block) - len(other)))
            lead = lead[:0]


def _lag(original: Path, dub: Path) -> int:
    """By how many samples the dub's sound of the original comes later, in the block where that is clearest."""
    best, found = 0.0, 0
    for one, other in _together(original, dub, 0):
        size = 1 << (2 * len(one)).bit_length()
        both = np.fft.irfft(np.fft.rfft(other, size) * np.conj(np.fft.rfft(one, size)), size)
        near = np.concatenate([both[-_LAG:], both[: _LAG + 1]])
        clear = float(near.max()) / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-9)
        if clear > best:
            best, found = clear, int(near.argmax()) - _LAG
    return found
