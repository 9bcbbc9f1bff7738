"""How a picture is to be shown: range, shape, fields, and what tells of high dynamic range."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from dubline.media.inputs import probing_arguments
from dubline.media.runner import run_ffprobe

HDR_WHITE = {"smpte2084": 0.58, "arib-std-b67": 0.75}
"""Transfer function -> the signal, 0..1, at which paper is white: 203 cd/m2 (ITU-R BT.2408-7, table 1)."""
_FIELDS = {"tt": "tff", "bt": "tff", "bb": "bff", "tb": "bff"}
"""ffprobe names the field that is coded first, then the one that is shown first."""
_COORDINATE, _LUMINANCE = 50_000, 10_000
"""Steps in which x265 takes chromaticities and cd/m2."""


@dataclass(frozen=True, slots=True)
class Looks:
    transfer: str
    """ffmpeg's name of the transfer function."""
    rgb: bool
    fields: str | None
    """Which field is shown first, `tff` (the top one) or `bff`; None for whole frames."""
    square: str | None
    """Size that the picture would have with square pixels, as `768x576`; None where they are square."""
    mastering: str | None
    """Primaries, white and luminance of the mastering display, as x265 takes them."""
    light: str | None
    """Brightest pixel and brightest mean of a frame, in cd/m2, as x265 takes them."""

    @property
    def hdr(self) -> bool:
        return self.transfer in HDR_WHITE


def looks(video: Path) -> Looks:
    """What the first picture of a file and its first frame tell. Raises InvalidMedia, MediaToolFailed."""
    entries = ["-select_streams", "V:0", "-show_streams", "-show_frames", "-read_intervals", "%+#1", "-of", "json"]
    found = json.loads(run_ffprobe([*entries, *probing_arguments(video)], reading=video).stdout)
    stream, frames = found["streams"][0], found.get("frames", [])
    sides = [side for part in (stream, *frames) for side in part.get("side_data_list", [])]
    return Looks(
        transfer=stream.get("color_transfer", "unknown"),
        rgb=stream.get("pix_fmt", "").lstrip("a0").startswith(("rgb", "bgr", "gbr", "pal8")),
        fields=_FIELDS.get(stream.get("field_order", "unknown")),
        square=_square(stream, sides),
        mastering=next((_display(side) for side in sides if "red_x" in side and "max_luminance" in side), None),
        light=next((f"{side['max_content']},{side['max_average']}" for side in sides if "max_content" in side), None),
    )


def _square(stream: dict[str, Any], sides: list[dict[str, Any]]) -> str | None:
    across, _, down = stream.get("sample_aspect_ratio", "1:1").partition(":")
    if not (across.isdigit() and down.isdigit()) or across == down or "0" in (across, down):
        return None
    width, height = round(stream["width"] * Fraction(int(across), int(down))), stream["height"]
    turned = any(int(side.get("rotation", 0)) % 180 for side in sides)
    return f"{height}x{width}" if turned else f"{width}x{height}"


def _display(side: dict[str, Any]) -> str:
    def point(name: str) -> str:
        return f"({_steps(side[f'{name}_x'], _COORDINATE)},{_steps(side[f'{name}_y'], _COORDINATE)})"

    light = f"({_steps(side['max_luminance'], _LUMINANCE)},{_steps(side['min_luminance'], _LUMINANCE)})"
    return f"G{point('green')}B{point('blue')}R{point('red')}WP{point('white_point')}L{light}"


def _steps(value: str, step: int) -> int:
    return round(Fraction(value) * step)
