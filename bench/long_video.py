"""A long video against a short one: `python -m bench.long_video` writes bench/results/long_video.json.

The models are the tests' fakes, which cost next to nothing: what is measured is everything else, the orchestration, the
gates, the optimization and the media work. A line is spoken every two seconds. Memory is the largest sum of the
proportional set sizes of the command and all that it started, sampled twice a second; the Prefect server is not in it.
A short video is mostly start-up, which would hide what grows faster than the video: so a third length lies between, and
what a further minute costs is told for either half.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import yaml

from dubline import publication, server
from tests.pipeline.workshop import ENGINES

RESULTS = Path(__file__).parent / "results" / "long_video.json"
MINUTES = (5, 30, 60)
LINE = "This line has seven words in it."


def main() -> None:
    ours = server.running() is None
    api = server.wait(server.start()).api
    folder = Path(tempfile.mkdtemp(prefix="dubline-long-"))
    try:
        found = [measure(folder, length, api) for length in MINUTES]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if ours:
            server.stop()
    short, middle, long = found
    ratios = {
        "time per minute, long / short": round(long["seconds_per_minute"] / short["seconds_per_minute"], 2),
        "a further minute, second half / first": round(further_s(middle, long) / further_s(short, middle), 2),
        "peak memory, long / short": round(long["peak_mib"] / short["peak_mib"], 2),
    }
    RESULTS.write_text(json.dumps({"runs": found, "ratios": ratios}, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(ratios))


def further_s(one: dict[str, Any], longer: dict[str, Any]) -> float:
    """Seconds for each minute that a video is longer than another."""
    return float((longer["seconds"] - one["seconds"]) / (longer["minutes"] - one["minutes"]))


def measure(folder: Path, minutes: int, api: str) -> dict[str, Any]:
    """One cold run of the command on a video of that length, with a home of its own."""
    home, video, out = folder / f"home-{minutes}", folder / f"{minutes}.mp4", folder / f"out-{minutes}"
    film(video, minutes)
    environment = os.environ | {
        "DUBLINE_HOME": str(home),
        "DUBLINE_PROFILES": str(profiles(folder / f"profiles-{minutes}", minutes)),
        "PREFECT_API_URL": api,
    }
    command = [sys.executable, "-m", "dubline.cli", "translate", str(video), "--from", "en", "--to", "es"]
    began = time.monotonic()
    process = subprocess.Popen(
        [*command, "--profile", "fake", "--out", str(out)], env=environment, stdout=subprocess.DEVNULL
    )
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, memory_mib(process.pid))
        time.sleep(0.5)
    seconds = time.monotonic() - began
    manifest = publication.read(out)
    if process.returncode != 0 or manifest is None:
        raise SystemExit(f"The video of {minutes} minutes failed with exit code {process.returncode}.")
    gates = sum(value for stage, value in manifest.stage_seconds.items() if stage.startswith("check-"))
    figures = {
        "minutes": minutes,
        "lines": len(manifest.dubs[0].lines),
        "seconds": round(seconds, 1),
        "seconds_per_minute": round(seconds / minutes, 2),
        "peak_mib": round(peak),
        "gates_s": round(gates, 1),
        "stages": {name: round(value, 1) for name, value in manifest.stage_seconds.items()},
    }
    print(json.dumps(figures), flush=True)
    return figures


def film(path: Path, minutes: int) -> None:
    seconds = 60 * minutes
    subprocess.run(
        [
            *["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", f"testsrc2=s=160x90:r=25:d={seconds}"],
            *["-f", "lavfi", "-i", f"aevalsrc=0.2*sin(2*PI*300*t)*lt(mod(t\\,2)\\,1.7):d={seconds}"],
            *["-c:v", "libx264", "-preset", "ultrafast", str(path)],
        ],
        check=True,
    )


def profiles(folder: Path, minutes: int) -> Path:
    """A folder with the profile `fake`, whose recognizer hears a line every two seconds."""
    engines: dict[str, Any] = {name: {"engine": f"tests.fakes:{kind}"} for name, kind in ENGINES.items()}
    engines["asr"]["options"] = {"text": " ".join([LINE, "|"] * (30 * minutes)), "word_ms": 222}
    folder.mkdir()
    (folder / "fake.yaml").write_text(yaml.safe_dump({"description": "Fakes.", **engines}), encoding="utf-8")
    return folder


def memory_mib(pid: int) -> float:
    """Proportional set size of a process and all that it started."""
    total = 0
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.Error:
        return 0.0
    for process in family:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue  # it has ended meanwhile
    return total / 2**20


if __name__ == "__main__":
    main()
