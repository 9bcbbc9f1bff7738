"""Tell who speaks when."""

from __future__ import annotations

from dubline.engines.contracts import DiarizationRequest
from dubline.engines.manager import manager
from dubline.engines.registry import EngineSpec
from dubline.storage.artifacts import local_path
from dubline.storage.results import Audio, Turns
from dubline.telemetry.progress import teller
from tasks.stage import artifacts, stage


@stage("diarize", result=Turns)
def diarize(audio: Audio, engine: EngineSpec) -> Turns:
    with manager().use(engine, [audio.speech.sha256]) as diarizer:
        found = diarizer.diarize(DiarizationRequest(local_path(audio.speech)), teller())
    return Turns(artifact=artifacts().put_value(found), speakers=len(found.speakers))
