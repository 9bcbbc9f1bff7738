"""Run a translation on this machine: local Prefect server, warm engines, and no work where nothing is to be done.

Prefect takes seconds to import and its server longer to start, so both begin while the recognizer loads, and neither
begins for a request whose results are all in place.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from dubline import server
from dubline.engines.manager import manager
from dubline.publication import Manifest
from dubline.request import TranslateRequest
from flows.before import already_done, make_room, require_possible


def run(request: TranslateRequest) -> Manifest:
    """Translate in this process. Raises DublineError types, or what Prefect's client raises when its server is lost."""
    profile = require_possible(request)
    if done := already_done(request):
        return done
    make_room(request)
    manager().preload(profile.asr)
    own = None if os.environ.get("PREFECT_API_URL") else server.start()
    os.environ.update(server.environment())
    Path(os.environ["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)  # Prefect warns of one whose parent is missing
    # What goes wrong is told once, in a sentence, by the command; the runs' logs are in the UI.
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    if own:
        os.environ["PREFECT_API_URL"] = own.api
    from flows.translate_video import translate_video

    if own:
        server.wait(own)
    return asyncio.run(translate_video(request))


def close() -> None:
    """End what `run` keeps for further runs of this process: the process that checks the gates."""
    if "tasks.gate" in sys.modules:
        sys.modules["tasks.gate"].stop_host()
