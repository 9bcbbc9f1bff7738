"""Time the sample video: cold and warm, stage by stage. `python -m bench.sample` writes bench/results/sample.json.

Runs are whole processes, each in a home of its own (the models are shared), medians over RUNS. `cold` has a Prefect
server that is up; `cold, no server` starts one; `again` is the same request a second time; `republished` has lost its
output folder, so every stage comes from a checkpoint. `warm` is one process that translates a second video of other
content after a first one: no import, no load, nothing cached.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from dubline.settings import settings

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "out" / "sample.mp4"
RUNS = 3
NOT_MODELS = (
    "ingest",
    "extract-audio",
    "attribute",
    "plan-speech",
    "place",
    "mix",
    "subtitle",
    "mux",
    "check",
    "publish",
)


class Home:
    """A fresh home with the shared models."""

    def __init__(self, root: Path, port: int) -> None:
        root.mkdir()
        (root / "models").symlink_to(settings().models, target_is_directory=True)
        self.root, self.log = root, root / "events.jsonl"
        self.environment = os.environ | {"DUBLINE_HOME": str(root), "DUBLINE_SERVER_PORT": str(port)}

    def dubline(self, *arguments: str) -> None:
        subprocess.run([sys.executable, "-m", "dubline.cli", *arguments], env=self.environment, check=True, stdout=-3)

    def translate(self) -> float:
        """Seconds from start to end."""
        began = time.monotonic()
        command = ["translate", str(SAMPLE), "--from", "en", "--to", "es", "--out", str(self.root / "out")]
        subprocess.run(
            [sys.executable, "-m", "bench.watched", str(self.log), *command, "--json"],
            env=self.environment,
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=ROOT,
        )
        return time.monotonic() - began

    def first_words(self) -> float:
        """Seconds from the process's start to the recognizer's first words."""
        events = [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]
        return next(float(e["at"]) for e in events if e["stage"] == "transcribe" and e["share"] > 0)

    def stages(self) -> dict[str, float]:
        manifest = json.loads((self.root / "out" / "manifest.json").read_text(encoding="utf-8"))
        return dict(manifest["stage_seconds"])


def cold(folder: Path, number: int, server_up: bool) -> dict[str, Any]:
    home = Home(folder / f"cold-{number}-{server_up}", 4600 + number)
    if server_up:
        home.dubline("up")
    try:
        seconds = home.translate()
        figures = {"seconds": seconds, "first words": home.first_words(), "stages": home.stages()}
        figures["again"] = home.translate()
        shutil.rmtree(home.root / "out")
        figures["republished"] = home.translate()
        audio = next(p for p in (home.root / "artifacts").glob("*/*.flac") if _is_speech(p))
        alone = [sys.executable, "-m", "bench.engine_alone", str(audio)]
        figures["engine alone"] = float(
            subprocess.run(alone, env=home.environment, check=True, capture_output=True, text=True, cwd=ROOT).stdout
        )
    finally:
        home.dubline("down")
    return figures


def _is_speech(path: Path) -> bool:
    import soundfile

    info = soundfile.info(path)
    return bool(info.samplerate == 16_000 and info.duration > 20)


def warm(folder: Path) -> dict[str, Any]:
    home = Home(folder / "warm", 4700)
    other = folder / "other.mp4"
    subprocess.run(
        [
            "ffmpeg",
            "-v",
            "error",
            "-i",
            SAMPLE,
            "-c",
            "copy",
            "-metadata",
            "title=other",
            "-af",
            "volume=0.99",
            "-c:a",
            "aac",
            other,
        ],
        check=True,
    )
    home.dubline("up")
    try:
        run = subprocess.run(
            [sys.executable, "-m", "bench.warm", str(SAMPLE), str(other), str(home.root)],
            env=home.environment,
            check=True,
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
    finally:
        home.dubline("down")
    figures: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return figures


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        up = [cold(folder, n, True) for n in range(RUNS)]
        down = [cold(folder, n + RUNS, False) for n in range(RUNS)]
        second = warm(folder)

    def median(runs: list[dict[str, Any]], what: str) -> float:
        return round(statistics.median(run[what] for run in runs), 2)

    results = {
        "runs": RUNS,
        "cores": settings().threads,
        "cold": {what: median(up, what) for what in ("seconds", "first words", "engine alone", "again", "republished")},
        "cold, no server": {what: median(down, what) for what in ("seconds", "first words", "engine alone")},
        "cold stages": up[-1]["stages"],
        "warm": second,
    }
    path = ROOT / "bench" / "results" / "sample.json"
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
