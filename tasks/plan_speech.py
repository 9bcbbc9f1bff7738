"""Choose a voice for every speaker, a wording for every line and a speed for every phrase, before any is spoken."""

from __future__ import annotations

from dubline.domain.casting import VoiceChoice, cast
from dubline.domain.planning import plan
from dubline.domain.transcript import Transcript, Translation
from dubline.engines.registry import EngineSpec, engine_class
from dubline.storage.results import Lines, Plan, Script
from tasks.stage import artifacts, stage


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
        predict_ms=lambda text, voice: speech.predicted_ms(text, lines.language, voice),
        rates=speech.rates,
        duration_ms=duration_ms,
    )
    return Plan(artifact=artifacts().put_value(chosen))
