"""Videos of real speech: the conversation of the sample, and lines of an audiobook.

The audiobook is "Sense and Sensibility" as read for LibriVox, in the public domain, from Debian's package
pocketsphinx-testdata.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from bench.mixes import RATE
from bench.sample import sample
from bench.scenes import Scene, film
from dubline.settings import settings

LIBRIVOX = Path("/usr/share/pocketsphinx/test/data/librivox")
PAUSE_S = 0.8
"""Between two lines of the audiobook."""


def recordings() -> tuple[Scene, Scene]:
    return Scene("sample (real)", "en", sample(), None, ()), audiobook()


def audiobook() -> Scene:
    """Five lines of one reader, 27 s."""
    from scipy.signal import resample_poly

    clips = sorted(LIBRIVOX.glob("*.wav"))
    if not clips:
        raise SystemExit("The audiobook is not installed; run: sudo apt-get install pocketsphinx-testdata")
    video = settings().home / "bench" / "scenes" / "audiobook.mp4"
    if not video.exists():
        video.parent.mkdir(parents=True, exist_ok=True)
        parts = [np.zeros(RATE)]
        for clip in clips:
            samples, rate = soundfile.read(clip)
            parts += [resample_poly(samples, RATE // rate, 1), np.zeros(round(PAUSE_S * RATE))]
        film(np.concatenate(parts)[:, None].repeat(2, axis=1), video)
    return Scene("audiobook (real)", "en", video, None, ())
