"""Put picture, dub, original sound and subtitles into one file. The picture is copied, never encoded again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import ffmpeg
import soundfile

from dubline.domain.languages import language as language_of
from dubline.media.containers import Container, container_for, sound_codec, subtitle_codec
from dubline.media.inputs import file_url, open_media, open_own
from dubline.media.runner import Progress, run_ffmpeg
from dubline.storage.results import Source

_WIDE_BITRATE, _BITRATE = "384k", "192k"
"""AAC for more than two channels, and for one or two; ffmpeg-codecs recommends the fast coder there."""
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "stereo", 5: "5.0", 6: "5.1", 7: "5.1", 8: "5.1"}
"""Layout of the dub by the mix's channels. Others AAC writes in a way that players and meters cannot name."""


@dataclass(frozen=True, slots=True)
class SubtitleTrack:
    path: Path
    """SRT."""
    language: str
    """ISO 639-1."""
    title: str


@dataclass(slots=True)
class _Plan:
    """Streams of the output in order, and what is said of each."""

    streams: list[Any] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, stream: Any, codec: str, **options: str) -> str:
        """Append a stream of kind v, a or s; its specifier (such as `a:1`)."""
        specifier = f"{kind}:{self.counts.get(kind, 0)}"
        self.counts[kind] = self.counts.get(kind, 0) + 1
        self.streams.append(stream)
        self.options[f"c:{specifier}"] = codec
        self.options.update({f"{name}:{specifier}": value for name, value in options.items()})
        return specifier

    def tag(self, specifier: str, **tags: str) -> None:
        for name, value in tags.items():
            self.tags += [f"-metadata:s:{specifier}", f"{name}={value}"]


def mux(
    source_path: Path,
    source: Source,
    mix: Path | None,
    subtitles: Sequence[SubtitleTrack],
    language: str,
    folder: Path,
    progress: Progress | None = None,
) -> tuple[Path, Container]:
    """Write the dubbed video into `folder`; its path and container.

    Streams: the picture as it is; the dub (`mix`, FLAC; None keeps the original sound alone) in AAC, default, in
    `language` (ISO 639-1); each original sound track as it is (but see `container_for`), no longer default;
    `subtitles`; the source's own ones.
    Raises InvalidMedia, OutputUnavailable, MediaToolFailed.
    """
    container = container_for(source, source.picture is not None and source.picture.rotation != 0)
    # AVI stores no presentation times; without them a copied picture cannot be placed.
    media = open_media(source_path, fflags="+genpts")
    plan = _Plan()
    if source.picture is not None:
        hevc = {"tag": "hvc1"} if source.picture.codec == "hevc" and container == "mp4" else {}
        plan.add("v", media[str(source.picture.index)], "copy", **hevc)
    _add_sound(plan, media, source, mix, language, container)
    _add_subtitles(plan, media, source, subtitles, container)
    out = folder / f"dubbed.{container}"
    arguments = ffmpeg.get_args(ffmpeg.output(*plan.streams, file_url(out), **plan.options, **_muxer(container)))
    # ffmpeg-python cannot repeat an option and orders the inputs as it likes.
    arguments[-1:-1] = [*plan.tags, *_global_metadata(arguments, source_path)]
    run_ffmpeg(arguments, reading=source_path, progress=progress, duration_ms=source.duration_ms)
    return out, container


def _add_sound(plan: _Plan, media: Any, source: Source, mix: Path | None, language: str, container: Container) -> None:
    if mix is not None:
        target = language_of(language)
        channels = soundfile.info(mix).channels
        bitrate = _WIDE_BITRATE if channels > 2 else _BITRATE
        sound = open_own(mix, "flac").audio.filter("aformat", channel_layouts=_LAYOUTS[channels])
        dub = plan.add("a", sound, "aac", b=bitrate, aac_coder="fast", disposition="default")
        title = f"Dub ({target.name})"
        plan.tag(dub, language=target.iso3, title=title, handler_name=title)
    for track in source.tracks:
        kept = {} if mix is None else {"disposition": "-default"}
        plan.add("a", media[str(track.index)], sound_codec(track.codec, container), **kept)


def _add_subtitles(
    plan: _Plan, media: Any, source: Source, subtitles: Sequence[SubtitleTrack], container: Container
) -> None:
    encoder = "mov_text" if container == "mp4" else "subrip"
    for track in subtitles:
        if "-->" not in track.path.read_text(encoding="utf-8"):
            continue  # no cues: ffmpeg takes such a file for damaged
        specifier = plan.add("s", open_own(track.path, "srt")["s:0"], encoder, disposition="0")
        plan.tag(specifier, language=language_of(track.language).iso3, title=track.title, handler_name=track.title)
    for index, codec in source.subtitles:
        way = subtitle_codec(codec, container)
        if way is not None:
            plan.add("s", media[str(index)], way)


def _muxer(container: Container) -> dict[str, str]:
    if container == "mp4":
        return {"format": "mp4", "movflags": "+faststart"}
    # AAC begins with 21 ms of encoder delay before zero; by default the muxer would move the picture instead.
    return {"format": "matroska", "avoid_negative_ts": "disabled"}


def _global_metadata(arguments: list[str], source_path: Path) -> list[str]:
    """Title, chapters and so on come from the source, whichever of the inputs it is."""
    inputs = [value for name, value in pairwise(arguments) if name == "-i"]
    number = str(inputs.index(file_url(source_path)))
    return ["-map_metadata", number, "-map_chapters", number]
