"""A run that is told to end does so soon, whatever its stages are at, and leaves no temporary file."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from pathlib import Path
from types import FrameType

from dubline import publication
from dubline.storage.chosen import artifact_store
from dubline.storage.locations import BucketFile

GRACE_S = 2.0
"""For Prefect to report the cancellation. Threads in a model's native code cannot be interrupted, and the interpreter
would wait for them as long as they take."""
TERMINATED = 128 + signal.SIGTERM


def end_when_told(out: BucketFile | Path | None = None) -> None:
    """From now on SIGTERM ends this process within GRACE_S, after what Prefect does on it.

    ffmpeg and the gates' process end with it. `out` is where results are being staged.
    """
    before = signal.getsignal(signal.SIGTERM)

    def told(number: int, frame: FrameType | None) -> None:
        timer = threading.Timer(GRACE_S, _leave, [out])
        timer.daemon = True
        timer.start()
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGTERM, told)


def _leave(out: BucketFile | Path | None) -> None:
    artifact_store().abandon()
    if isinstance(out, Path):
        shutil.rmtree(publication.staging(out), ignore_errors=True)
    os._exit(TERMINATED)
