"""Recognize what is said, word by word."""

from __future__ import annotations

from dubline.domain import heard
from dubline.engines.contracts import TranscriptionRequest
from dubline.engines.manager import manager
from dubline.engines.registry import EngineSpec
from dubline.storage.artifacts import local_path
from dubline.storage.results import Audio, Words
from dubline.telemetry.progress import teller
from tasks.identify_language import heard_in
from tasks.stage import artifacts, stage


@stage("transcribe", result=Words)
def transcribe(audio: Audio, language: str | None, engine: EngineSpec) -> Words:
    path = local_path(audio.speech)
    with manager().use(engine, [audio.speech.sha256]) as asr:
        found = asr.transcribe(TranscriptionRequest(path, language), teller())
        windows = heard.windows([word.span for word in found.words])
        other = heard_in(asr, path, windows, language) if language and windows else None
    return Words(
        artifact=artifacts().put_value(found),
        language=found.language,
        confidence=found.language_confidence,
        count=len(found.words),
        heard=other,
    )
