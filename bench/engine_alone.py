"""The recognizer alone: import, load, decode. `python -m bench.engine_alone AUDIO` prints seconds to first words."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import psutil

from dubline import profiles
from dubline.engines.contracts import TranscriptionRequest
from dubline.engines.manager import manager
from dubline.settings import share_threads


def main() -> None:
    began = psutil.Process().create_time()
    share_threads()
    first: list[float] = []
    with manager().use(profiles.load("offline").asr, []) as asr:
        asr.transcribe(TranscriptionRequest(Path(sys.argv[1]), "en"), lambda _: first.append(time.time() - began))
    print(first[0])


if __name__ == "__main__":
    main()
