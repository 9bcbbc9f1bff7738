"""The `dubline` command with a clock: `python -m bench.clocked LOG COMMAND...` logs progress events as lines of JSON.

Times count from the start of the process, by the kernel's account, so imports are counted too.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import psutil

from dubline import cli
from dubline.telemetry.progress import Event, StageProgress, listening


def main() -> None:
    began = psutil.Process().create_time()
    with Path(sys.argv[1]).open("w", encoding="utf-8") as log:

        def note(event: Event) -> None:
            if isinstance(event, StageProgress):
                facts = {"at": time.time() - began, "stage": event.stage, "state": event.state, "share": event.fraction}
                log.write(json.dumps(facts) + "\n")
                log.flush()

        sys.argv = ["dubline", *sys.argv[2:]]
        with listening(note):
            cli.main()


if __name__ == "__main__":
    main()
