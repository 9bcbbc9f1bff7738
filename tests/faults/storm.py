"""A seeded storm: many videos over the workers while workers, database, Redis and store are killed at random.

    python -m tests.faults.storm --videos 20 --seed 7

The seed is printed; the same seed plans the same faults (when they meet the runs differs from machine to machine).
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tests.faults import strikes
from tests.faults.rig import Rig

CALM_S = 25.0
"""Between two faults of the servers, so that each meets a system at work."""


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


def run(rig: Rig, videos: int, seed: int, timeout_s: float = 1500) -> Outcome:
    """Submit the videos, let the storm pass, wait for every run to end, and check what must hold."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    clips = [rig.video(f"storm-{seed}-{number}", 400 + 7 * number) for number in range(videos)]
    planned = [(chance.choice(strikes.STAGES), chance.choice(("before", "after"))) for _ in range(max(1, videos // 4))]
    for stage, moment in planned:
        strikes.place(rig.strikes, stage, moment)
    began = time.monotonic()
    runs = {clip.stem: rig.submit(clip) for clip in clips}
    over = threading.Event()
    reviver = threading.Thread(target=_revive, args=(rig, over))
    reviver.start()
    try:
        faults = _strike_servers(rig, chance)
        deadline = began + timeout_s
        left = dict(runs)
        while left and time.monotonic() < deadline:
            left = {name: run for name, run in left.items() if rig.state(run)["type"] != "COMPLETED"}
            time.sleep(2)
    finally:
        over.set()
        reviver.join()
    seconds = time.monotonic() - began
    time.sleep(5)
    done = [clip for clip in clips if clip.stem not in left]
    calm = rig.undisturbed(done)
    return Outcome(
        seed,
        videos,
        (*(f"kill {stage} {moment}" for stage, moment in planned), *faults),
        round(seconds, 1),
        tuple(left),
        tuple(clip.stem for clip in done if rig.published(clip.stem) != calm[clip.stem]),
        tuple(rig.ledger.computed_again()),
        tuple(" ".join(process.cmdline())[:80] for process in rig.processes()),
        tuple(map(str, rig.leftovers())),
    )


def _strike_servers(rig: Rig, chance: random.Random) -> list[str]:
    """Each of these once, in a random order: killed, and started again some seconds later."""
    stack = rig.stack
    victims = [stack.postgres, stack.redis, chance.choice(stack.workers), stack.s3]
    chance.shuffle(victims)
    for victim in victims:
        time.sleep(CALM_S * chance.uniform(0.6, 1.4))
        victim.kill()
        time.sleep(chance.uniform(1, 6))
        victim.start()
        victim.wait()
    return [f"kill {victim.name}" for victim in victims]


def _revive(rig: Rig, over: threading.Event) -> None:
    while not over.wait(12):
        try:
            rig.revive()
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
    print(outcome)
    shutil.rmtree(root, ignore_errors=True)
    sys.exit(0 if outcome.clean else 1)


if __name__ == "__main__":
    main()
