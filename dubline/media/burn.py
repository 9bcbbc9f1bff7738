"""Draw subtitles into the picture, in a further video: the one file for which the picture is encoded again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import ffmpeg

from dubline.media.inputs import file_url, open_media
from dubline.media.runner import Progress, run_ffmpeg

_QUALITY, _PRESET = 18, "veryfast"
"""x264's constant rate factor, near transparent, and its speed."""
_NO_GLYPH = re.compile(r"failed to find any fallback with glyph 0x([0-9A-Fa-f]+)")
"""What libass says of a character that no font on the machine can draw."""
_EVEN = "trunc({}/2)*2"
"""4:2:0 chroma wants even sides: an odd one loses a row or column of pixels."""


@dataclass(frozen=True, slots=True)
class BurnedVideo:
    path: Path
    """MP4: H.264, and the dub as it is."""
    missing: tuple[str, ...]
    """Characters that no font on this machine can draw: boxes or nothing stands in their place."""


def burn(video: Path, ass: Path, folder: Path, duration_ms: int, progress: Progress | None = None) -> BurnedVideo:
    """Write `burned.mp4` into `folder`: a dubbed video's picture with the cues of an ASS file, and its first sound.

    Both inputs are files that Dubline wrote; the ASS file is made for the picture as it is shown, upright.
    Raises InvalidMedia, OutputUnavailable, MediaToolFailed.
    """
    media = open_media(video)
    picture = (
        media["v:0"]
        .filter("ass", filename=str(ass.absolute()))
        .filter("crop", w=_EVEN.format("iw"), h=_EVEN.format("ih"))
    )
    out = folder / "burned.mp4"
    stream = ffmpeg.output(
        picture,
        media["a:0?"],
        file_url(out),
        format="mp4",
        movflags="+faststart",
        vcodec="libx264",
        crf=_QUALITY,
        preset=_PRESET,
        pix_fmt="yuv420p",
        fps_mode="vfr",
        acodec="copy",
    )
    said = run_ffmpeg(stream, reading=video, progress=progress, duration_ms=duration_ms, loglevel="warning").stderr
    return BurnedVideo(out, tuple(sorted({chr(int(code, 16)) for code in _NO_GLYPH.findall(said)})))
