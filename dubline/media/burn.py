"""Draw subtitles into the picture, in a further video: the one file for which the picture is encoded again.

It becomes H.264 with 8 bits, which plays everywhere. A picture of high dynamic range (PQ or HLG) stays one, as HEVC
with 10 bits and the figures of the display it was made on: tone-mapping is a matter of taste that players and screens
settle for themselves, and 8 bits of PQ show bands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from dubline.media.inputs import file_url, open_media
from dubline.media.looks import HDR_WHITE, Looks, looks
from dubline.media.runner import Progress, run_ffmpeg

_QUALITY, _PRESET = 18, "veryfast"
"""x264's constant rate factor, near transparent, and its speed."""
_HDR_QUALITY = 20
"""x265's, for about the same."""
_NO_GLYPH = re.compile(r"failed to find any fallback with glyph 0x([0-9A-Fa-f]+)")
"""What libass says of a character that no font on the machine can draw."""
_EVEN = "trunc({}/2)*2"
"""4:2:0 chroma wants even sides: an odd one loses a row or column of pixels."""
_WHITE = "&H00FFFFFF"


@dataclass(frozen=True, slots=True)
class BurnedVideo:
    path: Path
    """MP4: H.264, or HEVC where the picture is HDR, and the dub as it is."""
    missing: tuple[str, ...]
    """Characters that no font on this machine can draw: boxes or nothing stands in their place."""


def burn(video: Path, ass: Path, folder: Path, duration_ms: int, progress: Progress | None = None) -> BurnedVideo:
    """Write `burned.mp4` into `folder`: a dubbed video's picture with the cues of an ASS file, and its first sound.

    Both inputs are files that Dubline wrote; the ASS file is made for the picture as it is shown, upright.
    Raises InvalidMedia, OutputUnavailable, MediaToolFailed.
    """
    found = looks(video)
    drawn = _toned(ass, folder, HDR_WHITE[found.transfer]) if found.hdr else ass
    media = open_media(video)
    out = folder / "burned.mp4"
    stream = ffmpeg.output(
        _drawn(media["v:0"], found, drawn),
        media["a:0?"],
        file_url(out),
        format="mp4",
        movflags="+faststart",
        fps_mode="vfr",
        acodec="copy",
        preset=_PRESET,
        **(_hevc(found) if found.hdr else _h264(found)),
    )
    said = run_ffmpeg(stream, reading=video, progress=progress, duration_ms=duration_ms, loglevel="warning").stderr
    return BurnedVideo(out, tuple(sorted({chr(int(code, 16)) for code in _NO_GLYPH.findall(said)})))


def _toned(ass: Path, folder: Path, level: float) -> Path:
    """The same cues in the grey that is white in a picture of high dynamic range; full white would dazzle."""
    grey = f"{round(255 * level):02X}" * 3
    out = folder / "toned.ass"
    head, events = ass.read_text(encoding="utf-8").split("[Events]", 1)
    out.write_text(f"{head.replace(_WHITE, f'&H00{grey}')}[Events]{events}", encoding="utf-8")
    return out


def _drawn(picture: Any, found: Looks, ass: Path) -> Any:
    """Letters are drawn in limited range whatever the picture has, and as for square pixels unless told otherwise."""
    matrix = {"out_color_matrix": "bt709"} if found.rgb else {}
    return (
        picture.filter("scale", interl=-1, out_range="tv", **matrix)
        .filter("format", "yuv420p10le" if found.hdr else "yuv420p")
        .filter("ass", filename=str(ass.absolute()), **({"original_size": found.square} if found.square else {}))
        .filter("crop", w=_EVEN.format("iw"), h=_EVEN.format("ih"))
    )


def _h264(found: Looks) -> dict[str, Any]:
    interlaced = {"flags": "+ildct+ilme", "x264-params": f"{found.fields}=1"} if found.fields else {}
    named = {"colorspace": "bt709", "color_primaries": "bt709", "color_trc": "bt709"} if found.rgb else {}
    return {"vcodec": "libx264", "crf": _QUALITY, "color_range": "tv", **interlaced, **named}


def _hevc(found: Looks) -> dict[str, Any]:
    parameters = ":".join(["log-level=error", "repeat-headers=1", *_mastering(found)])
    return {"vcodec": "libx265", "crf": _HDR_QUALITY, "tag:v": "hvc1", "x265-params": parameters, "color_range": "tv"}


def _mastering(found: Looks) -> Iterator[str]:
    """x265 wants what SMPTE ST 2086 and CTA-861.3 tell of the picture's making; ffmpeg before 7 does not hand it on."""
    if found.transfer == "smpte2084":
        yield "hdr10=1"
    if found.mastering:
        yield f"master-display={found.mastering}"
    if found.light:
        yield f"max-cll={found.light}"
