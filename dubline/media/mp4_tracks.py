"""Which tracks of an MP4 or QuickTime file are on. ffmpeg's muxer always switches the first subtitles on."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_ENABLED = 1
"""Flag of a track header (ISO 14496-12, 8.3.2)."""
_SUBTITLES = {b"sbtl", b"text", b"subp", b"clcp"}
"""Handler types of text, bitmaps and captions (8.4.3, and Apple's QuickTime file format)."""


def switch_subtitles_off(path: Path) -> None:
    """Have a player show no subtitles of a file of ours until somebody asks for them."""
    with path.open("r+b") as file:
        end = file.seek(0, 2)
        for moov in _boxes(file, 0, end, b"moov"):
            for track in _boxes(file, *moov, b"trak"):
                if _handler(file, track) in _SUBTITLES:
                    _switch_off(file, track)


def _handler(file: BinaryIO, track: tuple[int, int]) -> bytes:
    for media in _boxes(file, *track, b"mdia"):
        for start, _ in _boxes(file, *media, b"hdlr"):
            file.seek(start + 8)
            return file.read(4)
    return b""


def _switch_off(file: BinaryIO, track: tuple[int, int]) -> None:
    for start, _ in _boxes(file, *track, b"tkhd"):
        file.seek(start + 3)  # behind the version, the lowest byte of three
        flags = file.read(1)[0]
        file.seek(start + 3)
        file.write(bytes([flags & ~_ENABLED]))


def _boxes(file: BinaryIO, start: int, end: int, kind: bytes) -> Iterator[tuple[int, int]]:
    """(first byte, end) of what the boxes of a kind between two places contain."""
    while start + 8 <= end:
        file.seek(start)
        size, found = struct.unpack(">I4s", file.read(8))
        content = start + 8
        if size == 1:  # a size of 64 bits follows
            size, content = struct.unpack(">Q", file.read(8))[0], start + 16
        stop = start + size if size else end
        if found == kind:
            yield content, stop
        start = stop
