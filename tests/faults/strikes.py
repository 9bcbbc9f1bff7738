"""Faults at named points: a stage (`transcribe`, `synthesize-es`), a moment of it, and what happens there.

Moments: `before` (the stage has begun), `during` (it told that it is under way, or is about to store its first
artifact; of `ingest`, its video is known and not looked into yet; of `publish`, the first file is renamed and the next
is not), `putting` (of `publish` to a bucket, the first file is there and the next is not), `checking` (of a gate, its
verdict is found, in the process that checks it, and not told yet), `after` (it is done, its checkpoint is not recorded
yet). A strike is an empty file `STAGE@MOMENT@ACTION@NUMBER` in a folder; the first process that gets there takes the
file away, and with it the fault, so each happens once. What is held goes on at `release`.
"""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any

from dubline.stages import CHOOSING, MENDING, ONCE, ORDERING
from dubline.stages import STAGES as VERSIONS
from dubline.telemetry import progress
from dubline.telemetry.progress import Event, StageProgress

BURNING = "burn-in"
PLAIN = tuple(
    stage
    for stage in VERSIONS
    if not stage.startswith("check-") and stage not in {*CHOOSING, *ORDERING, *MENDING, BURNING}
)
"""Stages of every video, as `dubline.stages` names them. Without the gates: a lost verdict costs a moment."""
MENDED = tuple(stage for stage in VERSIONS if stage in MENDING or stage == BURNING)
"""Stages of a video that a person edited, with subtitles in its picture."""


def _spanish(stages: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(stage if stage in ONCE else f"{stage}-es" for stage in stages)


STAGES, ASKED_FOR = _spanish(PLAIN), _spanish(MENDED)
EVERY = _spanish(tuple(stage for stage in VERSIONS if stage in (*PLAIN, *MENDED)))
"""Of both kinds, in their order."""
MOMENTS = ("before", "during", "after")
POINTS = tuple((stage, moment) for stage in EVERY for moment in MOMENTS)
"""Every stage and moment of a video that goes to a folder."""
PYTHONPATH = os.pathsep.join(map(str, (Path(__file__).parent / "site", Path(__file__).parent.parent.parent)))
"""Python processes with this, and with a folder of strikes as DUBLINE_STRIKES, come by them."""
MEMORY_LEFT = 64 << 20
"""Bytes that a process short of memory may still take."""
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
    _armed.enter_context(progress.listening(lambda event: _heard(Path(folder), event)))


def _heard(folder: Path, event: Event) -> None:
    if isinstance(event, StageProgress) and event.state in ("running", "done"):
        _watch_files(folder)
        begun = "before" if event.fraction == 0 else "during"
        come_by(folder, event.stage, "after" if event.state == "done" else begun)


def come_by(folder: Path, stage: str, moment: str) -> None:
    """Have happen what lies there, if anything does."""
    for path in sorted(folder.glob(f"{stage}@{moment}@*")):
        try:
            path.unlink()
        except FileNotFoundError:
            continue  # another process was first
        _act(path.name.split("@")[2], folder / f"{stage} goes on")
        return


def release(folder: Path, stage: str) -> None:
    """Let the stage go on that was held there."""
    (folder / f"{stage} goes on").touch()


def _act(action: str, released: Path) -> None:
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "freeze":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif action == "memory":
        _run_out_of_memory()
    elif action == "hang":
        time.sleep(3600)
    elif action == "hold":
        while not released.exists():
            time.sleep(0.1)
    else:
        raise ValueError(f"no such strike: {action}")


def _run_out_of_memory() -> None:
    """Ask for more memory than the kernel gives; then there is some again, as when others are done with theirs."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    taken = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY_LEFT, before[1]))
    try:
        bytearray(2 * MEMORY_LEFT)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@lru_cache(maxsize=1)
def _watch_files(folder: Path) -> None:
    """From the first stage on: what this imports, every process would have to, however short its life."""
    import tasks.ingest
    from dubline import outputs
    from dubline.storage.artifacts import ArtifactStore

    def stage() -> str:
        return progress._stage.get()  # of the thread that stores the file

    def first(body: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(body)
        def struck(*args: Any) -> Any:
            come_by(folder, stage(), "during")
            return body(*args)

        return struck

    rename, put = Path.replace, outputs._put

    def renamed(path: Path, target: Path) -> Path:
        final = rename(path, target)
        if any(part.startswith(".partial-") for part in path.parts):
            come_by(folder, stage(), "during")
        return final

    ArtifactStore.adopt = first(ArtifactStore.adopt)
    tasks.ingest.take_in = first(tasks.ingest.take_in)
    Path.replace = renamed
    outputs._put = lambda staged, names, to: put(staged, names, _Putting(folder, to))


class _Putting:
    """A place that results are put in, and struck between them."""

    def __init__(self, folder: Path, place: Any) -> None:
        self._folder, self._place = folder, place

    def __getattr__(self, name: str) -> Any:
        return getattr(self._place, name)

    def upload(self, path: Path, key: str) -> None:
        self._place.upload(path, key)
        come_by(self._folder, "publish", "putting")
