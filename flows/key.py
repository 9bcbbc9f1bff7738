"""The identity of a whole request: equal keys promise equal results, byte for byte."""

from __future__ import annotations

from dubline.checkpoints import content_key
from dubline.request import TranslateRequest, accept
from dubline.stages import STAGES
from quality_suites.catalogue import SUITES


def request_key(request: TranslateRequest, source_sha256: str) -> str:
    """What decides the results: the video's content, languages, engines, the stages' versions and the gates' rules."""
    profile = accept(request)
    asked = {
        "source": source_sha256,
        "name": request.video.stem,
        "languages": request.languages,
        "source_language": request.source_language,
        "burn_in": request.burn_in,
        "voices": request.voices,
        "engines": profile.engines,
        "glossary": request.glossary,
        "loudness": request.loudness,
        "stages": STAGES,
        "suites": {name: suite.digest() for name, suite in SUITES.items()},
    }
    return content_key("request", 1, asked)
