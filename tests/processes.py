"""Processes that may end while they are looked at."""

from __future__ import annotations

import psutil


def lives(pid: int) -> bool:
    """Whether there is such a process, and nobody only has to be told that it has ended."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
