"""Frames in the order in which they are shown, where a file tells no times for that.

AVI stores packets in the order of decoding and nothing else. For H.264 and HEVC with B-frames, ffmpeg makes times of
that which show frames in the wrong order, and so does a file that was made of such an AVI. Only a decoder knows better.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from dubline.domain.errors import InvalidMedia, MediaToolFailed
from dubline.media.inputs import probing_arguments
from dubline.media.runner import run_ffprobe, run_python

_PACKETS = 250
"""How many are looked at: encoders use B-frames within the first seconds, or never."""
_PLACEHOLDER = 19
"""Bytes of a packet that stands for a frame which lies in an earlier packet (MPEG-4 in AVI, `packed bitstream`)."""


def disordered(path: Path, index: int, codec: str) -> bool:
    """Whether frames of the stream are shown in another order than the times of its packets say.

    Such times only ever grow from packet to packet, while a decoder gives the frames back in another order.
    """
    times: list[int] = []
    frames: list[int] = []
    sizes: list[int] = []

    def on_line(line: str) -> None:
        fields = dict(field.partition("=")[::2] for field in line.split("|"))
        if fields.get("pts", "N/A") != "N/A":
            times.append(int(fields["pts"]))
        if fields.get("size", "N/A") != "N/A":
            sizes.append(int(fields["size"]))
        if fields.get("pkt_pos", "N/A") != "N/A":
            frames.append(int(fields["pkt_pos"]))

    entries = ["-select_streams", str(index), "-show_entries", "packet=pts,size:frame=pkt_pos", "-of", "compact=p=0"]
    some = ["-read_intervals", f"%+#{_PACKETS}"]
    try:
        run_ffprobe([*entries, *some, "-fflags", "+genpts", *probing_arguments(path)], reading=path, on_line=on_line)
    except (InvalidMedia, MediaToolFailed):
        return False  # what cannot be decoded cannot be put in order either; a copy of the picture still can be made
    packed = codec == "mpeg4" and any(size <= _PLACEHOLDER for size in sizes)
    return _grows(times) and (packed or not _grows(frames))


def _grows(values: list[int]) -> bool:
    return all(before < after for before, after in pairwise(values))


def put_in_order(path: Path, index: int, folder: Path) -> tuple[Path, float]:
    """Write the picture alone into `folder` as MP4, its packets as they are, with the times at which frames are shown.

    Returns the file, and at which second of the source it begins. Raises InvalidMedia, MediaToolFailed.
    """
    out = folder / "picture.mp4"
    said = run_python("dubline.media.reorder", [str(path), str(index), str(out)], reading=path)
    return out, float(said.stdout)
