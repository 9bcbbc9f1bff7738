"""Does Matroska give a picture back as it was? For codecs of which that is not known, the first frames tell."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import ffmpeg

from dubline.domain.errors import InvalidMedia, MediaToolFailed
from dubline.media.containers import MATROSKA_PICTURE
from dubline.media.inputs import file_url, open_media, printable, shown
from dubline.media.runner import run_ffmpeg
from dubline.storage.chosen import artifact_store
from dubline.storage.results import Picture

_FRAMES = 5
"""Codecs that are tried have no frames out of order, so the first packets are the first frames."""


def require_held(path: Path, picture: Picture, container: str) -> bool:
    """Whether Matroska holds the picture. QuickTime holds what came from it; raises InvalidMedia where nothing does."""
    if picture.codec in MATROSKA_PICTURE or _comes_back(path, picture.index):
        return True
    if container == "mov":
        return False
    name, target = shlex.quote(shown(path)), shlex.quote(printable(f"{path.stem}.ffv1.mkv"))
    raise InvalidMedia(
        f"The picture of '{shown(path)}' ({picture.codec}) fits into no container that Dubline writes; convert it "
        f"without loss first: ffmpeg -i {name} -c:v ffv1 -c:a copy {target}"
    )


def _comes_back(path: Path, index: int) -> bool:
    with artifact_store().workspace() as folder:
        out = folder / "trial.mkv"
        try:
            picture = open_media(path, fflags="+genpts")[str(index)]
            run_ffmpeg(ffmpeg.output(picture, file_url(out), c="copy", format="matroska", **{"frames:v": _FRAMES}))
            return _frames(path, str(index)) == _frames(out, "V:0")
        except (InvalidMedia, MediaToolFailed):
            return False


def _frames(path: Path, stream: str) -> str:
    picture: Any = open_media(path)[stream]
    wanted = {"c:v": "rawvideo", "frames:v": _FRAMES, "format": "hash", "hash": "sha256"}
    return run_ffmpeg(ffmpeg.output(picture, "pipe:1", fps_mode="passthrough", **wanted), reading=path).stdout
