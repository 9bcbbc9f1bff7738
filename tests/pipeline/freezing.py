"""A flow whose process leaves its id and freezes, as one does on a machine that is short of everything."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from prefect import flow


@flow
def freeze_unless(path: str) -> None:
    left = Path(path)
    if not left.exists():
        left.with_suffix(".partial").write_text(str(os.getpid()))
        left.with_suffix(".partial").rename(left)
        os.kill(os.getpid(), signal.SIGSTOP)
