"""Three short videos asked for at once: `python -m bench.at_once` writes bench/results/at_once.json.

Three thirds of the sample, whole processes with the real engines of the offline profile, in ways `RUNSxCORES`: so many
runs at once, each on so many cores, while the others wait. Where no way is given: three runs, each on all cores, and
what this machine's cores and memory are enough for. For each way the seconds from the beginning until all are done and
until each is, and the memory of the largest run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from dubline import machine
from dubline.settings import settings

RESULTS = Path(__file__).parent / "results" / "at_once.json"
ROOT = Path(__file__).parent.parent
VIDEOS, SECONDS, PORT = 3, 10, 4870
EVERY_S = 0.5


def main() -> None:
    fit = machine.runs_at_once()
    usual = [f"{VIDEOS}x{machine.cores()}", f"{fit}x{machine.share(machine.cores(), fit)}"]
    with tempfile.TemporaryDirectory(prefix="dubline-at-once-") as folder:
        videos = list(_thirds(Path(folder)))
        ways = {way: _measured(Path(folder) / way, videos, *map(int, way.split("x"))) for way in sys.argv[1:] or usual}
    load = round(os.getloadavg()[1], 1)
    figures = {"engines": "offline profile, real", "cores": machine.cores(), "load_before": load, "ways": ways}
    RESULTS.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1))


def _thirds(folder: Path) -> Iterator[Path]:
    sample = folder / "sample.mp4"
    subprocess.run([sys.executable, "scripts/make_sample.py", sample], cwd=ROOT, check=True)
    for number in range(VIDEOS):
        part = folder / f"part-{number + 1}.mp4"
        cut = ["-ss", str(number * SECONDS), "-t", str(SECONDS), "-i", str(sample)]
        subprocess.run(["ffmpeg", "-v", "error", *cut, str(part)], check=True)
        yield part


def _measured(folder: Path, videos: list[Path], runs: int, cores: int) -> dict[str, Any]:
    home = folder / "home"
    home.mkdir(parents=True)
    (home / "models").symlink_to(settings().models.resolve(), target_is_directory=True)
    told = {"DUBLINE_HOME": str(home), "DUBLINE_SERVER_PORT": str(PORT), "DUBLINE_THREADS": str(cores)}
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    environment = {name: value for name, value in os.environ.items() if name not in names} | told
    command = partial(subprocess.run, env=environment, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    command([sys.executable, "-m", "dubline.cli", "up"])
    try:
        began = time.monotonic()
        with ThreadPoolExecutor(runs) as pool:
            ended = list(pool.map(partial(_dubbed, environment, folder, began), videos))
    finally:
        command([sys.executable, "-m", "dubline.cli", "down"])
    seconds = [at for at, _ in ended]
    return {
        "all_s": max(seconds),
        "each_s": seconds,
        "mean_s": round(sum(seconds) / len(seconds), 1),
        "memory_mb": max(most for _, most in ended) // 10**6,
    }


def _dubbed(environment: dict[str, str], folder: Path, began: float, video: Path) -> tuple[float, int]:
    """When it was done, in s since the beginning, and the most bytes that its processes had together."""
    asked = [str(video), "--from", "en", "--to", "es", "--out", str(folder / video.stem), "--json"]
    command = [sys.executable, "-m", "dubline.cli", "translate", *asked]
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL)
    with _watched(process.pid) as seen:
        if process.wait():
            raise SystemExit(f"{video.name} failed with exit code {process.returncode}.")
    return round(time.monotonic() - began, 1), max(seen, default=0)


@contextmanager
def _watched(pid: int) -> Iterator[list[int]]:
    """The bytes that a process and all it started have, now and then; what they share with others is divided."""
    seen: list[int] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(EVERY_S):
            with suppress(psutil.Error):
                family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
                seen.append(sum(one.memory_full_info().pss for one in family))

    watching = threading.Thread(target=look)
    watching.start()
    try:
        yield seen
    finally:
        over.set()
        watching.join()


if __name__ == "__main__":
    main()
