"""Films with known speech: the offline voices say it, ffmpeg puts a test picture beside it."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

from dubline.engines.contracts import SpeechRequest
from dubline.engines.models import ModelStore
from dubline.engines.registry import EngineSpec, create
from dubline.media.trimming import trimmed
from dubline.settings import settings

RATE = 48_000
ROOM = 3e-4
"""Standard deviation of a quiet room's noise: recordings are never digitally silent."""
Line = tuple[str, str]
"""A voice and what it says."""
Samples = NDArray[np.float64]


@lru_cache(maxsize=1)
def _voices() -> Any:
    return create(
        EngineSpec(capability="speech", engine="kokoro", model="kokoro-82m-int8"), ModelStore(settings().models)
    )


@lru_cache(maxsize=512)
def clip(voice: str, text: str, language: str = "en") -> Samples:
    """One line at 48 kHz, peak 0.5, without silence around it."""
    (said,) = _voices().synthesize([SpeechRequest(text, language, voice, 1.0)])
    samples = trimmed(said.samples, said.sample_rate)
    return np.asarray(resample_poly(samples / np.abs(samples).max() * 0.5, RATE // said.sample_rate, 1))


def talk(*lines: Line, language: str = "en", pauses_s: Sequence[float] = (0.45,), first_s: float = 0.8) -> Samples:
    """Lines one after the other in a quiet room, with the pauses in turn between them."""
    parts: list[Samples] = [np.zeros(round(first_s * RATE))]
    for number, (voice, text) in enumerate(lines):
        parts += [clip(voice, text, language), np.zeros(round(pauses_s[number % len(pauses_s)] * RATE))]
    sound = np.concatenate([*parts, np.zeros(RATE // 2)])
    return sound + np.random.default_rng(len(sound)).normal(0, ROOM, len(sound))


def notes(seconds: float) -> Samples:
    """A plucked string, twice a second: what a computer's own sound may be."""
    at = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(0.15 * np.sin(2 * np.pi * 220 * at) * np.exp(-3 * (at % 0.5)))


def wav(path: Path, *channels: Samples) -> Path:
    """The channels as one file, as long as the shortest of them."""
    length = min(map(len, channels))
    soundfile.write(path, np.stack([one[:length] for one in channels], axis=1), RATE, subtype="PCM_16")
    return path


def film(out: Path, sounds: Sequence[Path], *options: str | Path, picture: str = "testsrc2=s=320x180:r=25") -> Path:
    """A test picture as long as the first of `sounds`, each of which becomes a track; H.264 and AAC unless `options`
    for ffmpeg's output say otherwise."""
    seconds = soundfile.info(sounds[0]).duration
    inputs = [part for sound in sounds for part in ("-i", sound)]
    maps = [part for number in range(len(sounds)) for part in ("-map", f"{number + 1}:a")]
    usual = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "160k"]
    ffmpeg("-f", "lavfi", "-i", f"{picture}:d={seconds:.2f}", *inputs, "-map", "0:v", *maps, *usual, *options, out)
    return out


def ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg; a failure shows what it said."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
