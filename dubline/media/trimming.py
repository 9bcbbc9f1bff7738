"""Cut the silence that speech engines put around what they say; pauses inside stay."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

_FRAME_S = 0.01
_QUIET_DB = 40.0
"""Under the loudest frame; the breath and hiss of synthesized clips lie lower, weak fricatives above it."""
_SILENT = 1e-3
"""-60 dBFS: nothing is heard there, whatever the rest of the clip is like."""
_LEAD_FRAMES, _TAIL_FRAMES = 1, 3
"""Kept before and after, for the soft beginning of a consonant and the end of a decay."""


def trimmed(samples: Samples, sample_rate: int) -> Samples:
    """float32 (samples,), mono, without the silence at both ends; as it is where all of it is silent."""
    size = max(round(sample_rate * _FRAME_S), 1)
    padded = np.pad(samples, (0, -len(samples) % size))
    levels = np.sqrt(np.mean(np.square(padded.reshape(-1, size), dtype=np.float64), axis=1))
    heard = np.flatnonzero(levels > max(float(levels.max(initial=0.0)) * 10 ** (-_QUIET_DB / 20), _SILENT))
    if not len(heard):
        return samples
    first = max(int(heard[0]) - _LEAD_FRAMES, 0) * size
    return samples[first : (int(heard[-1]) + 1 + _TAIL_FRAMES) * size]
