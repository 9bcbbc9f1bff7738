"""Put the spoken lines on the video's timeline."""

from __future__ import annotations

from dubline.domain import fitting
from dubline.domain.transcript import Transcript
from dubline.storage.results import Clips, Plan, Script, Timeline
from tasks.stage import artifacts, stage


@stage("place", result=Timeline)
def place(script: Script, plan: Plan, clips: Clips, duration_ms: int) -> Timeline:
    transcript = artifacts().load_value(script.artifact, Transcript)
    speech_plan = artifacts().load_value(plan.artifact, fitting.SpeechPlan)
    measured = {line.segment: line.clip.duration_ms for line in clips.lines if line.clip}
    return Timeline(artifact=artifacts().put_value(fitting.place(transcript, speech_plan, measured, duration_ms)))
