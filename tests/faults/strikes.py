"""Faults at named points: a stage (`transcribe`, `synthesize-es`), a moment of it, and what happens there.

Moments: `before` (the stage has begun), `during` (it told that it is under way), `after` (it is done, its checkpoint is
not recorded yet). A strike is an empty file `STAGE@MOMENT@ACTION@NUMBER` in a folder; the first process that gets there
takes the file away, and with it the fault, so each happens once.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack
from pathlib import Path

from dubline.telemetry import progress
from dubline.telemetry.progress import Event, StageProgress

STAGES = (
    "ingest",
    "extract-audio",
    "transcribe",
    "diarize",
    "separate",
    "attribute",
    "subtitle-source",
    "translate-es",
    "plan-speech-es",
    "synthesize-es",
    "retake-es",
    "place-es",
    "subtitle-es",
    "mix-es",
    "mux-es",
    "publish",
)
ASKED_FOR = ("mend-source", "translate-again-es", "mend-lines-es", "mend-plan-es", "speak-again-es", "burn-in-es")
"""Stages of a video whose source a person edited, with subtitles in its picture."""
REPORTING = (
    *("extract-audio", "transcribe", "diarize", "separate", "translate-es", "synthesize-es", "mix-es", "mux-es"),
    *("translate-again-es", "speak-again-es", "burn-in-es"),
)
"""Stages that tell when they are under way."""

POINTS = tuple(
    (stage, moment)
    for stage in (*STAGES, *ASKED_FOR)
    for moment in ("before", "during", "after")
    if moment != "during" or stage in REPORTING
)
"""Every stage and moment. The gates between them are left out: a lost verdict costs a moment."""
PYTHONPATH = os.pathsep.join(map(str, (Path(__file__).parent / "site", Path(__file__).parent.parent.parent)))
"""Python processes with this, and with a folder of strikes as DUBLINE_STRIKES, come by them."""
_armed = ExitStack()


def place(folder: Path, stage: str, moment: str, action: str = "kill", times: int = 1) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(times):
        (folder / f"{stage}@{moment}@{action}@{number}").touch()


def left(folder: Path) -> list[str]:
    """Strikes that nobody came by."""
    return sorted(path.name for path in folder.glob("*@*"))


def arm(folder: str) -> None:
    """Watch this process's stages for as long as it lives."""
    _armed.enter_context(progress.listening(lambda event: _strike(Path(folder), event)))


def _strike(folder: Path, event: Event) -> None:
    if not isinstance(event, StageProgress) or event.state not in ("running", "done"):
        return
    begun = "before" if event.fraction == 0 else "during"
    moment = "after" if event.state == "done" else begun
    for path in sorted(folder.glob(f"{event.stage}@{moment}@*")):
        try:
            path.unlink()
        except FileNotFoundError:
            continue  # another process was first
        _act(path.name.split("@")[2])
        return


def _act(action: str) -> None:
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "freeze":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif action == "memory":
        raise MemoryError("no memory is left, says the test")
    elif action == "hang":
        time.sleep(3600)
    else:
        raise ValueError(f"no such strike: {action}")
