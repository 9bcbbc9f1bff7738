"""What the fault tests stand on does what they believe of it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dubline import publication
from dubline.publication import Folder, Manifest
from dubline.stages import CHOOSING, ORDERING, STAGES
from dubline.storage.artifacts import sha256_of
from tests import forked
from tests.faults import strikes
from tests.faults.invariants import Aftermath, violations
from tests.faults.ledger import Ledger
from tests.faults.storm import Outcome, Plan, _at_work

ROOT = Path(__file__).parent.parent
RUN = "0c7"
Event = dict[str, Any]


@pytest.mark.parametrize("processes", [(), ("--numprocesses", "2")])
def test_the_storms_seed_is_shown(processes: tuple[str, ...]) -> None:
    collected = [sys.executable, "-m", "pytest", "--collect-only", *processes, "tests/domain/test_time.py"]
    environment = os.environ | {"DUBLINE_STORM_SEED": "4711"}
    done = subprocess.run(collected, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "DUBLINE_STORM_SEED=4711" in done.stdout.splitlines()[0]


def test_a_forked_run_that_takes_too_long_is_killed_and_the_next_one_is_not() -> None:
    assert forked.run(["--help"], os.environ, timeout_s=0.001).returncode == -signal.SIGKILL
    assert forked.run(["--help"], os.environ).returncode == 0


def test_every_stage_is_struck() -> None:
    of_some = {*CHOOSING, *ORDERING}
    assert {*strikes.PLAIN, *strikes.MENDED, *of_some} == {x for x in STAGES if not x.startswith("check-")}
    assert len(strikes.POINTS) == 3 * len({*strikes.PLAIN, *strikes.MENDED})


def test_memory_runs_out_for_real() -> None:
    with pytest.raises(MemoryError):
        strikes._act("memory", Path())
    assert len(bytearray(2 * strikes.MEMORY_LEFT)) == 2 * strikes.MEMORY_LEFT, "and is there again"


@pytest.mark.parametrize("videos", [6, 20])
def test_a_storm_strikes_where_something_is_to_be_struck(videos: int) -> None:
    stack = SimpleNamespace(postgres="postgres", redis="redis", s3="s3", server="server", workers=["one", "other"])
    clips = [f"clip-{number}" for number in range(videos)]
    for seed in range(300):
        twice = [random.Random(seed) for _ in range(2)]  # noqa: S311 - no secret
        plan, again = (Plan.made(SimpleNamespace(stack=stack), clips, chance) for chance in twice)
        assert plan == again, "the seed replays"
        assert len(set(plan.killed.values())) == len(plan.killed) == videos // 2
        assert len(plan.victims) == len(plan.held) == 5
        assert not [clip for clip, stage in plan.held.items() if plan.killed.get(clip, ("",))[0] == stage]


def test_a_kill_that_meets_no_run_is_told() -> None:
    history = [{"type": kind, "timestamp": f"1970-01-01T00:00:{at}Z"} for kind, at in (("RUNNING", 10), ("FAILED", 20))]
    assert [_at_work(history, at) for at in (5.0, 15.0, 25.0)] == [False, True, False]
    assert not Outcome(1, 6, (), 1.0, (), ("kill redis",), ()).clean
    assert Outcome(1, 6, ("kill redis",), 1.0, (), (), ()).clean


def event(kind: str, key: str | None = "mix/1", run: str = RUN, pid: int = 1, at: float = 10.0, **more: str) -> Event:
    stage = {"stage": key.partition("/")[0] if key else "publish"} if kind in ("begun", "finished") else {}
    output = {"output": "a1"} if kind in ("recording", "committed") else {}
    return {"event": kind, "key": key, "run": run, "pid": pid, "at": at, **stage, **output, **more}


def states(*names: str) -> list[dict[str, str]]:
    kinds = {"AwaitingRetry": "SCHEDULED", "Quarantined": "FAILED"}
    at = "1970-01-01T00:00:20Z"
    return [{"name": name, "type": kinds.get(name, name.upper()), "timestamp": at} for name in names]


LIVED = states("Scheduled", "Pending", "Running", "Completed")
MIXED = [event("begun"), event("finished"), event("recording"), event("committed")]
PUBLISHED = [event("begun", None), event("finished", None)]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder of results."""
    manifest = Manifest(
        key="k", source="s", source_sha256="0", source_language="en", duration_ms=1, dubbed_track=1, dubs=(), files=()
    )
    with Folder(tmp_path / "talk") as folder:
        folder.add("video", "talk.es.mp4", "a video")
        folder.add("report-json", "report.json", "{}")
        folder.commit(manifest)
    return folder.folder


def aftermath(out: Path, *events: Event, calm: str = "a video", **more: Any) -> Aftermath:
    """One in which all holds, `more` aside."""
    calm_file = out.parent / "calm"
    calm_file.write_text(calm)
    known = {"histories": {RUN: LIVED}, "stages": ("mix", "publish"), **more}
    ledger = Ledger(events or (*MIXED, *PUBLISHED))
    return Aftermath(ledger, [out], {"talk": {"talk.es.mp4": sha256_of(calm_file)}}, **known)


def spoil(name: str, content: str | None) -> Callable[[Path], None]:
    def spoiled(out: Path) -> None:
        (out / name).unlink(missing_ok=True)
        if content is not None:
            (out / name).write_text(content)

    return spoiled


