"""An append-only ledger of what was done, for proofs that finished work is never done again.

Its events: `engine` (a call, with the keys of what it works on), `begun` and `finished` (a stage's body, with its
checkpoint's key), `committed` (that checkpoint was recorded). Off unless DUBLINE_LEDGER names a file. A line is one
JSON object; lines are written whole, so that a process that is killed in mid-run leaves a readable file.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

from dubline.settings import settings


def kept() -> bool:
    """Whether anybody wants to know."""
    return settings().ledger is not None


def record(event: str, **facts: Any) -> None:
    """Append one line: the event, the time, the process and the facts given."""
    path = settings().ledger
    if path is None:
        return
    line = json.dumps({"event": event, "at": time.time(), "pid": os.getpid(), **facts}) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
