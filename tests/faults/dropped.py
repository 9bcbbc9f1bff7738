"""From a file dropped into the watched folder to its run and its dub: `python -m tests.faults.dropped`.

On the real stack on loopback, with the tests' fake engines. Writes bench/results/dropped.json: seconds from the end of
the copy until the run is Running, and until its results stand in done/; medians.
"""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
import time
from datetime import datetime
from pathlib import Path

from tests.faults.rig import Rig
from tests.pipeline.workshop import ROOT

RESULTS = ROOT / "bench" / "results" / "dropped.json"
TIMES = 3
DEFAULT_STILL_S = 5.0


def main() -> None:
    root = Path(tempfile.mkdtemp(prefix="dubline-dropped-"))
    with Rig(root, workers=1) as rig:
        folder = root / "inbox"
        folder.mkdir()
        watched = {"folder": str(folder), "languages": ["es"], "profile": "fake", "still_s": DEFAULT_STILL_S}
        rig.wait(rig.start("watch-folder/watch-folder", {"watched": watched}), "Running")
        measured = [drop(rig, folder, number) for number in range(TIMES)]
    shutil.rmtree(root, ignore_errors=True)
    running, done = (round(statistics.median(one[part] for one in measured), 1) for part in (0, 1))
    figures = {"times": TIMES, "still_s": DEFAULT_STILL_S, "running_s": running, "done_s": done, "each": measured}
    RESULTS.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures))


def drop(rig: Rig, folder: Path, number: int) -> tuple[float, float]:
    """Seconds until the run is Running, and until the results are there."""
    name = f"dropped{number}"
    shutil.copyfile(rig.video(name, 600 + 10 * number), folder / f"{name}.mp4")
    began = time.time()
    while not (folder / "done" / f"{name}.mp4").exists():
        time.sleep(0.2)
    done = time.time() - began
    run = next(one for one in rig.runs("translate-video") if name in one["parameters"]["request"]["out"])
    started = datetime.fromisoformat(run["start_time"]).timestamp() - began
    return round(started, 1), round(done, 1)


if __name__ == "__main__":
    main()
