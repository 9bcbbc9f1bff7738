"""Accept a source video: look whether it can be read, fingerprint it, probe it."""

from __future__ import annotations

from dubline.media.inputs import source_reference
from dubline.media.probe import probe
from dubline.storage.locations import located
from dubline.storage.results import Source
from tasks.stage import stage


@stage("ingest", result=Source, checkpoint=False)
def ingest(video: str) -> Source:
    return probe(source_reference(located(video)))
