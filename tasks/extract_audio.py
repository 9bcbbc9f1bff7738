"""Take the sound out of the video: one full track to mix with, one for the recognizers."""

from __future__ import annotations

from dubline.acoustics.voice_activity import PACKAGES
from dubline.media.extract import extract_audio as extract
from dubline.media.inputs import source_file
from dubline.storage.results import Audio, Source
from dubline.telemetry.progress import teller
from tasks.stage import artifacts, stage


@stage("extract-audio", result=Audio, packages=PACKAGES)
def extract_audio(source: Source) -> Audio:
    with artifacts().workspace() as folder:
        with source_file(source.file) as path:
            full, speech, duration_ms, channels = extract(path, source, folder, teller())
        return Audio(
            full=artifacts().adopt(full),
            speech=artifacts().adopt(speech),
            duration_ms=duration_ms,
            channels=channels,
        )
