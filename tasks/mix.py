"""Lay the dubbed phrases over the background that is left where they sound."""

from __future__ import annotations

from dubline.domain import original_sound
from dubline.domain.timeline import FittedTimeline, SpeechPlan
from dubline.domain.transcript import Transcript
from dubline.media.mixing import MixLine, Original
from dubline.media.mixing import mix as mix_files
from dubline.storage.artifacts import local_path
from dubline.storage.results import Audio, Clips, Mix, Plan, Script, Stems, Timeline
from dubline.telemetry.progress import teller
from tasks.stage import artifacts, stage

BACKGROUND_DB = 0.0
"""How far the separated background goes down under the dub. Not at all: bench/results/background.json shows that the
judge hears the dub as well as with less background, and next to nothing of the original language in it."""


@stage("mix", result=Mix)
def mix(
    audio: Audio, stems: Stems, script: Script, plan: Plan, clips: Clips, timeline: Timeline, loudness: float | None
) -> Mix:
    transcript = artifacts().load_value(script.artifact, Transcript)
    fitted = artifacts().load_value(timeline.artifact, FittedTimeline)
    slots = {phrase.id: phrase.slot for phrase in artifacts().load_value(plan.artifact, SpeechPlan).phrases}
    files = {spoken.phrase: local_path(spoken.clip.artifact) for spoken in clips.phrases if spoken.clip}
    lines = [
        MixLine(
            files[phrase.id],
            phrase.span.start_ms,
            phrase.stretch,
            duck=original_sound.with_margin(phrase.span),
            said=slots[phrase.id],
        )
        for phrase in fitted.phrases
    ]
    with artifacts().workspace() as folder:
        out = folder / "mix.flac"
        original = Original(
            local_path(audio.full),
            local_path(stems.background),
            original_sound.replaced(transcript, fitted),
            original_sound.stays(transcript, fitted),
        )
        mix_files(original, lines, out, background_db=BACKGROUND_DB, target_lufs=loudness, progress=teller())
        return Mix(artifact=artifacts().adopt(out))
