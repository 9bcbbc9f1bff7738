"""What operators wait for, on the real stack: `python -m bench.production` writes bench/results/production.json.

The stack is the one of infra/compose.yaml on loopback, with one worker and the tests' fake engines on videos of two
seconds; the gates are stubs that let everything pass, without Great Expectations, so their time is in none of these
figures. Seconds, medians of TIMES: from the end of a copy into the watched folder until the run is Running, and until
its results stand in done/; of a finished video that is submitted again; from Cancel until the run's last process is
gone, and until Prefect says Cancelled: while a model is at work, while ffmpeg is, and while a model is at work in a run
on the GPU pool, whose slot then is free.
"""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from deployments.worker import QUERY_S
from flows.watch_folder import WatchedFolder
from tests.faults import strikes
from tests.faults.rig import Rig
from tests.waiting import until

RESULTS = Path(__file__).parent / "results" / "production.json"
TIMES = 3
Seconds = dict[str, float]


def main() -> None:
    root = Path(tempfile.mkdtemp(prefix="dubline-production-"))
    calm = {"PREFECT_WORKER_QUERY_SECONDS": str(QUERY_S)}  # the fault tests' workers look more often
    with Rig(root, workers=1, settings=calm) as rig, rig.worker("service", "service-worker-1"):
        folder = root / "inbox"
        folder.mkdir()
        watched = {"folder": str(folder), "languages": ["es"], "profile": "fake"}
        rig.wait(rig.start("watch-folder/watch-folder", {"watched": watched}), "Running")
        measured = {
            "dropped": medians(lambda number: dropped(rig, folder, number)),
            "submitted again": medians(lambda number: again(rig, number)),
            "cancelled in a model": medians(lambda number: cancelled(rig, f"model{number}", hanging_model)),
            "cancelled in ffmpeg": medians(lambda number: cancelled(rig, f"ffmpeg{number}", hanging_ffmpeg)),
        }
        with rig.worker("gpu", "gpu-worker-1"):
            measured["cancelled elsewhere"] = medians(lambda number: cancelled_elsewhere(rig, f"elsewhere{number}"))
    shutil.rmtree(root, ignore_errors=True)
    still_s = WatchedFolder.model_fields["still_s"].default
    RESULTS.write_text(json.dumps({"times": TIMES, "still_s": still_s} | measured, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(measured))


def medians(measure: Callable[[int], Seconds]) -> Seconds:
    found = [measure(number) for number in range(TIMES)]
    print(json.dumps(found), flush=True)
    return {name: round(statistics.median(one[name] for one in found), 1) for name in found[0]}


def dropped(rig: Rig, folder: Path, number: int) -> Seconds:
    name = f"dropped{number}"
    shutil.copyfile(rig.video(name), folder / f"{name}.mp4")
    began = time.time()
    until(lambda: (folder / "done" / f"{name}.mp4").exists())
    done = time.time() - began
    run = next(one for one in rig.runs("translate-video") if name in one["parameters"]["request"]["video"])
    return {"running": moment(run["start_time"]) - began, "done": done}


def again(rig: Rig, number: int) -> Seconds:
    """In the flow, and with the start of its process: from the worker's taking it to its end."""
    video = rig.video("again")
    for key in ("first", f"again {number}"):
        run = rig.submit(video, key=key)
        rig.wait(run, "Completed")
    states = {state["type"]: moment(state["timestamp"]) for state in rig.history(run)}
    return {
        "in the flow": states["COMPLETED"] - states["RUNNING"],
        "with its process": states["COMPLETED"] - states["PENDING"],
    }


def cancelled(rig: Rig, name: str, hang: Callable[[Rig], Callable[[], bool]], **settings: str) -> Seconds:
    others = rig.processes()
    hangs = hang(rig)
    run = rig.submit(rig.video(name), name, {}, **settings)
    until(hangs)
    mine = [process for process in rig.processes() if process not in others]
    began = time.time()
    rig.set_state(run, "CANCELLING")
    until(lambda: not any(process.is_running() for process in mine))
    gone = time.time() - began
    rig.wait(run, "Cancelled")
    return {"processes gone": gone, "told as Cancelled": time.time() - began}


def cancelled_elsewhere(rig: Rig, name: str) -> Seconds:
    found = cancelled(rig, name, hanging_model, DUBLINE_INFERENCE="deployment")
    if taken := rig.ask("GET", "/v2/concurrency_limits/gpu")["active_slots"]:
        raise RuntimeError(f"{taken} slots are taken though every process is gone")
    return found


def hanging_model(rig: Rig) -> Callable[[], bool]:
    """A stage that never ends by itself, as a model's native code may look; whether a run has got there."""
    strikes.place(rig.strikes, "translate-es", "before", "hang")
    return lambda: not strikes.left(rig.strikes)


def hanging_ffmpeg(rig: Rig) -> Callable[[], bool]:
    hang = rig.strikes / "ffmpeg@hang"
    hang.touch()
    return lambda: not hang.exists()


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


if __name__ == "__main__":
    main()
