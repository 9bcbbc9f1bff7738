"""Accept a source video: look whether it can be read, fingerprint it, probe it."""

from __future__ import annotations

from dubline.media.inputs import source_file, source_reference
from dubline.media.intake import take_in
from dubline.media.tracks import named
from dubline.storage.locations import located_video
from dubline.storage.results import Source
from tasks.stage import stage


@stage("ingest", result=Source, checkpoint=False)
def ingest(video: str, track: str | None) -> Source:
    """`track` is the number or the title of the audio track to dub; without one it is the default track at first."""
    file = source_reference(located_video(video))
    with source_file(file):
        source = take_in(file)
    return source if track is None else source.model_copy(update={"dubbed_track": named(source, track).index})
