"""Where somebody clearly speaks, told by a detector that knows neither words nor turns: the Silero VAD.

It finds speech of any language, and leaves out music, noise, breath and most laughter. faster-whisper ships it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from dubline.domain.time import Span, merged

PACKAGES = ("faster-whisper", "onnxruntime")
"""What decides the detector's result."""
RATE = 16_000
FRAME = 512
"""Samples of which the detector tells one probability: 32 ms."""
_BLOCK_FRAMES = 10_000
"""Five minutes: memory stays constant."""
_LEAD_FRAMES = 62
"""Two seconds that are heard before each block, so that the network knows the room."""
_LIKELY = 0.5
"""The detector's own threshold."""
PAUSE_MS = 180
"""A shorter drop is no pause: the closure of a plosive lasts 50-100 ms (Byrd, UCLA Working Papers 1993)."""

_SYLLABLE_MS = 250


def clear_speech(audio: Path, pause_ms: int = PAUSE_MS) -> tuple[Span, ...]:
    """Spans of clear speech in a mono 16 kHz file, in order, to a frame; `pause_ms` and more part them."""
    return _spans(_probabilities(audio), soundfile.info(audio).frames, pause_ms)


def voices(samples: NDArray[np.float32]) -> tuple[Span, ...]:
    """Spans of clear speech in a piece of sound, float32 (samples,) at 16 kHz; none that is shorter than a syllable."""
    from faster_whisper.vad import get_vad_model

    padded = np.pad(samples, (0, -len(samples) % FRAME)).astype(np.float32)
    shares = [get_vad_model()(padded).reshape(-1)] if len(samples) else []
    return tuple(span for span in _spans(shares, len(samples), PAUSE_MS) if span.len_ms >= _SYLLABLE_MS)


def _spans(shares: Iterable[NDArray[np.float32]], last: int, pause_ms: int) -> tuple[Span, ...]:
    """`last` is the number of samples: the last frame may be padded."""
    likely = np.concatenate([[False], *(share >= _LIKELY for share in shares), [False]])
    edges = np.flatnonzero(np.diff(likely.astype(np.int8))).reshape(-1, 2)
    spans = (Span(int(a) * FRAME * 1000 // RATE, min(int(b) * FRAME, last) * 1000 // RATE) for a, b in edges)
    return merged(spans, gap_ms=pause_ms - 1)


def _probabilities(audio: Path) -> Iterator[NDArray[np.float32]]:
    from faster_whisper.vad import get_vad_model

    lead = np.zeros(0, np.float32)
    for block in soundfile.blocks(audio, blocksize=_BLOCK_FRAMES * FRAME, dtype="float32"):
        padded = np.pad(block, (0, -len(block) % FRAME))
        heard = np.concatenate([lead, padded])
        yield get_vad_model()(heard)[len(lead) // FRAME :].reshape(-1)
        lead = padded[-_LEAD_FRAMES * FRAME :]
