"""Two videos in one process: `python -m bench.warm FIRST SECOND FOLDER` prints the second one's figures as JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from dubline.request import TranslateRequest
from dubline.settings import share_threads
from dubline.stages import INFERENCE
from dubline.telemetry.progress import Event, StageProgress, listening


def main() -> None:
    share_threads()
    first, second, folder = map(Path, sys.argv[1:])
    from flows import launch

    spans: dict[str, tuple[float, float]] = {}

    def note(event: Event) -> None:
        if isinstance(event, StageProgress) and event.stage.removesuffix("-es") in INFERENCE:
            begun, _ = spans.get(event.stage, (time.monotonic(), 0.0))
            spans[event.stage] = begun, time.monotonic()

    for video in (first, second):
        spans.clear()
        began = time.monotonic()
        request = TranslateRequest(video=video, languages=("es",), source_language="en", out=folder / video.stem)
        with listening(note):
            manifest = launch.run(request)
    total = time.monotonic() - began
    models = _covered(sorted(spans.values()))
    figures = {
        "seconds": round(total, 2),
        "models": round(models, 2),
        "rest": round(total - models, 2),
        "stages": manifest.stage_seconds,
    }
    print(json.dumps(figures))


def _covered(spans: Sequence[tuple[float, float]]) -> float:
    """Seconds in which any of them is at work: some work side by side."""
    seconds, until = 0.0, 0.0
    for begun, ended in spans:
        seconds += max(0.0, ended - max(begun, until))
        until = max(until, ended)
    return seconds


if __name__ == "__main__":
    main()
