"""An append-only ledger of what was done, for proofs that finished work is never done again.

Its events: `engine` (a call, with the keys of what it works on), `begun` and `finished` (a stage's body, with its
checkpoint's key), `recording` and `committed` (a checkpoint is to be recorded under that key, with the sha256 of its
content, and it was). Each names the Prefect run that a worker started the process for, where one did. Off unless
DUBLINE_LEDGER names a file. A line is one JSON object; lines are written whole, so that a process that is killed in
mid-run leaves a readable file.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

from dubline.settings import settings

RUN = "PREFECT__FLOW_RUN_ID"
"""A worker tells the process by this variable which run it is."""


def kept() -> bool:
    """Whether anybody wants to know."""
    return settings().ledger is not None


def record(event: str, **facts: Any) -> None:
    """Append one line: the event, the time, the process, its run and the facts given."""
    path = settings().ledger
    if path is None:
        return
    known = {"event": event, "at": time.time(), "pid": os.getpid(), "run": os.environ.get(RUN)}
    line = json.dumps(known | facts) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
