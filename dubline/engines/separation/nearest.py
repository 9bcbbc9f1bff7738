"""Voices taken out without weights: each frame's background is what the nearest quiet frames have in common.

Background repeats, or at least resembles itself; a voice does not, and it pauses. So the spectrum under a word is
estimated as the median over those frames that are most alike in their spectrum's shape (REPET-SIM: Rafii & Pardo,
"Music/Voice Separation Using the Similarity Matrix", ISMIR 2012), looked for only where the band of speech is quiet for
its surroundings, and never less than the stationary noise floor (minimum statistics: Martin, IEEE TSAP 9(5), 2001). A
soft mask takes the rest out. In stereo only what sounds from the middle is taken out, where it is the middle that
speaks (similarity of the channels: Avendano & Jot, JAES 52(7/8), 2004); else each channel is treated for itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dubline.engines.contracts import Progress, SeparationRequest, SeparationResult, no_progress
from dubline.engines.device import running
from dubline.engines.models import ModelStore
from dubline.engines.options import Options, read_options
from dubline.engines.registry import EngineSpec
from dubline.engines.separation.chunks import RATE, Samples, separate_file

CHUNK_S, OVERLAP_S = 60.0, 5.0
WINDOW, HOP = 4096, 1024
"""85 ms and 21 ms: fine enough for the lines of a chord, short enough for syllables."""
FRAMES_A_SECOND = RATE / HOP
NEIGHBOURS = 16
CAP = 2.0
"""In units of a bin's median over the chunk. Above it loudness does not count: alike in shape, not in level."""
SPEECH_HZ = (200, 4000)
LOWEST_VOICE_HZ = 70
"""Below the voices' fundamental; nothing is taken out there."""
QUIET_SHARE = 30
QUIET_WITHIN_S = 6.0
"""A frame is quiet when speech's band is among the quietest 30% of the 6 s around it."""
FLOOR_WITHIN_S = 1.5
FLOOR_BIAS = 1.5
"""The minimum of smoothed noise lies under its mean."""
CENTRED = 0.7
"""Mean similarity of the channels, in loud frames, from which on the voices count as centred."""
_TINY = 1e-9

Frames = NDArray[np.float32]
Spectrum = NDArray[np.complex64]
"""(frames, bins), both."""


class NearestOptions(Options):
    pass


class NearestNeighbours:
    """A `Separator` without weights."""

    def __init__(self, spec: EngineSpec, models: ModelStore) -> None:
        read_options(NearestOptions, spec)

    def separate(self, request: SeparationRequest, progress: Progress = no_progress) -> SeparationResult:
        with running("The separation", "take the voices out of the sound"):
            return separate_file(request, background, CHUNK_S, OVERLAP_S, progress)


def background(sound: Samples) -> Samples:
    """What is not voice in float32 (samples, 1 or 2) at 48 kHz; same shape."""
    from scipy.signal import ShortTimeFFT, get_window

    transform = ShortTimeFFT(get_window("hann", WINDOW).astype(np.float32), HOP, RATE)
    padded = np.pad(sound, ((0, max(0, WINDOW - len(sound))), (0, 0)))
    spectra = [transform.stft(channel).T.astype(np.complex64) for channel in padded.T]
    kept = [transform.istft(spectrum.T, k1=len(padded)) for spectrum in _without_voices(spectra)]
    return np.stack(kept, axis=1).astype(np.float32)[: len(sound)]


def _without_voices(spectra: list[Spectrum]) -> list[Spectrum]:
    similarity = _similarity(*spectra) if len(spectra) == 2 else None
    if len(spectra) == 2 and similarity is None:
        return [kept for spectrum in spectra for kept in _without_voices([spectrum])]
    magnitude: Frames = np.abs(np.mean(spectra, axis=0))
    voice = 1 - _background_mask(magnitude, _quiet(magnitude))
    if similarity is not None:
        voice *= similarity
    voice[:, : round(LOWEST_VOICE_HZ * WINDOW / RATE)] = 0
    return [spectrum * (1 - voice) for spectrum in spectra]


def _quiet(magnitude: Frames) -> NDArray[np.bool_]:
    """(frames,): where the band of speech is quiet for its surroundings; at least one frame is."""
    from scipy.ndimage import percentile_filter, uniform_filter1d

    low, high = (round(hz * WINDOW / RATE) for hz in SPEECH_HZ)
    level = np.log(np.sum(np.square(magnitude[:, low:high]), axis=1) + _TINY)
    usual = percentile_filter(uniform_filter1d(level, 5), QUIET_SHARE, size=round(QUIET_WITHIN_S * FRAMES_A_SECOND))
    quiet: NDArray[np.bool_] = level <= usual
    quiet[np.argmin(level)] = True
    return quiet


def _background_mask(magnitude: Frames, quiet: NDArray[np.bool_]) -> Frames:
    """0..1 for each bin: the share of the background, as a Wiener filter has it."""
    common = np.maximum(_common(magnitude, quiet), _noise_floor(magnitude))
    common = np.minimum(common, magnitude)
    kept, taken = np.square(common), np.square(magnitude - common)
    mask: Frames = np.divide(kept, kept + taken + _TINY, dtype=np.float32)
    return mask


def _common(magnitude: Frames, quiet: NDArray[np.bool_]) -> Frames:
    """For each frame the median over the quiet frames nearest to it (itself left out), bin by bin."""
    shape: Frames = np.minimum(magnitude / (np.median(magnitude, axis=0).astype(np.float32) + _TINY), CAP)
    shape /= np.linalg.norm(shape, axis=1, keepdims=True) + _TINY
    places = np.flatnonzero(quiet)
    likeness = shape @ shape[places].T
    likeness[places, np.arange(len(places))] = -1.0
    count = max(1, min(NEIGHBOURS, len(places) - 1))
    nearest = np.argpartition(-likeness, min(count, len(places) - 1), axis=1)[:, :count]
    quiet_frames = magnitude[places]
    result = np.empty_like(magnitude)
    for frame, neighbours in enumerate(nearest):
        result[frame] = np.partition(quiet_frames[neighbours], count // 2, axis=0)[count // 2]
    return result


def _noise_floor(magnitude: Frames) -> Frames:
    from scipy.ndimage import minimum_filter1d, uniform_filter1d

    smooth = uniform_filter1d(np.square(magnitude), 5, axis=0)
    lowest = minimum_filter1d(smooth, round(FLOOR_WITHIN_S * FRAMES_A_SECOND), axis=0)
    # The running mean is a running sum: in float32 it can end a little under zero.
    floor: Frames = np.sqrt(FLOOR_BIAS * np.maximum(lowest, 0))
    return floor


def _similarity(left: Spectrum, right: Spectrum) -> Frames | None:
    """0..1 for each bin: how much of it sounds from the middle; None where the voices do not."""
    from scipy.ndimage import uniform_filter1d

    common = uniform_filter1d(2 * np.real(left * np.conj(right)), 3, axis=0)
    total = uniform_filter1d(np.square(np.abs(left)) + np.square(np.abs(right)), 3, axis=0)
    level: Frames = np.sqrt(total / 2)
    loud = ~_quiet(level)
    if not loud.any() or common[loud].sum() < CENTRED * total[loud].sum():
        return None
    similarity: Frames = np.clip(common / (total + _TINY), 0, 1)
    return similarity
