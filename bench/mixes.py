"""Speech over backgrounds, with every stem known: real speech, and beds made with numpy. All at 48 kHz."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from dubline.engines.models import ModelStore
from dubline.settings import settings

Samples = NDArray[np.float64]

RATE = 48_000
CHORDS = ((57, 60, 64, 69), (53, 57, 60, 65), (48, 55, 60, 64), (55, 59, 62, 67))
"""A minor, F, C and G, as MIDI notes."""
BEAT_S = 0.6
LEVELS_DB = (0, 10, 20)
"""How much louder the speech is than the bed, while both are active."""


def sample_folder() -> Path:
    """Where set-up put the sample's speech, turns and words. Raises ModelMissing."""
    return ModelStore(settings().models).path("sample-speech")


def speech() -> Samples:
    """30 s of two people on the telephone, the sample of pyannote.audio: (samples,)."""
    from scipy.signal import resample_poly

    samples, rate = soundfile.read(sample_folder() / "sample.wav")
    found: Samples = resample_poly(samples, RATE // rate, 1)
    return found


def words() -> str:
    """What is said in it, from the .stm beside it."""
    lines = (sample_folder() / "sample.stm").read_text().splitlines()
    return " ".join(line.split(None, 5)[5] for line in lines if not line.startswith(";;"))


def beds(frames: int) -> dict[str, Samples]:
    """Name -> (frames, 2)."""
    draw = np.random.default_rng(0)
    return {"music": music(frames, draw), "pink noise": pink(frames, draw), "traffic": traffic(frames, draw)}


def mixes() -> Iterator[tuple[str, int, Samples, Samples]]:
    """(bed, level in dB, speech, bed), both (samples, 2), for every bed at every level."""
    spoken = speech()
    for name, bed in beds(len(spoken)).items():
        for level in LEVELS_DB:
            yield name, level, np.stack([spoken, spoken], axis=1), at_level(bed, spoken, level)


def at_level(bed: Samples, spoken: Samples, level_db: float) -> Samples:
    """The bed, as much softer than the speech; both measured while they are active."""
    scaled: Samples = bed * np.sqrt(_active_power(spoken) / _active_power(bed) / 10 ** (level_db / 10))
    return scaled


def _active_power(sound: Samples) -> float:
    power = np.square(sound).reshape(len(sound), -1).mean(axis=1)
    frames = power[: len(power) // 4800 * 4800].reshape(-1, 4800).mean(axis=1)
    return float(frames[frames > frames.max() / 100].mean())


def music(frames: int, draw: np.random.Generator) -> Samples:
    """Chords, an arpeggio and drums in four bars that repeat, spread over the stereo picture."""
    track = np.zeros((frames + 8 * RATE, 2))
    for bar in range(int(frames / RATE / (4 * BEAT_S)) + 1):
        chord = [440 * 2 ** ((note - 69) / 12) for note in CHORDS[bar % 4]]
        for voice, hertz in enumerate(chord):
            _put(track, bar * 4, note(hertz / 2, 4.2 * BEAT_S, draw) * 0.25, 0.3 * (voice % 2))
        for eighth in range(8):
            _put(track, bar * 4 + eighth / 2, note(chord[eighth % 4] * 2, BEAT_S, draw) * 0.22, 0.6 * (eighth % 2))
        for beat in range(4):
            _put(track, bar * 4 + beat, drum(beat % 2 == 0, draw), 0.0)
    return track[:frames]


def _put(track: Samples, beat: float, sound: Samples, side: float) -> None:
    """Add a sound at a beat, `side` (0..1) of it taken from the left."""
    start = int(beat * BEAT_S * RATE)
    part = track[start : start + len(sound)]
    part += sound[: len(part), None] * np.array([1 - side, 0.4 + side])


def note(hertz: float, seconds: float, draw: np.random.Generator) -> Samples:
    """A plucked string of five harmonics."""
    time = np.arange(int(seconds * RATE)) / RATE
    phases = draw.uniform(0, 2 * np.pi, 5)
    partials = [
        np.sin(2 * np.pi * hertz * (n + 1) * time + phases[n]) * np.exp(-time * (1.7 + n / 2)) / (n + 1)
        for n in range(5)
    ]
    fade = np.minimum(1, np.minimum(np.arange(len(time)), np.arange(len(time))[::-1]) / 240)
    plucked: Samples = np.sum(partials, axis=0) * fade
    return plucked


def drum(low: bool, draw: np.random.Generator) -> Samples:
    """A kick, or a snare."""
    time = np.arange(RATE // 4) / RATE
    if low:
        kick: Samples = 0.9 * np.sin(2 * np.pi * (50 + 60 * np.exp(-30 * time)) * time) * np.exp(-14 * time)
        return kick
    snare: Samples = 0.25 * draw.normal(size=len(time)) * np.exp(-25 * time)
    return snare


def pink(frames: int, draw: np.random.Generator) -> Samples:
    """Noise with equal power in every octave from 30 Hz on, the same on both sides."""
    spectrum = np.fft.rfft(draw.normal(size=frames))
    hertz = np.fft.rfftfreq(frames, 1 / RATE)
    spectrum = np.where(hertz < 30, 0, spectrum / np.sqrt(np.maximum(hertz, 1)))
    return np.repeat(np.fft.irfft(spectrum, frames)[:, None], 2, axis=1)


def traffic(frames: int, draw: np.random.Generator) -> Samples:
    """A road: low noise, with cars that pass every six seconds or so."""
    from scipy.signal import butter, sosfilt

    time = np.arange(frames) / RATE
    road = sosfilt(butter(2, [60, 1200], "band", fs=RATE, output="sos"), draw.normal(size=frames))
    passing = draw.uniform(0, frames / RATE, max(3, frames // RATE // 6))
    envelope = 0.3 + sum(np.exp(-np.square((time - moment) / draw.uniform(1, 2.5))) for moment in passing)
    return np.repeat((road * envelope)[:, None], 2, axis=1)
