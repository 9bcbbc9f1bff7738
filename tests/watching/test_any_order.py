"""Whatever people, runs and kills do, in any order: nothing is lost, nothing runs twice, all outcomes are put away."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dubline.watching.folder import is_video
from dubline.watching.ledger import Ledger
from dubline.watching.local import LocalFolder
from dubline.watching.runs import Submission, Submitted
from tests.watching.shed import PATIENCE_S, STILL_S, FakeRuns, Run, Shed

NAMES = st.sampled_from(["a.mp4", "b.mp4", "c.mkv"])
CONTENTS = st.sampled_from([b"one END", b"two END"])
LANGUAGES = st.sampled_from([None, "fr"])
NOT_KILLED = 10**6


class Killed(BaseException):
    """Like SIGKILL: nothing of the watcher's runs after it."""


@contextmanager
def killed_after(steps: int) -> Iterator[None]:
    """Die at the n-th change to the folder, the ledger or the orchestrator, half of them before, half after it."""
    left = steps

    def fatal(original):
        def step(*arguments, **options):
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed
            return original(*arguments, **options)

        return step

    with (
        patch.object(LocalFolder, "move", fatal(LocalFolder.move)),
        patch.object(LocalFolder, "move_video", fatal(LocalFolder.move_video)),
        patch.object(LocalFolder, "move_aside", fatal(LocalFolder.move_aside)),
        patch.object(LocalFolder, "write", fatal(LocalFolder.write)),
        patch.object(LocalFolder, "claim", fatal(LocalFolder.claim)),
        patch.object(LocalFolder, "remove", fatal(LocalFolder.remove)),
        patch.object(LocalFolder, "link", fatal(LocalFolder.link)),
        patch.object(Ledger, "_execute", fatal(Ledger._execute)),
        suppress(Killed),
    ):
        yield


class CountingRuns(FakeRuns):
    """Knows which runs there were for each content and its options, and never lets two be under way."""

    def __init__(self) -> None:
        super().__init__()
        self.attempts: dict[str, list[Run]] = {}
        self.retried: list[Run] = []
        """Failed once, then ended well; until somebody looks, the ledger knows of the failure only."""
        self.die = ""

    async def submit(self, submission: Submission) -> Submitted:
        if self.die == "before":
            raise Killed
        new = submission.key not in self.by_key
        run = await super().submit(submission)
        if new:
            earlier = self.attempts.setdefault(submission.key.rpartition("-")[0], [])
            ended = [other.standing.succeeded is False or other in self.retried for other in earlier]
            assert all(ended), "submitted twice"
            earlier.append(self.by_key[run.run])
        if self.die == "after":
            raise Killed
        return run


