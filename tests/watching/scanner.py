"""A scanner in a process of its own: looks at a folder until nothing is left to take in. Its runs are files."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from dubline.watching.ledger import Ledger
from dubline.watching.local import LocalFolder
from dubline.watching.options import Options
from dubline.watching.ready import Looks
from dubline.watching.runs import Standing, Submission, Submitted
from dubline.watching.watcher import Watcher


class FileRuns:
    """A run is a file with its key's name, so that two processes see the same runs."""

    def __init__(self, place: Path) -> None:
        self._place = place

    async def submit(self, submission: Submission) -> Submitted:
        (self._place / submission.key).touch()
        with (self._place.parent / "submissions").open("a", encoding="utf-8") as log:
            log.write(f"{submission.name}\n")
        return Submitted(submission.key)

    async def standings(self, runs: Sequence[str]) -> Mapping[str, Standing]:
        return {run: Standing(None) for run in runs}


async def scan(root: Path, database: str, runs: Path) -> None:
    async with Ledger.opened(database) as ledger:
        options = Options(languages=("es",))
        watcher = Watcher(LocalFolder(root), ledger, FileRuns(runs), Looks(0.05, 60), options, accept=lambda _: None)
        while list(root.glob("*.mp4")):
            await watcher.tick()
            await asyncio.sleep(0.1)


if __name__ == "__main__":
    asyncio.run(scan(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])))
