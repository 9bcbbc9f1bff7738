"""A seeded storm: many videos over the workers while workers, database, Redis and store are killed at random.

    python -m tests.faults.storm --videos 20 --seed 7

The seed is printed; the same seed plans the same faults (when they meet the runs differs from machine to machine).
Writes bench/results/storm.json.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from infra.process import Process
from tests.faults import strikes
from tests.faults.invariants import violations
from tests.faults.rig import Rig
from tests.pipeline.workshop import ROOT
from tests.waiting import until

RESULTS = ROOT / "bench" / "results" / "storm.json"
CALM_S = 15.0
"""Between two faults of the servers."""
LOOK_S = 10.0
"""Between two looks for lost runs."""
SPOILED = ("unavailable", "drop", "flip", "flip-request")
"""What may happen to a request to the store (tests.fault_proxy)."""
SIDE_BY_SIDE = ("transcribe", "diarize", "separate", "subtitle-es", "mix-es")
ALONE = tuple(stage for stage in strikes.STAGES if stage not in SIDE_BY_SIDE)
"""Stages that may hold a video: no strike at another stage kills its process meanwhile."""
POINTS = tuple((stage, moment) for stage in strikes.STAGES for moment in strikes.MOMENTS)


@dataclass(frozen=True)
class Outcome:
    seed: int
    videos: int
    faults: tuple[str, ...]
    seconds: float
    unfinished: tuple[str, ...]
    unstruck: tuple[str, ...]
    """Faults that met nothing: points that no process came by, servers that were killed while no run was under way."""
    violations: tuple[str, ...]
    """What does not hold of what must (tests.faults.invariants)."""

    @property
    def clean(self) -> bool:
        return not (self.unfinished or self.unstruck or self.violations)


@dataclass(frozen=True)
class Plan:
    """What the seed decides."""

    killed: Mapping[str, tuple[str, str]]
    """Video -> stage and moment in which its process is killed. One each: a video that kills its process again and
    again is quarantined."""
    victims: tuple[Process, ...]
    """In this order. Each is killed, and started again some seconds later."""
    held: Mapping[str, str]
    """Video -> the stage that holds it until a server is killed; as many as there are victims."""

    @classmethod
    def made(cls, rig: Rig, clips: Sequence[str], chance: random.Random) -> Plan:
        stack = rig.stack
        victims = [stack.postgres, stack.redis, chance.choice(stack.workers), stack.s3, stack.server]
        chance.shuffle(victims)
        points = chance.sample(POINTS, k=max(2, len(clips) // 2))
        killed = dict(zip(chance.sample(clips, k=len(points)), points, strict=True))
        held = {
            wave[0]: chance.choice([stage for stage in ALONE if stage != killed.get(wave[0], ("",))[0]])
            for wave in waves(clips, len(victims))
        }
        return cls(killed, tuple(victims), held)


def waves(clips: Sequence[str], count: int) -> list[Sequence[str]]:
    """The videos in so many parts, none of them empty. There must be enough of them."""
    return [clips[number::count] for number in range(count)]


def run(
    rig: Rig,
    videos: int,
    seed: int,
    *,
    calm_s: float = CALM_S,
    patience: Mapping[str, float] | None = None,
    timeout_s: float = 1500,
) -> Outcome:
    """Submit the videos in waves, let the storm pass, wait for every run to end, and check what must hold.

    `patience` are limits for those who look after lost runs (`Rig.revive`), other than the usual.
    """
    rig.begin_ledger()
    chance = random.Random(seed)  # noqa: S311 - no secret
    clips = [rig.video(f"storm-{seed}-{number}") for number in range(videos)]
    plan = Plan.made(rig, [clip.stem for clip in clips], chance)
    began = time.monotonic()
    runs: dict[str, str] = {}
    over = threading.Event()
    reviver = threading.Thread(target=_revive, args=(rig, over, patience or {}))
    reviver.start()
    try:
        killed_at = [
            _strike_server(rig, victim, plan, wave, runs, chance, calm_s)
            for victim, wave in zip(plan.victims, waves([clip.stem for clip in clips], len(plan.victims)), strict=True)
        ]
        unfinished = _ended(rig, runs, began + timeout_s)
    finally:
        rig.proxy.clear()
        over.set()
        reviver.join()
    seconds = time.monotonic() - began
    if not unfinished:
        rig.none_left()
    rig.reap()
    histories = {name: rig.history(run) for name, run in runs.items()}
    missed = [
        f"kill {victim.name}"
        for victim, at in zip(plan.victims, killed_at, strict=True)
        if not any(_at_work(history, at) for history in histories.values())
    ]
    done = [clip for clip in clips if clip.stem not in unfinished]
    return Outcome(
        seed,
        videos,
        (
            *(f"kill at {stage} {moment}" for stage, moment in plan.killed.values()),
            *(f"kill {victim.name}" for victim in plan.victims),
            *(f"store: {fault}" for fault in rig.proxy.spoiled),
        ),
        round(seconds, 1),
        tuple(unfinished),
        (*missed, *(strike for name in runs for strike in strikes.left(_lain(rig, name)))),
        tuple(violations(rig.aftermath(*done, runs=runs.values()))),
    )


def _lain(rig: Rig, name: str) -> Path:
    return Path(rig.lain_in_wait(name)["DUBLINE_STRIKES"])


def _strike_server(
    rig: Rig,
    victim: Process,
    plan: Plan,
    wave: Sequence[str],
    runs: dict[str, str],
    chance: random.Random,
    calm_s: float,
) -> float:
    """Submit some more videos, kill the server while one of them is in the middle of a stage, and start it again.

    Returns the time (epoch, s) of the kill. The store errs besides.
    """
    # One flip at most lies in wait: the same wrong content twice is damage where it lies, and is computed again.
    rig.proxy.clear()
    rig.proxy.spoil(*chance.sample(SPOILED, k=3), "unavailable")
    for name in wave:
        struck = rig.lain_in_wait(name, *filter(None, [plan.killed.get(name)]))
        if name in plan.held:
            rig.lain_in_wait(name, (plan.held[name], "before"), action="hold")
        runs[name] = rig.submit(rig.root / "videos" / f"{name}.mp4", **struck)
    (held,) = [name for name in wave if name in plan.held]
    time.sleep(calm_s * chance.uniform(0.6, 1.4))
    until(lambda: not list(_lain(rig, held).glob("*@hold@*")) or _given_up(rig.state(runs[held])))
    at = time.time()
    victim.kill()
    strikes.release(_lain(rig, held), plan.held[held])
    time.sleep(chance.uniform(1, 6))
    victim.start()
    victim.wait()
    return at


def _ended(rig: Rig, runs: Mapping[str, str], deadline: float) -> list[str]:
    """Wait until all are completed; which are not, when the time is up or one has failed."""
    left = dict(runs)
    while left and time.monotonic() < deadline:
        states = {name: rig.state(run) for name, run in left.items()}
        left = {name: run for name, run in left.items() if states[name]["type"] != "COMPLETED"}
        if any(map(_given_up, states.values())):
            break
        time.sleep(2)
    return list(left)


def _given_up(state: Mapping[str, Any]) -> bool:
    return state["type"] in ("FAILED", "CANCELLED")


def _at_work(history: Sequence[Mapping[str, Any]], at: float) -> bool:
    """Whether a run was under way then."""
    before = [state for state in history if datetime.fromisoformat(state["timestamp"]).timestamp() < at]
    return bool(before) and before[-1]["type"] == "RUNNING"


def _revive(rig: Rig, over: threading.Event, patience: Mapping[str, float]) -> None:
    while not over.wait(LOOK_S):
        try:
            rig.revive(**patience)
        except Exception as error:  # noqa: BLE001 - the server may be away in a storm; the next round sees to it
            print(f"storm: {type(error).__name__} while reviving", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    root = Path(tempfile.mkdtemp(prefix="dubline-storm-"))
    with Rig(root) as rig:
        outcome = run(rig, options.videos, options.seed)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    told = {"commit": commit.stdout.strip(), **asdict(outcome), "clean": outcome.clean}
    RESULTS.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(RESULTS.read_text(encoding="utf-8"))
    shutil.rmtree(root, ignore_errors=True)
    sys.exit(0 if outcome.clean else 1)


if __name__ == "__main__":
    main()
