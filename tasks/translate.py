"""Render every segment in the target language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dubline.domain.glossary import Glossary, normal
from dubline.domain.mending import Mends, rewritten
from dubline.domain.numerals import localized
from dubline.domain.transcript import Line, Segment, Transcript, Translation
from dubline.engines.contracts import TranslationRequest, TranslationResult
from dubline.engines.manager import manager
from dubline.engines.registry import EngineSpec, engine_class
from dubline.engines.translation import honour
from dubline.storage.results import Edits, Lines, Script
from dubline.telemetry.progress import teller
from tasks.stage import artifacts, stage

ALTERNATIVES = 4
"""Other wordings of each line, from engines that offer some: what fitting chooses from."""


@stage("translate", result=Lines)
def translate(script: Script, language: str, engine: EngineSpec, glossary: Glossary) -> Lines:
    """Render every segment; the glossary holds the terms of this language alone."""
    segments = artifacts().load_value(script.artifact, Transcript).segments
    return _rendered(segments, [script.artifact.sha256, language], script.language, language, engine, glossary)


@stage("translate-again", result=Lines)
def translate_again(
    heard: Script, script: Script, language: str, engine: EngineSpec, glossary: Glossary, edits: Edits
) -> Lines:
    """Render those segments alone whose text was edited and that have no translation of a person's; maybe none."""
    segments = rewritten(
        artifacts().load_value(heard.artifact, Transcript),
        artifacts().load_value(script.artifact, Transcript),
        artifacts().load_value(edits.artifact, Mends),
    )
    subjects = [script.artifact.sha256, language, *(segment.id for segment in segments)]
    return _rendered(segments, subjects, script.language, language, engine, glossary)


def _rendered(
    segments: Sequence[Segment], subjects: list[str], source: str, target: str, engine: EngineSpec, glossary: Glossary
) -> Lines:
    """`subjects` is what the ledger calls them."""
    texts = tuple((segment.id, segment.text) for segment in segments)
    found = TranslationResult((), ())
    if texts:
        with manager().use(engine, subjects) as translator:
            request = TranslationRequest(texts, source, target, ALTERNATIVES, glossary)
            found = honour.translate(translator, request, teller())
    used = glossary.within([normal(text) for _, text in texts])
    lines = tuple(
        _in_figures(line, normal(text), source, target, glossary)
        for line, (_, text) in zip(found.lines, texts, strict=True)
    )
    translation = Translation(source, target, lines, found.route, used)
    offered = engine_class(engine).offers_alternatives
    return Lines(artifact=artifacts().put_value(translation), language=target, alternatives=offered)


def _in_figures(line: Line, source: str, source_language: str, language: str, glossary: Glossary) -> Line:
    """The line with its figures as the language writes them; engines take them over as they stand."""
    text, *others = (
        localized(text, source, source_language, language, glossary) for text in (line.text, *line.alternatives)
    )
    return replace(line, text=text, alternatives=tuple(others))
