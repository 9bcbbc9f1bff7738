"""Listen into several audio tracks of a video: in which are voices, and some of them for whoever tells languages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import ffmpeg
import numpy as np
import soundfile
from numpy.typing import NDArray

from dubline.acoustics.voice_activity import voices
from dubline.domain.errors import InvalidMedia, MediaToolFailed
from dubline.domain.time import Span
from dubline.media.downmix import join, writing
from dubline.media.extract import FULL_RATE, SPEECH_RATE, channels_of, speech_outputs
from dubline.media.inputs import open_media, shown
from dubline.media.runner import Progress, run_ffmpeg
from dubline.storage.results import Source, Track

WINDOWS, WINDOW_MS = 10, 60_000
"""Of a track that is longer than all of them together only these are listened to, unless no voices are in them."""
SAMPLE_MS = 60_000
"""What recognizers hear of a language is half a minute at once; two of them."""

Samples = NDArray[np.float32]


def survey(path: Path, source: Source, track: Track, folder: Path, progress: Progress) -> tuple[int, Path | None]:
    """How many ms of voices are in a track, and a file in `folder` with some of them: FLAC, 16 kHz, mono.

    Raises InvalidMedia where nothing of the track can be decoded, OutputUnavailable.
    """
    heard = _voices(path, track, _windows(source.duration_ms), folder, lambda share: progress(share / 2))
    if not heard and source.duration_ms > WINDOWS * WINDOW_MS:
        heard = _voices(path, track, _all(source.duration_ms), folder, lambda share: progress(0.5 + share / 2))
    progress(1.0)
    if not heard:
        return 0, None
    sample = folder / f"voices-{track.index}.flac"
    with writing(sample):
        soundfile.write(sample, _spread(heard), SPEECH_RATE, "PCM_16")
    return sum(len(one) for one in heard) * 1000 // SPEECH_RATE, sample


def _windows(duration_ms: int) -> list[Span]:
    """The whole of a short track, else WINDOWS of it, evenly spread."""
    if duration_ms <= WINDOWS * WINDOW_MS:
        return [Span(0, duration_ms)]
    starts = ((2 * n + 1) * duration_ms // (2 * WINDOWS) - WINDOW_MS // 2 for n in range(WINDOWS))
    return [Span(start, start + WINDOW_MS) for start in starts]


def _all(duration_ms: int) -> list[Span]:
    return [
        Span(start, min(start + WINDOW_MS * WINDOWS, duration_ms))
        for start in range(0, duration_ms, WINDOW_MS * WINDOWS)
    ]


def _voices(path: Path, track: Track, windows: Sequence[Span], folder: Path, progress: Progress) -> list[Samples]:
    """What is spoken in the windows, a stretch each."""
    found: list[Samples] = []
    failed = 0
    for number, window in enumerate(windows, 1):
        try:
            sound = _decoded(path, track, window, folder)
        except (InvalidMedia, MediaToolFailed):
            failed += 1
        else:
            found += [sound[_place(span.start_ms) : _place(span.end_ms)] for span in voices(sound)]
        progress(number / len(windows))
    if failed == len(windows):
        raise InvalidMedia(f"The sound track {track.index} of '{shown(path)}' cannot be decoded; name another.")
    return found


def _place(ms: int) -> int:
    return ms * SPEECH_RATE // 1000


def _decoded(path: Path, track: Track, window: Span, folder: Path) -> Samples:
    """A window of a track as a recognizer would get it: float32 (samples,) at 16 kHz; less where the track is short."""
    seconds, channels = window.len_ms / 1000, channels_of(track)
    middle, side, out = (folder / f"{name}.flac" for name in ("middle", "side", "window"))
    media = open_media(path, ss=f"{window.start_ms / 1000:.3f}", t=f"{seconds:.3f}")
    sound = media[str(track.index)].filter("aresample", FULL_RATE)
    run_ffmpeg(ffmpeg.merge_outputs(*speech_outputs(sound, channels, seconds, middle, side)), reading=path)
    join(middle, side if channels > 1 else None, out)
    samples: Samples = soundfile.read(out, dtype="float32")[0]
    return samples


def _spread(heard: Sequence[Samples]) -> Samples:
    """At most SAMPLE_MS of what is spoken: all, or pieces from everywhere."""
    whole = np.concatenate(heard)
    most = _place(SAMPLE_MS)
    if len(whole) <= most:
        return whole
    piece = most // 4
    starts = (n * (len(whole) - piece) // 3 for n in range(4))
    return np.concatenate([whole[start : start + piece] for start in starts])
