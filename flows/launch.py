"""Run a translation on this machine: local Prefect server, warm engines, and no work where nothing is to be done.

Prefect takes seconds to import and its server longer to start, so both begin while the recognizer loads, and neither
begins for a request whose results are all in place.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from dubline import outputs, server
from dubline.engines.manager import manager
from dubline.engines.registry import models_of
from dubline.media.inputs import check_file, source_reference
from dubline.profiles import Profile
from dubline.publication import Manifest
from dubline.request import TranslateRequest, accept
from dubline.storage.chosen import artifact_store
from flows.key import request_key


def run(request: TranslateRequest) -> Manifest:
    """Translate in this process. Raises DublineError types, or what Prefect's client raises when its server is lost."""
    profile = accept(request)
    if isinstance(request.video, Path):
        check_file(request.video)
    require_models(profile)
    if request.refresh is None and (done := _in_place(request)):
        return done
    outputs.require_writable(request.out)
    artifact_store().reap()
    manager().preload(profile.asr)
    own = None if "PREFECT_API_URL" in os.environ else server.start()
    os.environ.update(server.environment())
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


def require_models(profile: Profile) -> None:
    """Raises ModelMissing for the first model of the profile that is not here, with the command that fetches it."""
    for spec in profile.engines:
        for model in models_of(spec):
            manager().models.path(model)


def _in_place(request: TranslateRequest) -> Manifest | None:
    """What an earlier run of this very request left, verified byte for byte."""
    if not outputs.exists(request.out):
        return None
    return outputs.in_place(request.out, request_key(request, source_reference(request.video).sha256))
