"""Loudness of a sound track by EBU R128 (ITU-R BS.1770-4), as ffmpeg's `ebur128` filter measures it."""

from __future__ import annotations

import re
from pathlib import Path

import ffmpeg

from dubline.domain.errors import MediaToolFailed
from dubline.media.inputs import open_media, shown
from dubline.media.runner import run_ffmpeg


def loudness(path: Path, track: int | None = None) -> tuple[float, float]:
    """(integrated loudness in LUFS, true peak in dBTP) of an audio stream, by default the first.

    `track` is ffmpeg's stream index. Silence is -70 LUFS (the absolute gate) and -inf dBTP. Raises InvalidMedia for a
    file without sound, MediaToolFailed.
    """
    stream = open_media(path)["a:0" if track is None else str(track)]
    measured = stream.filter("ebur128", peak="true", framelog="verbose")
    report = run_ffmpeg(ffmpeg.output(measured, "-", format="null"), reading=path, loglevel="info").stderr
    _, _, summary = report.rpartition("Summary:")
    return _figure(path, summary, r"\bI:\s+(\S+) LUFS"), _figure(path, summary, r"\bPeak:\s+(\S+) dBFS")


def _figure(path: Path, summary: str, pattern: str) -> float:
    match = re.search(pattern, summary)
    if match is None:
        raise MediaToolFailed(f"ffmpeg measured no loudness of '{shown(path)}'; its ebur128 filter gave no summary.")
    return float(match.group(1))