class DroppedVideos(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.base = Path(tempfile.mkdtemp(prefix="dubline-watch-"))
        self.shed = Shed(self.base)
        self.shed.runs = self.runs = CountingRuns()
        self.both = (self.shed.looks, self.shed.new_looks())
        self.losses = 0
        self.forgotten: list[Run] = []
        """Failed in the time of a ledger that was lost: nobody follows them any more."""
        self.wanted: Counter[bytes] = Counter()
        """Content -> how many files with it the people have put here and not taken away."""

    def teardown(self) -> None:
        try:
            self.ends_well()
        finally:
            shutil.rmtree(self.base)

    @rule(name=NAMES, content=CONTENTS, language=LANGUAGES)
    def drop(self, name: str, content: bytes, language: str | None) -> None:
        self.delete(name)
        self.wanted[content] += 1
        self.shed.drop(name, content, **({"languages": [language]} if language else {}))

    @rule(name=NAMES, content=CONTENTS)
    def drop_half(self, name: str, content: bytes) -> None:
        self.delete(name)
        self.wanted[content[:-2]] += 1
        self.shed.drop(name, content[:-2])

    @rule(name=NAMES)
    def grow(self, name: str) -> None:
        path = self.shed.root / name
        if path.exists() and not path.read_bytes().endswith(b"END"):
            self.wanted[path.read_bytes()] -= 1
            path.write_bytes(path.read_bytes() + b"ND")
            self.wanted[path.read_bytes()] += 1

    @rule(name=NAMES, other=NAMES)
    def rename(self, name: str, other: str) -> None:
        path = self.shed.root / name
        if path.exists() and name != other:
            self.delete(other)
            for ending in ("", ".yaml"):
                with suppress(FileNotFoundError):
                    path.with_name(name + ending).rename(self.shed.root / (other + ending))

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        path = self.shed.root / name
        if path.exists():
            self.wanted[path.read_bytes()] -= 1
            path.unlink()
        path.with_name(name + ".yaml").unlink(missing_ok=True)

    @rule(data=st.data())
    def drop_a_failed_one_again(self, data: st.DataObject) -> None:
        failed = [name for name in self.shed.listed("failed") if is_video(name)]
        if failed:
            name = data.draw(st.sampled_from(failed))
            self.delete(name)
            for ending in ("", ".yaml"):
                with suppress(FileNotFoundError):
                    (self.shed.root / "failed" / (name + ending)).rename(self.shed.root / (name + ending))

    @rule(data=st.data(), how=st.sampled_from(["succeed", "fail", "retry"]))
    def end_a_run(self, data: st.DataObject, how: str) -> None:
        wanted = False if how == "retry" else None
        runs = [run for run in self.runs.all if run.standing.succeeded is wanted]
        if how == "retry":  # by a person, in the UI; it finds its video only where that was not dropped again
            runs = [run for run in runs if self._last(run) and Path(run.submission.video).exists()]
            runs = [run for run in runs if run not in self.forgotten]
        if runs:
            run = data.draw(st.sampled_from(runs))
            self.runs.retried += [run] if how == "retry" else []
            self.runs.fail(run) if how == "fail" else self.runs.succeed(run)

    def _last(self, run: Run) -> bool:
        return any(attempts[-1] is run for attempts in self.runs.attempts.values())

    @rule(
        who=st.integers(0, 1),
        thorough=st.booleans(),
        patient=st.booleans(),
        killed=st.one_of(st.none(), st.integers(0, 12)),
        submitting=st.sampled_from(["", "", "before", "after"]),
    )
    def look(self, who: int, thorough: bool, patient: bool, killed: int | None, submitting: str) -> None:
        self.shed.now += PATIENCE_S if patient else STILL_S
        self.runs.die = submitting
        with killed_after(NOT_KILLED if killed is None else killed + 1):  # the first step makes the table
            asyncio.run(self.shed.tick(thorough=thorough, looks=self.both[who]))
        self.runs.die = ""

    @rule(thorough=st.booleans())
    def look_undisturbed(self, thorough: bool) -> None:
        self.look(0, thorough, False, None, "")

    @rule()
    def look_twice(self) -> None:
        self.look(1, False, False, None, "")
        self.look(1, False, False, None, "")

    @rule(name=NAMES, content=CONTENTS, steps=st.integers(1, 8), submitting=st.sampled_from(["", "before", "after"]))
    def die_while_taking_in(self, name: str, content: bytes, steps: int, submitting: str) -> None:
        self.drop(name, content, None)
        self.look(0, False, False, None, "")
        self.look(0, False, False, NOT_KILLED if submitting else steps, submitting)

    @rule()
    def lose_the_ledger(self) -> None:
        if self.runs.retried:  # that a failed run was retried only the ledger tells
            self.look(0, True, False, None, "")
        self.losses += 1
        self.forgotten += [run for run in self.runs.all if run.standing.succeeded is False]
        self.shed.database = f"sqlite:///{self.base / f'ledger-{self.losses}.db'}"
        self.look(0, True, False, None, "")

    @rule(steps=st.integers(1, 10), how=st.sampled_from(["succeed", "fail"]))
    def die_while_putting_away(self, steps: int, how: str) -> None:
        for run in self.runs.all:
            if run.standing.succeeded is None:
                self.runs.fail(run) if how == "fail" else self.runs.succeed(run)
        self.look(0, False, False, steps, "")

    @invariant()
    def nothing_is_lost(self) -> None:
        assert Counter(self.shed.videos()) == +self.wanted

    def ends_well(self) -> None:
        """Let everything come to its end, without kills: all is in done/ or failed/, every failure with its reason."""
        for _ in range(4):
            self.look(0, True, True, None, "")
            for run in self.runs.all:
                if run.standing.succeeded is None:
                    self.runs.succeed(run)
        self.nothing_is_lost()
        assert not self.shed.waiting()
        assert not [name for name in self.shed.listed() if is_video(name)]
        for place, told in (("failed", ".reason.txt"), ("done", ".note.txt"), ("", ".reason.txt")):
            names = self.shed.listed(place)
            # Where a kill tore a sidecar from its video, only the ledger knows where the other is.
            for ending in (told,) if self.losses else (".yaml", told):
                beside = {name.removesuffix(ending) for name in names if name.endswith(ending)}
                assert beside <= set(names), f"{ending} without its video in {place}/"
        for name in filter(is_video, self.shed.listed("failed")):
            assert (self.shed.root / f"failed/{name}.reason.txt").exists()
        finished = [run for run in self.runs.all if run.standing.succeeded]
        results = [path.parent for path in (self.shed.root / "done").glob("*/dub.mp4")]
        assert sorted(path.joinpath("dub.mp4").read_text() for path in results) == sorted(
            run.submission.key for run in finished
        )


DroppedVideos.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # to shrink a failure takes minutes
)
TestAnyOrder = DroppedVideos.TestCase
