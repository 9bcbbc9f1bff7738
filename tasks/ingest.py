"""Accept a source video: look whether it can be read, fingerprint it, probe it."""

from __future__ import annotations

from pathlib import Path

from dubline.media.inputs import check_file
from dubline.media.probe import probe
from dubline.storage.artifacts import reference
from dubline.storage.results import Source
from tasks.stage import stage


@stage("ingest", result=Source, checkpoint=False)
def ingest(video: str) -> Source:
    check_file(Path(video))
    return probe(reference(Path(video)))
