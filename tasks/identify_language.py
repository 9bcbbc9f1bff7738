"""Tell which language is spoken, beside the one that was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import soundfile

from dubline.domain import heard
from dubline.domain.time import Span
from dubline.engines.contracts import Transcriber
from dubline.engines.manager import manager
from dubline.engines.registry import EngineSpec
from dubline.storage.artifacts import local_path
from dubline.storage.results import ArtifactRef, Heard, Words
from tasks.stage import stage

SURE = 0.7
"""Of a language that the recognizer found by itself."""


@stage("identify-language", result=Heard)
def identify_language(sample: ArtifactRef, asked: str, engine: EngineSpec) -> Heard:
    """`sample` is speech without pauses: FLAC, 16 kHz, mono, not empty."""
    path = local_path(sample)
    length_ms = soundfile.info(path).frames * 1000 // soundfile.info(path).samplerate
    starts = range(0, max(length_ms - heard.WINDOW_MS // 2, 1), heard.WINDOW_MS)
    windows = [Span(start, min(start + heard.WINDOW_MS, length_ms)) for start in starts]
    with manager().use(engine, [sample.sha256]) as asr:
        return heard_in(asr, path, windows, asked)


def heard_in(asr: Transcriber, audio: Path, windows: Sequence[Span], asked: str) -> Heard:
    """What the recognizer hears in windows of speech, of which there is one at least."""
    language, probability, share = heard.told(asr.languages(audio, windows), asked)
    return Heard(language=language, probability=probability, asked=share)


def contradicts(one: Heard, asked: str) -> bool:
    """Whether another language than the one asked for is clearly heard."""
    return heard.is_other(one.language, one.probability, asked, one.asked)


def original_language(words: Words | None) -> str | None:
    """The spoken language, where it is known well enough to be written down."""
    if words is None or words.count == 0 or words.confidence < SURE:
        return None
    return None if words.heard and contradicts(words.heard, words.language) else words.language
