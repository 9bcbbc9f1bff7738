"""How loud a finished clip is, measured in blocks, so that a long file needs no more memory than a short one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from dubline.domain.errors import MediaToolFailed

FLOOR_DBFS = -120.0
"""Stands for digital silence: below the noise of 16 bits (-98 dB), and unlike minus infinity it survives JSON."""
CLIPPED = 0.999
"""A sample at or above this magnitude counts as clipped; 16-bit full scale is 0.99997."""
_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class Levels:
    duration_ms: int
    rms_dbfs: float
    """Root mean square over all samples; a full-scale square wave is 0 dBFS, a sine -3 dBFS. At least FLOOR_DBFS."""
    peak_dbfs: float
    """Largest sample, not true peak. At least FLOOR_DBFS."""
    clipped_share: float
    """Share of samples at or above CLIPPED, 0..1; samples that are not numbers count as clipped."""


def measure(path: Path) -> Levels:
    """Measure a sound file that `media` or an engine wrote, all channels together.

    Raises MediaToolFailed when the file is missing or cannot be decoded.
    """
    try:
        with soundfile.SoundFile(path) as sound:
            return _measure(sound)
    except (OSError, soundfile.SoundFileError) as error:
        raise MediaToolFailed(f"Cannot measure the sound file {path}: {error}; run the same command again.") from error


def _measure(sound: soundfile.SoundFile) -> Levels:
    power, peak, clipped, frames, samples = 0.0, 0.0, 0, 0, 0
    for block in sound.blocks(blocksize=_BLOCK, dtype="float32", always_2d=True):
        valid = np.isfinite(block)
        magnitude = np.abs(np.where(valid, block, 0.0))
        power += float(np.sum(np.square(magnitude, dtype=np.float64)))
        peak = max(peak, float(magnitude.max(initial=0.0)))
        clipped += int(np.count_nonzero((magnitude >= CLIPPED) | ~valid))
        frames += block.shape[0]
        samples += block.size
    rms = math.sqrt(power / samples) if samples else 0.0
    duration_ms = round(frames * 1000 / sound.samplerate)
    return Levels(duration_ms, _dbfs(rms), _dbfs(peak), clipped / samples if samples else 0.0)


def _dbfs(amplitude: float) -> float:
    return max(20 * math.log10(amplitude), FLOOR_DBFS) if amplitude > 0 else FLOOR_DBFS
