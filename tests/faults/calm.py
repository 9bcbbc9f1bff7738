"""Translate videos one after another in one process: `python -m tests.faults.calm FOLDER VIDEO...`."""

from __future__ import annotations

import sys
from pathlib import Path

from dubline.request import TranslateRequest
from flows import launch


def main() -> None:
    folder = Path(sys.argv[1])
    for video in map(Path, sys.argv[2:]):
        launch.run(
            TranslateRequest(
                video=video, languages=("es",), source_language="en", profile="fake", out=folder / video.stem
            )
        )
    launch.close()


if __name__ == "__main__":
    main()
