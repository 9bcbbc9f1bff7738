"""The identity of a whole request: equal keys promise equal results, byte for byte."""

from __future__ import annotations

from typing import Any

from dubline.checkpoints import content_key
from dubline.request import TranslateRequest, accept
from dubline.stages import MENDING, STAGES
from quality_suites.catalogue import SUITES


def request_key(request: TranslateRequest, source_sha256: str) -> str:
    """What decides the results: the video's content, languages, engines, the stages' versions and the gates' rules."""
    profile = accept(request)
    asked: dict[str, Any] = {
        "source": source_sha256,
        "name": request.video.stem,
        "languages": request.languages,
        "source_language": request.source_language,
        "track": request.track,
        "burn_in": request.burn_in,
        "voices": request.voices,
        "engines": profile.engines,
        "glossary": request.glossary,
        "loudness": request.loudness,
        # Those of edits count only where there are some: other requests' results are what they were.
        "stages": {name: version for name, version in STAGES.items() if request.edits or name not in MENDING},
        "suites": {name: suite.digest() for name, suite in SUITES.items()},
    }
    if request.edits:
        asked["edits"] = request.edits
    return content_key("request", 1, asked)
