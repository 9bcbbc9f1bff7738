"""A long sound track through a separator in chunks: linear time, constant memory, no seams.

Chunks of equal length overlap, and over each overlap one result fades linearly into the next. Both are estimates of the
same background, so no level is lost and no step is made where they meet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from dubline.acoustics import phase
from dubline.domain.errors import OutputUnavailable
from dubline.domain.layout import speech_groups
from dubline.engines.contracts import Progress, SeparationRequest, SeparationResult

Samples = NDArray[np.float32]
Separate = Callable[[Samples], Samples]
"""float32 (samples, 1 or 2) at 48 kHz -> the background in it, of the same shape."""

RATE = 48_000
SILENCE = 1e-4
"""Peak (-80 dBFS) under which a channel has nothing to separate."""


def separate_file(
    request: SeparationRequest, separate: Separate, chunk_s: float, overlap_s: float, progress: Progress
) -> SeparationResult:
    """Write the background of `request.audio` with `separate` used on every group of channels where people speak.

    All other channels are copied bit by bit. Raises OutputUnavailable.
    """
    out = request.folder / "background.flac"
    try:
        with (
            soundfile.SoundFile(request.audio) as source,
            soundfile.SoundFile(out, "w", RATE, source.channels, "PCM_16", format="FLAC") as target,
        ):
            for part in _joined(source, separate, chunk_s, overlap_s):
                target.write(_pcm(part))
                progress(min(target.frames / max(source.frames, 1), 1.0))
    except soundfile.LibsndfileError as error:
        raise OutputUnavailable(
            f"Cannot write {out}: {error}; make room or set DUBLINE_HOME to another disk."
        ) from error
    progress(1.0)
    return SeparationResult(out)


def chunks(frames: int, chunk: int, overlap: int) -> Iterator[tuple[int, int]]:
    """(start, end) of overlapping chunks of nearly equal length, at most `chunk`, that cover `frames` samples."""
    count = max(1, math.ceil((frames - overlap) / (chunk - overlap)))
    step = max(0, frames - overlap) / count
    for number in range(count):
        end = frames if number == count - 1 else round(step * (number + 1)) + overlap
        yield round(step * number), end


def _joined(source: Any, separate: Separate, chunk_s: float, overlap_s: float) -> Iterator[Samples]:
    """The results of the chunks, one after another, faded into each other."""
    overlap = round(overlap_s * RATE)
    fade = np.linspace(0, 1, overlap, dtype=np.float32)[:, None]
    tail = np.zeros((0, source.channels), np.float32)
    for start, end in chunks(source.frames, round(chunk_s * RATE), overlap):
        source.seek(start)
        sound = _background(source.read(end - start, dtype="float32", always_2d=True), separate)
        if len(tail):
            sound[:overlap] = tail * (1 - fade) + sound[:overlap] * fade
        keep = len(sound) if end == source.frames else len(sound) - overlap
        tail = sound[keep:]
        yield sound[:keep]


def _background(sound: Samples, separate: Separate) -> Samples:
    result = sound.copy()
    for group in map(list, speech_groups(sound.shape[1])):
        if np.abs(sound[:, group]).max(initial=0.0) > SILENCE:
            result[:, group] = _in_phase(sound[:, group], separate)
    return result


def _in_phase(sound: Samples, separate: Separate) -> Samples:
    """The background of a group. Where a pair is in opposite phase, its right channel is turned round for that: a
    separator looks for voices in the middle."""
    if sound.shape[1] == 1:
        return separate(sound)
    left, right = sound.T
    turned = phase.turned(phase.powers((left + right) / 2, (left - right) / 2, RATE))
    if not turned.any():
        return separate(sound)
    sign = 1 - 2 * phase.ramps(turned, 0, len(sound), RATE)
    straight = np.stack([left, right * sign], axis=1)
    voices = straight - separate(straight)
    voices[:, 1] *= sign
    background: Samples = sound - voices
    return background


def _pcm(sound: Samples) -> NDArray[np.int16]:
    return np.clip(np.round(sound * 32768.0), -32768, 32767).astype(np.int16)
