"""Where the voices die down inside speech turns: pauses to 10 ms, finer than a diarizer's frames tell them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from dubline.domain.time import Span, gaps, intersection, merged

FRAME_MS = 10
_BLOCK_FRAMES = 3_000
"""Half a minute: a threshold follows the room and the speaker, not the whole programme."""
_FLOOR, _SPEECH = 10, 90
"""Percentiles of the frames' levels that stand for the room and for speech."""
_NOTHING_DB = -90.0
"""Below it is no room but silence that an editor or a noise gate put there: the last bit of 16."""
_ROOM_DB = 30.0
"""Where such silence hides the room, that is taken for at least so much softer than the speech."""
_SHARE = 0.35
"""Of the way from room to speech, in dB, from which on a frame counts as sound. From 0.25 to 0.45 the corrected word
times of the sample do not change by more than 3 ms (`python -m bench.words`)."""
_CONTRAST_DB = 15.0
"""With less between room and speech, as over music, levels tell nothing and the turns are kept as they are."""
_OTHER, _ENOUGH_FRAMES = 90, 50
"""Percentile of the frames where nobody speaks that speech must exceed, where there is half a second of them."""
_HEADROOM_DB = 6.0
"""Speech whose loud frames stand out by less leaves no room for its soft ones."""
_CLOSURE_MS = 180
"""A shorter drop is no pause: the closure of a plosive lasts 50-100 ms (Byrd, "54,000 American stops", UCLA Working
Papers 1993), and over a background the soft sounds beside it drown too."""
_SHORTEST_MS = 130
"""What sounds for less, alone, is a click or a note of the background: the shortest words said alone last longer."""
_EDGE_MS = 150
"""How far beyond a turn's edge its sound is looked for: diarized turns begin and end some frames inside."""


def sounding(full: Path, background: Path, turns: Sequence[Span]) -> tuple[Span, ...]:
    """Spans within the `turns` (ms) where voices sound, in order, without pauses of _CLOSURE_MS and more.

    Voices are what `full` has and `background` has not; both have the same rate and channels, and are read in blocks.
    """
    levels = _levels(full, background)
    wide = [Span(max(0, t.start_ms - _EDGE_MS), t.end_ms + _EDGE_MS) for t in merged(turns)]
    found: list[Span] = []
    for first in range(0, len(levels), _BLOCK_FRAMES):
        block = Span(first * FRAME_MS, min(first + _BLOCK_FRAMES, len(levels)) * FRAME_MS)
        threshold = _threshold(levels, block, turns, wide)
        if threshold is None:
            found += intersection([block], turns)
        else:
            loud = _runs(levels[first : first + _BLOCK_FRAMES] > threshold, block.start_ms)
            found += intersection(loud, wide)
    return tuple(s for s in merged(found, gap_ms=_CLOSURE_MS) if s.len_ms >= _SHORTEST_MS)


def _levels(full: Path, background: Path) -> NDArray[np.float64]:
    """Level of the voices in each frame in dB, smoothed over three of them."""
    powers: list[NDArray[np.float64]] = []
    with soundfile.SoundFile(full) as whole, soundfile.SoundFile(background) as bed:
        size = whole.samplerate * FRAME_MS // 1000
        kind = {"blocksize": size * _BLOCK_FRAMES, "dtype": "float32", "always_2d": True}
        for mixed, rest in zip(whole.blocks(**kind), bed.blocks(**kind), strict=True):
            power = np.mean(np.square(mixed - rest, dtype=np.float64), axis=1)
            powers.append(power[: len(power) // size * size].reshape(-1, size).mean(axis=1))
    power = np.concatenate(powers) if powers else np.zeros(0)
    smooth = np.convolve(np.sqrt(power), np.ones(3) / 3, mode="same") if len(power) else power
    levels: NDArray[np.float64] = 20 * np.log10(smooth + 1e-6)
    return levels


def _threshold(levels: NDArray[np.float64], block: Span, turns: Sequence[Span], wide: Sequence[Span]) -> float | None:
    """dB from which on a frame of the block counts as sound; None where levels do not tell."""
    spoken, other = _frames(levels, intersection([block], turns)), _frames(levels, gaps(wide, block))
    if not len(spoken):
        return None
    speech = float(np.percentile(spoken, _SPEECH))
    every = _frames(levels, [block])
    floor = float(np.percentile(every, _FLOOR))
    if floor < _NOTHING_DB < speech:
        floor = min(float(np.percentile(every[every > _NOTHING_DB], _FLOOR)), speech - _ROOM_DB)
    if speech - floor < _CONTRAST_DB:
        return None
    threshold = floor + _SHARE * (speech - floor)
    if len(other) >= _ENOUGH_FRAMES:
        # What sounds where nobody speaks, music above all, goes up and down too.
        threshold = max(threshold, float(np.percentile(other, _OTHER)))
    return threshold if speech - threshold >= _HEADROOM_DB else None


def _frames(levels: NDArray[np.float64], spans: Sequence[Span]) -> NDArray[np.float64]:
    parts = [levels[span.start_ms // FRAME_MS : span.end_ms // FRAME_MS] for span in spans]
    return np.concatenate(parts) if parts else np.zeros(0)


def _runs(mask: NDArray[np.bool_], start_ms: int) -> list[Span]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [Span(start_ms + int(a) * FRAME_MS, start_ms + int(b) * FRAME_MS) for a, b in edges.reshape(-1, 2)]
