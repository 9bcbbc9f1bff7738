"""Accept a source video: look whether it can be read, fingerprint it, probe it."""

from __future__ import annotations

from dubline.media.inputs import source_file, source_reference
from dubline.media.intake import take_in
from dubline.storage.locations import located_video
from dubline.storage.results import Source
from tasks.stage import stage


@stage("ingest", result=Source, checkpoint=False)
def ingest(video: str) -> Source:
    file = source_reference(located_video(video))
    with source_file(file):
        return take_in(file)
