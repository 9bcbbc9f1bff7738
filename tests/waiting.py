"""Waiting for what comes about by itself."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_S = 600
"""Only a test that fails waits as long."""


def until(what: Callable[[], object], timeout_s: float = PATIENCE_S, left: Callable[[], object] = lambda: "") -> None:
    """Wait for something to come about, looking less often the longer it takes; `left` tells what stood in its way."""
    began = time.monotonic()
    while not what():
        waited = time.monotonic() - began
        assert waited < timeout_s, f"it never came about {left()}"
        time.sleep(min(0.5, 0.05 + waited / 10))
