"""Names of files and folders beside others that have them already."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import PurePosixPath

MAX_NAME = 255
"""Bytes in a file's name, on all common file systems."""


def numbered(place: str) -> Iterator[str]:
    """The place, then `name-2.ext`, `name-3.ext`, and so on."""
    path = PurePosixPath(place)
    yield place
    for number in count(2):
        yield named(path, path.stem, f"-{number}{path.suffix}")


def folders_of(video: str) -> Iterator[str]:
    """Where the results of a file may go: a folder called like it without its ending, then `name-2`, and so on."""
    suffix = PurePosixPath(video).suffix
    return (place.removesuffix(suffix) for place in numbered(video))


def named(path: PurePosixPath, stem: str, ending: str) -> str:
    """The path under another name, whose stem is cut where the whole would be longer than a name can be."""
    kept = stem.encode(errors="surrogateescape")[: MAX_NAME - len(ending.encode())]
    return str(path.with_name(kept.decode(errors="surrogateescape") + ending))
