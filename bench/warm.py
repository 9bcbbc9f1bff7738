"""Two videos in one process: `python -m bench.warm FIRST SECOND FOLDER` prints the second one's figures as JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from bench.sample import NOT_MODELS
from dubline.request import TranslateRequest
from dubline.settings import share_threads


def main() -> None:
    share_threads()
    first, second, folder = map(Path, sys.argv[1:])
    from flows import launch

    for video in (first, second):
        began = time.monotonic()
        request = TranslateRequest(video=video, languages=("es",), source_language="en", out=folder / video.stem)
        manifest = launch.run(request)
    stages = manifest.stage_seconds
    outside = sum(seconds for name, seconds in stages.items() if name.startswith(NOT_MODELS))
    total = time.monotonic() - began
    figures = {"seconds": round(total, 2), "stages": stages, "waited for stages that are not models": round(outside, 2)}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
