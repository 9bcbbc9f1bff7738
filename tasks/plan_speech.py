"""Choose a voice for every speaker, a wording for every line and a speed for every phrase, before any is spoken."""

from __future__ import annotations

from collections.abc import Callable

from dubline.domain.casting import VoiceChoice, cast
from dubline.domain.planning import plan
from dubline.domain.transcript import Transcript, Translation
from dubline.engines.registry import EngineSpec, engine_class
from dubline.storage.results import Lines, Plan, Script
from tasks.stage import artifacts, stage


def predictor(engine: EngineSpec, language: str) -> Callable[[str, str], float]:
    """How long a text takes in a voice at speed 1, in ms."""
    speech = engine_class(engine)
    return lambda text, voice: float(speech.predicted_ms(text, language, voice))


@stage("plan-speech", result=Plan)
def plan_speech(script: Script, lines: Lines, engine: EngineSpec, duration_ms: int, overrides: dict[str, str]) -> Plan:
    transcript = artifacts().load_value(script.artifact, Transcript)
    translation = artifacts().load_value(lines.artifact, Translation)
    speech = engine_class(engine)
    choices = tuple(
        VoiceChoice(v.id, v.register, v.native, v.median_f0_hz, v.embedding, v.embedding_space)
        for v in speech.voices(lines.language)
    )
    chosen = plan(
        transcript,
        translation,
        voices=cast(transcript.speakers, choices, overrides),
        predict_ms=predictor(engine, lines.language),
        rates=speech.rates,
        duration_ms=duration_ms,
    )
    return Plan(artifact=artifacts().put_value(chosen))
