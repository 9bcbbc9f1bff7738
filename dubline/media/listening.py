"""Where somebody speaks, found by a detector that no stage of the pipeline uses, and sound as a judge hears it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import ffmpeg
import numpy as np
import soundfile
from numpy.typing import NDArray

from dubline.domain.time import Span, merged
from dubline.media.downmix import join
from dubline.media.extract import FULL_RATE, MAX_CHANNELS, speech_outputs
from dubline.media.inputs import file_url, open_media, open_own, probing_arguments
from dubline.media.mixing import RATE as CLIP_RATE
from dubline.media.mixing import MixLine, prepare_clips
from dubline.media.runner import run_ffmpeg, run_ffprobe

RATE = 16_000
ISLAND_GAP_MS = 300
"""Speech is cut into islands at pauses of this length and more."""
_FRAME_MS = 30
_AGGRESSIVENESS = 3
"""Of WebRTC's detector, 0..3: from missing little to letting little noise through. What is held against the dub must be
speech: on the sample, against its reference turns, 3 takes 50 ms of noise for speech and 2 takes 470 ms."""
_SMOOTH = 3
"""Frames on each side that vote on a frame: single clicks are no speech, single drop-outs no pause."""
_SHORTEST_MS = 90

Samples = NDArray[np.int16]


def sound_of(video: Path, place: int, folder: Path) -> Path:
    """The video's audio stream number `place` (0 is the first) as mono 16 kHz FLAC in `folder`, on the video's axis.

    Left and right do not cancel in it: see `downmix`. Raises InvalidMedia, OutputUnavailable, MediaToolFailed.
    """
    out, middle, side = (folder / f"{name}-{place}.flac" for name in ("track", "middle", "side"))
    told = ["-select_streams", f"a:{place}", "-show_entries", "stream=channels:format=duration", "-of", "json"]
    found = json.loads(run_ffprobe([*told, *probing_arguments(video)], reading=video).stdout)
    channels, seconds = found["streams"][0]["channels"], float(found["format"]["duration"])
    channels = channels if channels <= MAX_CHANNELS else 2
    sound = open_media(video)[f"a:{place}"].filter("aresample", FULL_RATE, **{"async": 1, "first_pts": 0})
    run_ffmpeg(ffmpeg.merge_outputs(*speech_outputs(sound, channels, seconds, middle, side)), reading=video)
    join(middle, side if channels > 1 else None, out)
    return out


def voices_alone(lines: Iterable[MixLine], duration_ms: int, folder: Path) -> Path:
    """The placed clips without the original under them, as mono 16 kHz wav: what the dub itself says, when."""
    placed = list(lines)
    clips = [soundfile.read(path, dtype="float32")[0] for path in prepare_clips(placed, folder)]
    starts = [line.start_ms * CLIP_RATE // 1000 for line in placed]
    ends = [start + len(clip) for start, clip in zip(starts, clips, strict=True)]
    track = np.zeros(max([duration_ms * CLIP_RATE // 1000, *ends]), dtype=np.float32)
    for start, clip in zip(starts, clips, strict=True):
        track[start : start + len(clip)] += clip
    wide, out = folder / "voices-wide.wav", folder / "voices.wav"
    soundfile.write(wide, np.clip(track, -1, 1), CLIP_RATE, subtype="PCM_16")
    narrow = open_own(wide, "wav").audio.filter("aresample", RATE)
    run_ffmpeg(ffmpeg.output(narrow, file_url(out), format="wav", **{"c:a": "pcm_s16le"}))
    return out


def speech(path: Path) -> tuple[Span, ...]:
    """Spans of detected speech in a mono 16 kHz file, in order, to 30 ms."""
    import webrtcvad

    samples: Samples = soundfile.read(path, dtype="int16")[0]
    detector = webrtcvad.Vad(_AGGRESSIVENESS)
    size = RATE * _FRAME_MS // 1000
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    votes = np.array([detector.is_speech(frame.tobytes(), RATE) for frame in frames], dtype=float)
    if not len(votes):
        return ()
    window = 2 * _SMOOTH + 1
    smooth = np.convolve(votes, np.ones(window) / window, mode="same") > 0.5
    edges = np.flatnonzero(np.diff(np.concatenate([[False], smooth, [False]]).astype(int)))
    spans = (Span(int(a) * _FRAME_MS, int(b) * _FRAME_MS) for a, b in edges.reshape(-1, 2))
    return tuple(span for span in spans if span.len_ms >= _SHORTEST_MS)


def islands(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Speech between pauses of ISLAND_GAP_MS and more."""
    return merged(spans, gap_ms=ISLAND_GAP_MS - 1)
