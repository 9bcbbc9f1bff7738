"""Render every segment in the target language."""

from __future__ import annotations

from dataclasses import replace

from dubline.domain.glossary import Glossary, normal
from dubline.domain.numerals import localized
from dubline.domain.transcript import Line, Transcript, Translation
from dubline.engines.contracts import TranslationRequest
from dubline.engines.manager import manager
from dubline.engines.registry import EngineSpec, engine_class
from dubline.engines.translation import honour
from dubline.storage.results import Lines, Script
from dubline.telemetry.progress import teller
from tasks.stage import artifacts, stage

ALTERNATIVES = 4
"""Other wordings of each line, from engines that offer some: what fitting chooses from."""


@stage("translate", result=Lines)
def translate(script: Script, language: str, engine: EngineSpec, glossary: Glossary) -> Lines:
    """Render every segment; the glossary holds the terms of this language alone."""
    transcript = artifacts().load_value(script.artifact, Transcript)
    texts = tuple((segment.id, segment.text) for segment in transcript.segments)
    with manager().use(engine, [script.artifact.sha256, language]) as translator:
        request = TranslationRequest(texts, script.language, language, ALTERNATIVES, glossary)
        found = honour.translate(translator, request, teller())
    used = glossary.within([normal(text) for _, text in texts])
    lines = tuple(
        _in_figures(line, normal(text), script.language, language, glossary)
        for line, (_, text) in zip(found.lines, texts, strict=True)
    )
    translation = Translation(script.language, language, lines, found.route, used)
    offered = engine_class(engine).offers_alternatives
    return Lines(artifact=artifacts().put_value(translation), language=language, alternatives=offered)


def _in_figures(line: Line, source: str, source_language: str, language: str, glossary: Glossary) -> Line:
    """The line with its figures as the language writes them; engines take them over as they stand."""
    text, *others = (
        localized(text, source, source_language, language, glossary) for text in (line.text, *line.alternatives)
    )
    return replace(line, text=text, alternatives=tuple(others))
