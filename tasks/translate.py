"""Render every segment in the target language."""

from __future__ import annotations

from dubline.domain.transcript import Transcript, Translation
from dubline.engines.contracts import TranslationRequest
from dubline.engines.manager import manager
from dubline.engines.registry import EngineSpec
from dubline.storage.results import Lines, Script
from dubline.telemetry.progress import teller
from tasks.stage import artifacts, stage


@stage("translate", result=Lines)
def translate(script: Script, language: str, engine: EngineSpec) -> Lines:
    transcript = artifacts().load_value(script.artifact, Transcript)
    texts = tuple((segment.id, segment.text) for segment in transcript.segments)
    with manager().use(engine, [script.artifact.sha256, language]) as translator:
        found = translator.translate(TranslationRequest(texts, script.language, language), teller())
    translation = Translation(script.language, language, found.lines, found.route)
    return Lines(artifact=artifacts().put_value(translation), language=language)
