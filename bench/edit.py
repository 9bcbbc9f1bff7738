"""One line of ten minutes edited and dubbed again, against the full run: `python -m bench.edit` writes
bench/results/edit.json.

Real engines of the offline profile. One process translates the sample, and with that has imported and loaded all; then
the video (the sample many times over) in full, and three times with another wording of one line. `seconds` is what the
caller waits for. `stages` is what the run waited for each stage (the median edit's are shown); many run side by side.
`bodies` is the work in it of those that did any: the rest is looking up checkpoints and comparing artifacts' sha256.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.sample import Home, repeated, sample
from dubline.edits import LineEdit
from dubline.publication import Manifest
from dubline.request import TranslateRequest
from dubline.settings import settings, share_threads

RESULTS = Path(__file__).parent / "results" / "edit.json"
TIMES = 20
WORDINGS = ("Esto no lo dijo nadie así.", "Y ahora se dice de otra manera.", "Así suena mucho mejor, creo yo.")
GOAL = 0.15


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        long, ledger = repeated(folder, TIMES), folder / "ledger.jsonl"
        home = Home(folder / "home", 4720)
        home.environment |= {"DUBLINE_LEDGER": str(ledger)}
        with home.served():
            figures: dict[str, Any] = json.loads(home.python("bench.edit", long, folder / "out").splitlines()[-1])
    RESULTS.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1))


def timed(video: Path, out: Path, *edits: LineEdit) -> dict[str, Any]:
    """A run's wall time, and what its ledger and its report say of its stages."""
    from flows import launch

    request = TranslateRequest(video=video, languages=("es",), source_language="en", out=out, edits=edits)
    since, began = time.time(), time.monotonic()
    manifest = launch.run(request)
    seconds = round(time.monotonic() - began, 2)
    stages = json.loads((out / "report.json").read_text(encoding="utf-8"))["stages"]
    return {
        "seconds": seconds,
        "stages": {one["stage"]: one["seconds"] for one in stages if one["seconds"] >= 0.05},
        "bodies": bodies(since),
        "spoken": sum(1 for event in events(since) if event.get("capability") == "speech"),
        "manifest": manifest,
    }


def events(since: float) -> list[dict[str, Any]]:
    path = settings().ledger
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path else []
    return [event for event in found if event["at"] >= since]


def bodies(since: float) -> dict[str, float]:
    began = {event["stage"]: event["at"] for event in events(since) if event["event"] == "begun"}
    ended = {event["stage"]: event["at"] for event in events(since) if event["event"] == "finished"}
    return {stage: round(ended[stage] - began[stage], 2) for stage in ended}


def measure(video: Path, out: Path) -> dict[str, Any]:
    timed(sample(), out / "sample")
    full = timed(video, out / "long")
    manifest: Manifest = full["manifest"]
    lines = manifest.dubs[0].lines
    line = lines[len(lines) // 2].segment
    edits = [timed(video, out / "long", LineEdit(segment=line, language="es", text=text)) for text in WORDINGS]
    edit = sorted(edits, key=lambda one: one["seconds"])[len(edits) // 2]
    share = statistics.median(one["seconds"] for one in edits) / full["seconds"]
    return {
        "minutes": round(manifest.duration_ms / 60_000, 2),
        "lines": len(lines),
        "engines": "offline profile, real",
        "cores": len(os.sched_getaffinity(0)),
        "full_s": full["seconds"],
        "edit_s": [one["seconds"] for one in edits],
        "share": round(share, 4),
        "goal": GOAL,
        "phrases_spoken": {"full": full["spoken"], "edit": edit["spoken"]},
        "edit": {name: edit[name] for name in ("seconds", "stages", "bodies")},
        "full": {name: full[name] for name in ("seconds", "stages", "bodies")},
    }


if __name__ == "__main__":
    if len(sys.argv) == 3:
        share_threads()
        print(json.dumps(measure(*map(Path, sys.argv[1:]))))
    else:
        main()
