"""What a machine may lack that tests need: a server's package, models, the right to mount."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

ALLOWED = "DUBLINE_MAY_SKIP"
"""A skip that nobody asked for is overlooked among two thousand dots."""


def lacking(what: str) -> NoReturn:
    """End a test for which something is lacking: as skipped where a person allows that, else as failed."""
    if os.environ.get(ALLOWED):
        pytest.skip(what)
    pytest.fail(f"{what}; set {ALLOWED}=1 to do without the tests that need it.", pytrace=False)


@contextmanager
def small_disk(folder: Path, kib: int = 40) -> Iterator[Path]:
    """A file system of that size there for a while."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode:
        lacking(f"No small disk can be mounted, for which root is needed ({done.stderr.strip()})")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
