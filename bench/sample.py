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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dubline.settings import settings

ROOT = Path(__file__).parent.parent
RUNS = 3


def sample() -> Path:
    """Where `make demo` puts the sample; ends the bench when it is not there."""
    path = ROOT / "out" / "sample.mp4"
    if not path.exists():
        raise SystemExit(f"There is no {path}; make it with: .venv/bin/python scripts/make_sample.py {path}")
    return path


class Home:
    """A fresh home with the shared models."""

    def __init__(self, root: Path, port: int) -> None:
        root.mkdir()
        (root / "models").symlink_to(settings().models, target_is_directory=True)
        self.root, self.log = root, root / "events.jsonl"
        self.environment = os.environ | {"DUBLINE_HOME": str(root), "DUBLINE_SERVER_PORT": str(port)}

    def python(self, module: str, *arguments: str | Path) -> str:
        """What a module prints, run in this home."""
        command = [sys.executable, "-m", module, *map(str, arguments)]
        done = subprocess.run(command, env=self.environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout

    @contextmanager
    def served(self) -> Iterator[None]:
        """With a Prefect server of its own."""
        self.python("dubline.cli", "up")
        try:
            yield
        finally:
            self.python("dubline.cli", "down")

    def translate(self) -> float:
        """Seconds from start to end."""
        began = time.monotonic()
        command: list[str | Path] = ["translate", sample(), "--from", "en", "--to", "es", "--out", self.root / "out"]
        self.python("bench.clocked", self.log, *command, "--json")
        return time.monotonic() - began

    def first_words(self) -> float:
        """Seconds from the process's start to the recognizer's first words."""
        events = [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]
        return next(float(e["at"]) for e in events if e["stage"] == "transcribe" and e["share"] > 0)

    def stages(self) -> dict[str, float]:
        manifest = json.loads((self.root / "out" / "manifest.json").read_text(encoding="utf-8"))
        return dict(manifest["stage_seconds"])


def repeated(folder: Path, times: int) -> Path:
    """The sample, which is 30 s long, so often in one video."""
    path = folder / "long.mp4"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-stream_loop", str(times - 1), "-i", sample(), "-c", "copy", path], check=True
    )
    return path


def cold(folder: Path, number: int) -> dict[str, Any]:
    """A first run with a server that is up; the same again; and again with the output folder gone."""
    home = Home(folder / f"cold-{number}", 4600 + number)
    with home.served():
        figures: dict[str, Any] = {"seconds": home.translate(), "first words": home.first_words()}
        figures["stages"] = home.stages()
        figures["again"] = home.translate()
        shutil.rmtree(home.root / "out")
        figures["republished"] = home.translate()
        audio = next(p for p in (home.root / "artifacts").glob("*/*.flac") if _is_speech(p))
        figures["engine alone"] = float(home.python("bench.engine_alone", audio))
    return figures


def without_server(folder: Path, number: int) -> dict[str, Any]:
    """A first run that has to start its server."""
    home = Home(folder / f"alone-{number}", 4650 + number)
    try:
        return {"seconds": home.translate(), "first words": home.first_words()}
    finally:
        home.python("dubline.cli", "down")


def _is_speech(path: Path) -> bool:
    import soundfile

    info = soundfile.info(path)
    return bool(info.samplerate == 16_000 and info.duration > 20)


def warm(folder: Path) -> dict[str, Any]:
    home = Home(folder / "warm", 4700)
    other = folder / "other.mp4"
    change = ["-c", "copy", "-c:a", "aac", "-af", "volume=0.99"]
    subprocess.run(["ffmpeg", "-v", "error", "-i", sample(), *change, other], check=True)
    with home.served():
        printed = home.python("bench.warm", sample(), other, home.root)
    figures: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return figures


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        up = [cold(folder, n) for n in range(RUNS)]
        down = [without_server(folder, n) for n in range(RUNS)]
        second = warm(folder)

    def median(runs: list[dict[str, Any]], what: str) -> float:
        seconds: list[float] = [run[what] for run in runs]
        return round(statistics.median(seconds), 2)

    results = {
        "runs": RUNS,
        "cores": settings().threads,
        "cold": {what: median(up, what) for what in ("seconds", "first words", "engine alone", "again", "republished")},
        "cold, no server": {what: median(down, what) for what in ("seconds", "first words")},
        "cold stages": up[-1]["stages"],
        "warm": second,
    }
    path = ROOT / "bench" / "results" / "sample.json"
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
