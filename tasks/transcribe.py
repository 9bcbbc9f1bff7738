"""Recognize what is said, word by word."""

from __future__ import annotations

from dubline.engines.contracts import TranscriptionRequest
from dubline.engines.manager import manager
from dubline.engines.registry import EngineSpec
from dubline.storage.artifacts import local_path
from dubline.storage.results import Audio, Words
from dubline.telemetry.progress import teller
from tasks.stage import artifacts, stage


@stage("transcribe", result=Words)
def transcribe(audio: Audio, language: str | None, engine: EngineSpec) -> Words:
    with manager().use(engine, [audio.speech.sha256]) as asr:
        found = asr.transcribe(TranscriptionRequest(local_path(audio.speech), language), teller())
    return Words(artifact=artifacts().put_value(found), language=found.language, count=len(found.words))
