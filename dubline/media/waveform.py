"""The outline of a sound, for people to look at: its loudest sample in each short while."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

PER_SECOND = 20
"""Values a second: one for 50 ms, shorter than a syllable."""
FULL = 255
"""Value of a sample at full scale."""


def outline(path: Path) -> list[int]:
    """The largest magnitude of each 1/PER_SECOND s of a sound file, over all channels, as 0..FULL."""
    with soundfile.SoundFile(path) as sound:
        size = sound.samplerate // PER_SECOND
        blocks = sound.blocks(size, dtype="float32", always_2d=True)
        return [min(FULL, round(FULL * float(np.abs(block).max()))) for block in blocks]
