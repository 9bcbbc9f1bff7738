"""Put picture, dub, original sound and subtitles into one file; the picture is copied, not encoded again."""

from __future__ import annotations

from dubline.domain.languages import language as named
from dubline.media.inputs import source_file
from dubline.media.mux import SubtitleTrack
from dubline.media.mux import mux as mux_files
from dubline.media.order import InOrder
from dubline.storage.artifacts import local_path
from dubline.storage.results import Mix, OrderedPicture, Source, Subtitles, Video
from dubline.telemetry.progress import teller
from tasks.stage import artifacts, stage


@stage("mux", result=Video)
def mux(
    source: Source,
    dub: Mix | None,
    subtitles: tuple[Subtitles, ...],
    language: str,
    original: str | None,
    ordered: OrderedPicture | None = None,
) -> Video:
    """Without a dub the original sound is the only one: nobody speaks, or there is no sound at all.

    `original` is the language that is spoken in the source, where it is known; `ordered` its picture, where the source
    has that in disorder.
    """
    tracks = tuple(SubtitleTrack(local_path(s.srt), s.language, named(s.language).name) for s in subtitles)
    sound = local_path(dub.artifact) if dub else None
    shown = InOrder(local_path(ordered.artifact), ordered.begin_s, ordered.tags, ordered.marks) if ordered else None
    with artifacts().workspace() as folder:
        with source_file(source.file) as picture:
            path, container = mux_files(picture, source, sound, tracks, language, folder, teller(), original, shown)
        return Video(artifact=artifacts().adopt(path), container=container)
