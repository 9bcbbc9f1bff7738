"""Names of engines, and what each stands for: a factory that is imported only when asked, and a fingerprint.

The fingerprint goes into every checkpoint key: it changes when the engine's own code version, a package it computes
with, its weights or its options change. It is told without importing the engine.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from dubline.acoustics.voice_activity import PACKAGES as VOICE_ACTIVITY
from dubline.domain.errors import InvalidRequest
from dubline.engines.contracts import Capability
from dubline.engines.models import ModelStore


class EngineSpec(BaseModel):
    """Which engine a profile asks for. `model` names an entry of models.yaml; the engine reads its own `options`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    capability: Capability
    engine: str
    """A name of ENGINES, or `module:Class` for an engine of your own."""
    model: str | None = None
    options: dict[str, str | int | float | bool] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EngineEntry:
    """A factory is called as `factory(spec, models)`; the class it names is the engine."""

    factory: str
    """`module:Class`."""
    version: int
    """Raised when the engine's own code begins to give other results."""
    packages: tuple[str, ...] = ()
    """Distributions whose version changes the result."""
    models: tuple[str, ...] = ()
    """Further models it needs beside the one the profile names."""
    model_options: tuple[str, ...] = ()
    """Options that name a further model."""
    data_digest: str | None = None
    """`module:function` that digests what the system's packages bring, for an engine that lives outside Python."""


ENGINES: dict[Capability, dict[str, EngineEntry]] = {
    "asr": {
        "faster-whisper": EngineEntry(
            "dubline.engines.asr.faster_whisper:FasterWhisper", 4, ("faster-whisper", "ctranslate2", "onnxruntime")
        ),
        "whisperx": EngineEntry(
            "dubline.engines.asr.whisperx:WhisperX",
            4,
            ("whisperx", "faster-whisper", "ctranslate2", "onnxruntime", "pyannote-audio", "transformers", "torch"),
            model_options=("align_model",),
        ),
    },
    "diarization": {
        "pyannote": EngineEntry(
            "dubline.engines.diarization.pyannote:PyannoteOffline",
            3,
            ("pyannote-audio", "torch", "scipy", *VOICE_ACTIVITY),
            ("pyannote-segmentation", "resemblyzer"),
        ),
        "pyannote-hub": EngineEntry(
            "dubline.engines.diarization.pyannote_hub:PyannoteHub", 2, ("pyannote-audio", "torch")
        ),
    },
    "separation": {
        "nearest-neighbours": EngineEntry(
            "dubline.engines.separation.nearest:NearestNeighbours", 2, ("numpy", "scipy", "soundfile")
        ),
        "demucs": EngineEntry("dubline.engines.separation.demucs:Demucs", 2, ("torch", "torchaudio", "soundfile")),
    },
    "translation": {
        "apertium": EngineEntry(
            "dubline.engines.translation.apertium:Apertium",
            4,
            data_digest="dubline.engines.translation.apertium_modes:data_digest",
        ),
        "nllb": EngineEntry("dubline.engines.translation.nllb:Nllb", 2, ("transformers", "tokenizers", "torch")),
        "opus-mt": EngineEntry(
            "dubline.engines.translation.opus_mt:OpusMt", 1, ("transformers", "sentencepiece", "torch")
        ),
    },
    "speech": {
        "kokoro": EngineEntry(
            "dubline.engines.speech.kokoro:KokoroSpeech",
            4,
            ("kokoro-onnx", "onnxruntime", "espeakng-loader", "unicode-rbnf"),
            ("kokoro-voices",),
            data_digest="dubline.engines.speech.kokoro:data_digest",
        ),
        "bark": EngineEntry(
            "dubline.engines.speech.bark:BarkSpeech",
            3,
            ("transformers", "tokenizers", "torch", "unicode-rbnf"),
            data_digest="dubline.engines.speech.spoken:digest",
        ),
    },
}


def entry(spec: EngineSpec) -> EngineEntry:
    """An engine of the table, or one of your own, named as `module:Class`. Raises InvalidRequest for a wrong name."""
    if ":" in spec.engine:
        return EngineEntry(spec.engine, 1)
    try:
        return ENGINES[spec.capability][spec.engine]
    except KeyError:
        known = ", ".join(sorted(ENGINES[spec.capability]))
        raise InvalidRequest(f"There is no {spec.capability} engine '{spec.engine}'; use one of: {known}.") from None


def engine_class(spec: EngineSpec) -> Any:
    """The engine's class, for what it tells without weights: languages, voices, rates. Heavy libraries stay out."""
    return _imported(entry(spec).factory)


def create(spec: EngineSpec, models: ModelStore) -> Any:
    """Build the engine. Weights are loaded here, so this is the slow call. Raises ModelMissing."""
    return engine_class(spec)(spec, models)


def models_of(spec: EngineSpec) -> tuple[str, ...]:
    """Names in models.yaml that the engine needs: the profile's, those its options name, and its own."""
    known = entry(spec)
    optional = tuple(str(spec.options[option]) for option in known.model_options if option in spec.options)
    return ((spec.model,) if spec.model else ()) + optional + known.models


def fingerprint(spec: EngineSpec, models: ModelStore) -> str:
    """Hex digest of everything that decides the engine's results, beside its input."""
    known = entry(spec)
    parts = {
        "engine": spec.engine,
        "version": known.version,
        "options": spec.options,
        "packages": {name: metadata.version(name) for name in known.packages},
        "models": {name: models.fingerprint(name) for name in models_of(spec)},
        "data": _imported(known.data_digest)() if known.data_digest else None,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _imported(path: str) -> Any:
    module, _, attribute = path.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ModuleNotFoundError, AttributeError) as error:
        raise InvalidRequest(f"The engine '{path}' cannot be imported: {error}.") from error
