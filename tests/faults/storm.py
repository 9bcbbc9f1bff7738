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
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.faults import strikes
from tests.faults.rig import Rig
from tests.pipeline.workshop import ROOT

RESULTS = ROOT / "bench" / "results" / "storm.json"
CALM_S = 25.0
"""Between two faults of the servers, so that each meets a system at work."""
SPOILED = ("unavailable", "drop", "flip", "flip-request")
"""What may happen to a request to the store (tests.fault_proxy)."""


@dataclass(frozen=True)
class Outcome:
    seed: int
    videos: int
    faults: tuple[str, ...]
    seconds: float
    unfinished: tuple[str, ...]
    different: tuple[str, ...]
    """Videos whose published files are not those of an undisturbed run."""
    computed_again: tuple[str, ...]
    orphans: tuple[str, ...]
    leftovers: tuple[str, ...]

    @property
    def clean(self) -> bool:
        return not (self.unfinished or self.different or self.computed_again or self.orphans or self.leftovers)


def run(
    rig: Rig,
    videos: int,
    seed: int,
    *,
    calm_s: float = CALM_S,
    patience_s: Sequence[float] = (),
    timeout_s: float = 1500,
) -> Outcome:
    """Submit the videos, let the storm pass, wait for every run to end, and check what must hold.

    `patience_s` are limits for those who look after lost runs, shorter than the usual.
    """
    chance = random.Random(seed)  # noqa: S311 - no secret
    clips = [rig.video(f"storm-{seed}-{number}", 400 + 7 * number) for number in range(videos)]
    planned = [(chance.choice(strikes.STAGES), chance.choice(("before", "after"))) for _ in range(max(1, videos // 4))]
    for stage, moment in planned:
        strikes.place(rig.strikes, stage, moment)
    began = time.monotonic()
    runs = {clip.stem: rig.submit(clip) for clip in clips}
    over = threading.Event()
    reviver = threading.Thread(target=_revive, args=(rig, over, patience_s))
    reviver.start()
    try:
        faults = _strike_servers(rig, chance, calm_s)
        deadline = began + timeout_s
        left = dict(runs)
        while left and time.monotonic() < deadline:
            left = {name: run for name, run in left.items() if rig.state(run)["type"] != "COMPLETED"}
            time.sleep(2)
    finally:
        rig.proxy.clear()
        over.set()
        reviver.join()
    seconds = time.monotonic() - began
    time.sleep(5)
    done = [clip for clip in clips if clip.stem not in left]
    calm = rig.undisturbed(done)
    rig.reap()
    return Outcome(
        seed,
        videos,
        (*(f"kill at {stage} {moment}" for stage, moment in planned), *faults),
        round(seconds, 1),
        tuple(left),
        tuple(clip.stem for clip in done if rig.published(clip.stem) != calm[clip.stem]),
        tuple(rig.ledger.computed_again()),
        tuple(" ".join(process.cmdline())[:80] for run in runs.values() for process in rig.processes_of(run)),
        tuple(map(str, rig.leftovers())),
    )


def _strike_servers(rig: Rig, chance: random.Random, calm_s: float) -> list[str]:
    """Each of these once, in a random order: killed, and started again some seconds later. The store errs besides."""
    stack = rig.stack
    victims = [stack.postgres, stack.redis, chance.choice(stack.workers), stack.s3, stack.server]
    chance.shuffle(victims)
    for victim in victims:
        # One flip at most lies in wait: the same wrong content twice is damage where it lies, and is computed again.
        rig.proxy.clear()
        rig.proxy.spoil(*chance.sample(SPOILED, k=3), "unavailable")
        time.sleep(calm_s * chance.uniform(0.6, 1.4))
        victim.kill()
        time.sleep(chance.uniform(1, 6))
        victim.start()
        victim.wait()
    return [*(f"kill {victim.name}" for victim in victims), *(f"store: {fault}" for fault in rig.proxy.spoiled)]


def _revive(rig: Rig, over: threading.Event, patience_s: Sequence[float]) -> None:
    while not over.wait(15):
        try:
            rig.revive(*patience_s)
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
    RESULTS.write_text(json.dumps(asdict(outcome) | {"clean": outcome.clean}, indent=1) + "\n", encoding="utf-8")
    print(RESULTS.read_text(encoding="utf-8"))
    shutil.rmtree(root, ignore_errors=True)
    sys.exit(0 if outcome.clean else 1)


if __name__ == "__main__":
    main()
