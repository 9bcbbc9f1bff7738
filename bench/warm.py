"""Two videos in one process: `python -m bench.warm FIRST SECOND FOLDER` prints the second one's figures as JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

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
    total, stages = time.monotonic() - began, manifest.stage_seconds
    # Hearing, telling speakers apart and separation run side by side; what is left of the whole is everything else.
    together = max(stages["transcribe"], stages["diarize"], stages["separate"])
    models = together + stages["translate-es"] + stages["synthesize-es"]
    figures = {
        "seconds": round(total, 2),
        "models": round(models, 2),
        "rest": round(total - models, 2),
        "stages": stages,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