def test_the_checker_finds_nothing_where_all_holds(out: Path) -> None:
    assert violations(aftermath(out)) == []
    taken_up = ("Scheduled", "Running", "Crashed", "Crashed", "AwaitingRetry", "Running", "Failed", "AwaitingRetry")
    assert violations(aftermath(out, *MIXED[:-1], *PUBLISHED)) == [], "died between the record and its line"
    cancelled = states("Running", "Cancelling", "Crashed", "Cancelled")
    quarantined = states("Running", "Crashed", "Quarantined")
    for history in (LIVED, states(*taken_up, "Running", "Completed"), quarantined, cancelled):
        assert violations(aftermath(out, histories={RUN: history})) == []


LEDGERS = {
    "recorded twice": [*MIXED, event("committed"), *PUBLISHED],
    "recorded twice: mix/1": [event("begun"), event("begun"), event("committed"), event("committed"), *PUBLISHED],
    "mix began again, though recorded": [*MIXED, event("begun", run="another"), *PUBLISHED],
    "recorded with different contents: mix/1": [*MIXED, event("recording", output="b2"), *PUBLISHED],
    "recorded with different contents": [*MIXED, event("committed", output="b2"), *PUBLISHED],
    "mix was done 0 times for 1 videos": [event("begun"), *PUBLISHED],
    "publish was done 0 times for 1 videos": MIXED,
    "went on after its end": [*MIXED, *PUBLISHED, event("begun", "mux/1", at=21.0)],
}


@pytest.mark.parametrize("fault", LEDGERS)
def test_the_checker_notices_a_faulty_ledger(out: Path, fault: str) -> None:
    histories = {RUN: states("Running", "Cancelled")}
    found = violations(aftermath(out, *LEDGERS[fault], histories=histories))
    assert any(fault in one for one in found), found
    assert violations(aftermath(out, *MIXED, *PUBLISHED, histories=histories)) == []


def test_the_checker_notices_an_empty_ledger(out: Path) -> None:
    left = Aftermath(Ledger(()), [out], aftermath(out).undisturbed)
    assert len(violations(left)) == len(strikes.PLAIN)


def test_two_processes_at_one_stage_may_both_record_it_but_not_differently(out: Path) -> None:
    begun = [event("begun"), event("begun", pid=2), event("committed"), *PUBLISHED]
    raced = [*begun, event("committed", pid=2)]
    assert violations(aftermath(out, *raced, raced=True)) == []
    assert violations(aftermath(out, *raced))
    assert violations(aftermath(out, *begun, event("committed", pid=2, output="b2"), raced=True))
    late = [*begun, event("begun", pid=2), event("committed", pid=2)]
    assert len(violations(aftermath(out, *late, raced=True))) == 2
    both = {"histories": {RUN: states("Running", "Completed", "Completed")}}
    assert violations(aftermath(out, raced=True, **both)) == []
    other = [*begun, event("begun", pid=2, run="another"), event("committed", pid=2, run="another")]
    assert violations(aftermath(out, *other, raced=True)) == []
    assert len(violations(aftermath(out, *other))) == 2
    much_later = [event("begun"), event("committed"), *PUBLISHED, event("begun", pid=2, run="another", at=30.0)]
    assert len(violations(aftermath(out, *much_later, raced=True))) == 1, "it would have found the record"


HISTORIES = {
    "was Completed and then Failed": states("Running", "Completed", "Failed"),
    "was Completed and then Completed": states("Running", "Completed", "Completed"),
    "was Cancelled and then AwaitingRetry": states("Running", "Cancelled", "AwaitingRetry", "Running", "Completed"),
    "was Crashed and then Completed": states("Running", "Crashed", "Completed"),
    "was Completed and then Quarantined": states("Running", "Completed", "Quarantined"),
    "never ended: ['Running']": states("Running"),
    "never ended: ['Running', 'Crashed']": states("Running", "Crashed"),
    "never ended: []": [],
}


@pytest.mark.parametrize("fault", HISTORIES)
def test_the_checker_notices_a_run_that_does_not_end_once(out: Path, fault: str) -> None:
    found = violations(aftermath(out, histories={RUN: HISTORIES[fault]}))
    assert found == [f"{RUN} {fault}"]


FILES = {
    "not what the manifest says: talk.es.mp4": spoil("talk.es.mp4", "another video"),
    "not what an undisturbed run publishes: talk.es.mp4": spoil("talk.es.mp4", None),
    "not what the manifest says: report.json": spoil("report.json", "[]"),
    "a file that no manifest names: .partial-1": spoil(".partial-1", ""),
    "a file that no manifest names: talk.fr.mp4": spoil("talk.fr.mp4", "from elsewhere"),
    "there is no manifest": spoil(publication.MANIFEST, None),
}


@pytest.mark.parametrize("fault", FILES)
def test_the_checker_notices_faulty_results(out: Path, fault: str) -> None:
    FILES[fault](out)
    assert f"talk: {fault}" in violations(aftermath(out))


def left_over() -> Iterator[tuple[str, dict[str, Any]]]:
    yield "a process is left: ffmpeg", {"processes": ["ffmpeg"]}
    yield "an upload is left: store/x", {"uploads": ["store/x"]}
    yield "a temporary file is left: tmp/x", {"temporary": [Path("tmp/x")]}
    yield f"{RUN} went on after its end", {"deleted": {RUN: 5.0}}


@pytest.mark.parametrize(("fault", "left"), left_over())
def test_the_checker_notices_what_is_left(out: Path, fault: str, left: dict[str, Any]) -> None:
    assert any(one.startswith(fault) for one in violations(aftermath(out, **left)))


def test_the_checker_compares_with_an_undisturbed_run(out: Path) -> None:
    found = violations(aftermath(out, calm="another video"))
    assert found == ["talk: not what an undisturbed run publishes: talk.es.mp4"]
