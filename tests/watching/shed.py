"""A watched folder with everything around it made up: clock, orchestrator, and what counts as a video."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dubline.domain.errors import InvalidMedia, ServiceUnavailable
from dubline.storage.artifacts import local_path
from dubline.storage.results import ArtifactRef
from dubline.watching.folder import is_video
from dubline.watching.following import Told
from dubline.watching.ledger import Ledger
from dubline.watching.local import LocalFolder
from dubline.watching.options import Options
from dubline.watching.outcome import TAKEN
from dubline.watching.ready import Looks
from dubline.watching.runs import Standing, Submission, Submitted
from dubline.watching.watcher import Watcher

STILL_S, PATIENCE_S = 5.0, 60.0
WHOLE = b"END"
"""What a complete video ends with here."""


def accept(file: ArtifactRef) -> None:
    if not local_path(file).read_bytes().endswith(WHOLE):
        raise InvalidMedia("It looks truncated; copy it again.")


@dataclass
class Run:
    submission: Submission
    standing: Standing = field(default_factory=lambda: Standing(None))


class FakeRuns:
    """An orchestrator that remembers runs by their keys, as Prefect does."""

    def __init__(self) -> None:
        self.by_key: dict[str, Run] = {}
        self.down = False

    async def submit(self, submission: Submission) -> Submitted:
        if self.down:
            raise ServiceUnavailable("Nobody answers.")
        if submission.key not in self.by_key:
            assert Path(submission.video).exists()
            self.by_key[submission.key] = Run(submission)
        return Submitted(submission.key, self.by_key[submission.key].standing)

    async def standings(self, runs: Sequence[str]) -> Mapping[str, Standing]:
        return {run: self.by_key[run].standing for run in runs if run in self.by_key}

    @property
    def all(self) -> list[Run]:
        return list(self.by_key.values())

    def succeed(self, run: Run) -> None:
        out = Path(run.submission.out)
        out.mkdir(parents=True, exist_ok=True)
        (out / "dub.mp4").write_text(run.submission.key, encoding="utf-8")
        run.standing = Standing(True)

    def fail(self, run: Run, message: str = "A gate failed.") -> None:
        run.standing = Standing(False, message)


class Shed:
    """The folder `root`, and any number of looks at it. Time passes only when it is told to."""

    def __init__(self, base: Path) -> None:
        self.root = base / "videos"
        self.root.mkdir(parents=True)
        self.database = f"sqlite:///{base / 'ledger.db'}"
        self.runs = FakeRuns()
        self.now = 0.0
        self.looks = self.new_looks()
        self.defaults = Options(languages=("es",))
        self.owner_s = -1.0

    def new_looks(self) -> Looks:
        return Looks(STILL_S, PATIENCE_S, clock=lambda: self.now, now=lambda: 0.0)

    def drop(self, name: str, content: bytes = b"video END", **sidecar: object) -> Path:
        path = self.root / name
        path.write_bytes(content)
        if sidecar:
            path.with_name(name + ".yaml").write_text(json.dumps(sidecar), encoding="utf-8")
        return path

    async def tick(self, *, thorough: bool = False, looks: Looks | None = None) -> Told:
        async with Ledger.opened(self.database) as ledger:
            folder, looks = LocalFolder(self.root), looks or self.looks
            watcher = Watcher(folder, ledger, self.runs, looks, self.defaults, accept, self.owner_s)
            return await watcher.tick(thorough=thorough)

    async def take_in(self) -> Told:
        """Two looks, far enough apart."""
        await self.tick()
        self.now += STILL_S
        return await self.tick()

    def listed(self, place: str = "") -> list[str]:
        """Everything in a folder, as the user's file manager shows it."""
        folder = self.root / place
        return sorted(path.name for path in folder.iterdir() if path.name[0] != ".") if folder.is_dir() else []

    def videos(self) -> list[bytes]:
        """The content of every video there is, wherever it is now."""
        files = [path for path in self.root.rglob("*") if is_video(path.name) and path.parent.name != "out"]
        return sorted(p.read_bytes() for p in files if p.is_file() and not p.is_symlink() and p.name != "dub.mp4")

    def waiting(self) -> list[Path]:
        """Files in working folders, but for what these say of themselves."""
        files = [path for path in (self.root / ".dubline").rglob("*") if path.is_file() and not path.is_symlink()]
        return [path for path in files if path.name != TAKEN]
