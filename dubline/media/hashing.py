"""Are picture and sound the same? Compared by packets, or once decoded where a container needs them otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ffmpeg

from dubline.media.inputs import open_media
from dubline.media.runner import run_ffmpeg

_PICTURE = "V:0"
"""ffmpeg's stream specifier: the first video stream that is not a cover image."""


def picture_hash(path: Path, index: int | None = None) -> str:
    """sha256 of the picture's packets as they are stored; `index` is ffmpeg's stream index, None the first picture.

    H.264 and HEVC are framed otherwise in MPEG-TS and AVI than in MP4 and Matroska: there only `frames_hash` compares.
    Raises InvalidMedia, MediaToolFailed.
    """
    stream = open_media(path)[_PICTURE if index is None else str(index)]
    return _hash(path, ffmpeg.output(stream, "pipe:1", c="copy", format="hash", hash="sha256"))


def frames_hash(path: Path, index: int | None = None) -> str:
    """sha256 of the decoded frames, in order, before any rotation; times are not part of it. Raises as above."""
    # A rotation tag says how to show the frames, not what they are.
    stream = open_media(path, noautorotate=None)[_PICTURE if index is None else str(index)]
    options: dict[str, Any] = {"c:v": "rawvideo", "fps_mode": "passthrough", "format": "hash", "hash": "sha256"}
    return _hash(path, ffmpeg.output(stream, "pipe:1", **options))


def sound_hash(path: Path, index: int) -> str:
    """sha256 of an audio stream's decoded samples; `index` is ffmpeg's stream index. Raises as above.

    Doubles hold every sample of any format as it is, so streams of different codecs can be compared.
    """
    options: dict[str, Any] = {"c:a": "pcm_f64le", "format": "hash", "hash": "sha256"}
    return _hash(path, ffmpeg.output(open_media(path)[str(index)], "pipe:1", **options))


def picture_equal(one: Path, other: Path) -> bool:
    """Whether two files show the same picture: equal packets, or else equal frames once decoded."""
    return picture_hash(one) == picture_hash(other) or frames_hash(one) == frames_hash(other)


def _hash(path: Path, stream: Any) -> str:
    return run_ffmpeg(stream, reading=path).stdout.strip().partition("=")[2]
