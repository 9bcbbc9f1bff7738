"""Files that others are at work on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def files_below(folder: Path) -> Iterator[Path]:
    """Files that others may take away meanwhile, folders and all, where `rglob` would fail."""
    for parent, _, names in os.walk(folder):
        yield from (Path(parent, name) for name in names)


def contents_below(folder: Path) -> dict[str, bytes]:
    """What is in each of them, but for those that are gone or no files."""
    found = {}
    for path in files_below(folder):
        with suppress(OSError):
            if path.is_file():
                found[str(path)] = path.read_bytes()
    return found
