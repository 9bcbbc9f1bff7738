"""The `dubline` command, killed as a stage reaches a moment: `python -m tests.pipeline.struck STAGE:MOMENT`.

Moments: `before` (the stage has begun), `during` (it told that it is under way), `after` (it is done, and its result
is not recorded yet).
"""

from __future__ import annotations

import os
import signal
import sys

from dubline import cli
from dubline.telemetry.progress import Event, StageProgress, listening


def main() -> None:
    stage, _, moment = sys.argv[1].partition(":")

    def strike(event: Event) -> None:
        if not isinstance(event, StageProgress) or event.stage != stage:
            return
        begun = "before" if event.fraction == 0 else "during"
        if moment == ("after" if event.state == "done" else begun):
            os.kill(os.getpid(), signal.SIGKILL)

    with listening(strike):
        sys.argv = ["dubline", *sys.argv[2:]]
        cli.main()


if __name__ == "__main__":
    main()
