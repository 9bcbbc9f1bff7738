"""Choose a voice for every speaker and a speed for every line, before anything is spoken."""

from __future__ import annotations

from dubline.domain.casting import VoiceChoice, cast
from dubline.domain.fitting import plan
from dubline.domain.transcript import Transcript, Translation
from dubline.engines.registry import EngineSpec, engine_class
from dubline.storage.results import Lines, Plan, Script
from tasks.stage import artifacts, stage


@stage("plan-speech", result=Plan)
def plan_speech(script: Script, lines: Lines, engine: EngineSpec) -> Plan:
    transcript = artifacts().load_value(script.artifact, Transcript)
    translation = artifacts().load_value(lines.artifact, Translation)
    speech = engine_class(engine)
    choices = tuple(VoiceChoice(v.id, v.register, v.native, v.median_f0_hz) for v in speech.voices(lines.language))
    chosen = plan(
        transcript,
        translation,
        voices=cast(transcript.speakers, choices),
        predict_ms=speech.predicted_ms,
        rates=speech.rates,
    )
    return Plan(artifact=artifacts().put_value(chosen))
