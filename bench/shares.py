"""Prefect's and the gates' share of a video of five minutes: `python -m bench.shares` writes bench/results/shares.json.

Real engines of the offline profile. One process translates the sample, and with that has imported and loaded all, then
ten copies of it one behind the other; its ledger says when each stage's body began and ended. Prefect's share is all
that is not in a body: what the run waited for each stage beyond its body (stages that run side by side are all counted,
so it is an upper bound), and what comes before the first and after the last. The gates' share is the sum of their
bodies, though they run beside the other stages. What a cold process spends on importing either is told apart. All are
medians of some runs.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.sample import Home, repeated, sample

RESULTS = Path(__file__).parent / "results" / "shares.json"
TIMES = 10
IMPORTS = {"prefect": "prefect, prefect.engine", "gates": "great_expectations"}
RUNS = 3


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        long = repeated(Path(name), TIMES)
        runs = [measured(long, Path(name) / str(number)) for number in range(RUNS)]
    medians = {name: round(statistics.median(run[name] for run in runs), 4) for name in runs[0]}
    imports = {name: import_s(modules) for name, modules in IMPORTS.items()}
    figures = {**medians, "imports_s": imports, "runs": RUNS, "cores": len(os.sched_getaffinity(0))}
    RESULTS.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    json.dump(figures, sys.stdout)


def measured(long: Path, folder: Path) -> dict[str, float]:
    """Seconds and shares in a home of its own."""
    home, ledger = Home(folder, 4700), folder / "ledger.jsonl"
    home.environment |= {"DUBLINE_LEDGER": str(ledger)}
    with home.served():
        warm: dict[str, Any] = json.loads(home.python("bench.warm", sample(), long, home.root).splitlines()[-1])
    return shares(warm, [json.loads(line) for line in ledger.read_text(encoding="utf-8").splitlines()])


def import_s(modules: str) -> float:
    """Seconds that a new process needs to import them; the median of some."""
    timed = f"import time; began = time.perf_counter(); import {modules}; print(time.perf_counter() - began)"
    command, environment = [sys.executable, "-c", timed], os.environ | {"GX_ANALYTICS_ENABLED": "false"}
    found = [subprocess.check_output(command, env=environment, text=True) for _ in range(RUNS)]
    return round(statistics.median(float(one.splitlines()[-1]) for one in found), 2)


def shares(warm: dict[str, Any], events: list[dict[str, Any]]) -> dict[str, float]:
    """Seconds and shares of the second of two videos in a ledger."""
    start = max(at for at, event in enumerate(events) if event["event"] == "begun" and event["stage"] == "ingest")
    began = {event["stage"]: event["at"] for event in events[start:] if event["event"] == "begun"}
    ended = {event["stage"]: event["at"] for event in events[start:] if event["event"] == "finished"}
    bodies = {stage: ended[stage] - began[stage] for stage in ended}
    gates = sum(seconds for stage, seconds in bodies.items() if stage.startswith("check-"))
    waited = {stage: seconds for stage, seconds in warm["stages"].items() if not stage.startswith("check-")}
    outside = warm["seconds"] - (max(ended.values()) - min(began.values()))
    prefect = outside + sum(seconds - bodies[stage] for stage, seconds in waited.items())
    return {
        "seconds": warm["seconds"],
        "prefect_s": round(prefect, 2),
        "prefect_share": round(prefect / warm["seconds"], 4),
        "gates_s": round(gates, 2),
        "gates_share": round(gates / warm["seconds"], 4),
    }


if __name__ == "__main__":
    main()
