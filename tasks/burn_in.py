"""Make a further video with the subtitles in its picture, for who asks for it."""

from __future__ import annotations

from dubline.media.burn import burn
from dubline.storage.artifacts import local_path
from dubline.storage.results import Burned, Subtitles, Video
from dubline.telemetry.progress import teller
from tasks.stage import artifacts, stage


@stage("burn-in", result=Burned)
def burn_in(video: Video, subtitles: Subtitles, duration_ms: int) -> Burned:
    with artifacts().workspace() as folder:
        made = burn(local_path(video.artifact), local_path(subtitles.ass), folder, duration_ms, teller())
        return Burned(artifact=artifacts().adopt(made.path), missing="".join(made.missing))
