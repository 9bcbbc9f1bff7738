"""Frames in the order in which they are shown, where a file tells no times for that.

AVI stores packets in the order of decoding and nothing else. For H.264 and HEVC with B-frames, ffmpeg makes times of
that which show frames in the wrong order, and so does a file that was made of such an AVI. Only a decoder knows better.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from dubline.domain.errors import InvalidMedia
from dubline.media.inputs import probing_arguments
from dubline.media.runner import Progress, run_ffprobe, run_python

_PACKETS = 250
"""How many are looked at in each place: encoders use B-frames within some seconds of a moving picture, or never."""
_PLACES = 4
"""At the beginning and at each quarter; and before the end."""
_END_S = 12.0
"""How long before the end the last place is: 250 packets take 10 s, and it begins at a key frame before that."""
_PLACEHOLDER = 19
"""Bytes of a packet that stands for a frame which lies in an earlier packet (MPEG-4 in AVI, `packed bitstream`)."""


@dataclass(frozen=True, slots=True)
class InOrder:
    """A picture with the times at which its frames are shown."""

    path: Path
    """MP4, the picture alone."""
    begin_s: float
    """At which second of the source it begins."""
    tags: dict[str, str]
    """Title, language and name that the source has of it."""
    marks: tuple[str, ...]
    """Dispositions, as ffmpeg names them."""


def disordered(path: Path, index: int, codec: str, start_s: float, duration_s: float) -> bool:
    """Whether frames of the stream are shown in another order than the times of its packets say.

    Such times only ever grow from packet to packet, while a decoder gives the frames back in another order. Looked at
    are some places of the file, which begins at `start_s` of its own time. Raises MediaToolFailed.
    """
    starts = [place * duration_s / _PLACES for place in range(1, _PLACES)]
    seconds = [start for start in (*starts, duration_s - _END_S) if start > 0]
    for interval in ("", *(f"{start_s + second:.3f}" for second in seconds)):
        found = _looked_at(path, index, f"{interval}%+#{_PACKETS}")
        if not _grows(found.times):
            return False
        if not _grows(found.frames) or (codec == "mpeg4" and any(size <= _PLACEHOLDER for size in found.sizes)):
            return True
    return False


@dataclass(frozen=True, slots=True)
class _Found:
    """Packets in the order of the file, and where the packets of frames lie that a decoder gave back."""

    times: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)

    def add(self, line: str) -> None:
        fields = dict(one.partition("=")[::2] for one in line.split("|"))
        for name, values in (("pts", self.times), ("size", self.sizes), ("pkt_pos", self.frames)):
            if fields.get(name, "N/A") != "N/A":
                values.append(int(fields[name]))


def _looked_at(path: Path, index: int, interval: str) -> _Found:
    found = _Found()
    entries = ["-select_streams", str(index), "-show_entries", "packet=pts,size:frame=pkt_pos", "-of", "compact=p=0"]
    some = ["-read_intervals", interval, "-fflags", "+genpts"]
    with suppress(InvalidMedia):  # what cannot be decoded cannot be put in order, and a copy of it can be made
        run_ffprobe([*entries, *some, *probing_arguments(path)], reading=path, on_line=found.add)
    return found


def _grows(values: list[int]) -> bool:
    return all(before < after for before, after in pairwise(values))


def put_in_order(path: Path, index: int, folder: Path, progress: Progress | None = None) -> InOrder:
    """Write the picture alone into `folder` as MP4, its packets as they are, with the times at which frames are shown.

    Raises InvalidMedia, OutputUnavailable, MediaToolFailed.
    """
    out = folder / "picture.mp4"
    lines = [""]

    def on_line(line: str) -> None:
        if lines[0] and progress:
            progress(float(lines[0]))
        lines[0] = line

    run_python("dubline.media.reorder", [str(path), str(index), str(out)], reading=path, on_line=on_line)
    said = json.loads(lines[0])
    return InOrder(out, said["begin_s"], said["tags"], tuple(said["marks"]))
