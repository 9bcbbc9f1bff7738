"""Translate several videos in one process, as a worker would: `python -m tests.pipeline.several OUT VIDEO...`."""

from __future__ import annotations

import sys
from pathlib import Path

from dubline.request import TranslateRequest
from flows import launch


def main() -> None:
    out, *videos = map(Path, sys.argv[1:])
    for video in videos:
        languages = ("es",)
        launch.run(
            TranslateRequest(
                video=video, languages=languages, source_language="en", profile="fake", out=out / video.suffix[1:]
            )
        )


if __name__ == "__main__":
    main()
