"""Put the spoken phrases on the video's timeline."""

from __future__ import annotations

from dubline.domain import placing
from dubline.domain.timeline import SpeechPlan
from dubline.domain.transcript import Transcript
from dubline.storage.results import Clips, Plan, Script, Timeline
from tasks.stage import artifacts, stage


@stage("place", result=Timeline)
def place(script: Script, plan: Plan, clips: Clips, duration_ms: int) -> Timeline:
    transcript = artifacts().load_value(script.artifact, Transcript)
    speech_plan = artifacts().load_value(plan.artifact, SpeechPlan)
    measured = {spoken.phrase: spoken.clip.duration_ms for spoken in clips.phrases if spoken.clip}
    return Timeline(artifact=artifacts().put_value(placing.place(transcript, speech_plan, measured, duration_ms)))
