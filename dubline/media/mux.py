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
from dubline.media.containers import Container, container_for, holds, sound_codec, subtitle_codec
from dubline.media.inputs import file_url, open_media, open_own, probing_arguments
from dubline.media.mp4_tracks import switch_subtitles_off
from dubline.media.order import InOrder
from dubline.media.runner import Progress, run_ffmpeg
from dubline.storage.results import Beside, Source

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
    original: str | None = None,
    in_order: InOrder | None = None,
) -> tuple[Path, Container]:
    """Write the dubbed video into `folder`; its path and container.

    Streams: the picture as it is; the dub (`mix`, FLAC; None keeps the original sound alone) in AAC, default, in
    `language` (ISO 639-1); each original sound track as it is, or without loss where the container cannot hold it, no
    longer default; `subtitles`, off; the source's own ones; and what else the source has that the container can hold.
    Of a picture that the source has in disorder `in_order` is taken. A dubbed track without a language gets `original`
    (ISO 639-1) if given.
    Raises InvalidMedia, OutputUnavailable, MediaToolFailed.
    """
    container = container_for(source)
    # AVI stores no presentation times; without them a copied picture cannot be placed.
    media = open_media(source_path, fflags="+genpts")
    plan = _Plan()
    _add_picture(plan, media, source, in_order, container)
    _add_sound(plan, media, source, mix, language, container, original)
    _add_subtitles(plan, media, source, subtitles, container)
    attached = _add_beside(plan, media, source, source_path, folder, container)
    out = folder / f"dubbed.{container}"
    arguments = ffmpeg.get_args(
        ffmpeg.output(*plan.streams, file_url(out), **plan.options, **_muxer(source, container))
    )
    # ffmpeg-python cannot repeat an option, orders the inputs as it likes, and knows only those that streams come from.
    if file_url(source_path) not in _inputs(arguments):
        behind = len(arguments) - arguments[::-1].index("-i") + 1
        arguments[behind:behind] = probing_arguments(source_path)
    arguments[-1:-1] = [*attached, *plan.tags, *_global_metadata(arguments, source_path, container)]
    run_ffmpeg(arguments, reading=source_path, progress=progress, duration_ms=source.duration_ms)
    if container != "mkv" and not source.shown_subtitles:
        switch_subtitles_off(out)
    return out, container


def _add_picture(plan: _Plan, media: Any, source: Source, in_order: InOrder | None, container: Container) -> None:
    if source.picture is None:
        return
    assert source.picture.disordered == (in_order is not None)  # noqa: S101 - or it would be shown in disorder
    hevc = {"tag": "hvc1"} if source.picture.codec == "hevc" and container != "mkv" else {}
    if in_order is None:
        plan.add("v", media[str(source.picture.index)], "copy", **hevc)
        return
    stream = open_own(in_order.path, "mov", itsoffset=f"{in_order.begin_s:.6f}")["v:0"]
    picture = plan.add("v", stream, "copy", disposition="+".join(in_order.marks) or "0", **hevc)
    plan.tag(picture, **in_order.tags)


def _add_sound(
    plan: _Plan,
    media: Any,
    source: Source,
    mix: Path | None,
    language: str,
    container: Container,
    original: str | None,
) -> None:
    if mix is not None:
        target = language_of(language)
        channels = soundfile.info(mix).channels
        bitrate = _WIDE_BITRATE if channels > 2 else _BITRATE
        sound = open_own(mix, "flac").audio.filter("aformat", channel_layouts=_LAYOUTS[channels])
        dub = plan.add("a", sound, "aac", b=bitrate, aac_coder="fast", disposition="default+dub")
        title = f"Dub ({target.name})"
        plan.tag(dub, language=target.iso3, title=title, handler_name=title)
    for track in source.tracks:
        kept = {} if mix is None else {"disposition": "-default"}
        codec, *more = sound_codec(track, container).items()
        kept_track = plan.add("a", media[str(track.index)], codec[1], **dict(more), **kept)
        if track.title and container != "mkv":
            plan.tag(kept_track, handler_name=track.title)  # the place that MP4 has for a title
        if original and track.language is None and track.index == source.dubbed_track:
            plan.tag(kept_track, language=language_of(original).iso3)


def _add_subtitles(
    plan: _Plan, media: Any, source: Source, subtitles: Sequence[SubtitleTrack], container: Container
) -> None:
    encoder = "subrip" if container == "mkv" else "mov_text"
    for track in subtitles:
        if "-->" not in track.path.read_text(encoding="utf-8"):
            continue  # no cues: ffmpeg takes such a file for damaged
        specifier = plan.add("s", open_own(track.path, "srt")["s:0"], encoder, disposition="0")
        plan.tag(specifier, language=language_of(track.language).iso3, title=track.title, handler_name=track.title)
    for index, codec in source.subtitles:
        way = subtitle_codec(codec, container)
        if way is not None:
            plan.add("s", media[str(index)], way)


def _add_beside(
    plan: _Plan, media: Any, source: Source, source_path: Path, folder: Path, container: Container
) -> list[str]:
    """Add what the container can hold; arguments that attach covers as files, as Matroska has them."""
    kept = [stream for stream in source.beside if holds(container, stream)]
    for stream in kept:
        if stream.kind != "cover":
            plan.add("t" if stream.kind == "attachment" else "v", media[str(stream.index)], "copy")
    covers = [stream for stream in kept if stream.kind == "cover"]
    if container == "mkv":
        return _attached(covers, source_path, folder, plan.counts.get("t", 0))
    for stream in covers:
        plan.add("v", media[str(stream.index)], "copy", disposition="attached_pic")
    return []


def _attached(covers: Sequence[Beside], source_path: Path, folder: Path, before: int) -> list[str]:
    """ffmpeg would make a film of one frame out of a cover that is copied into Matroska."""
    arguments = []
    for place, cover in enumerate(covers, start=before):
        kind = "png" if cover.codec == "png" else "jpg" if cover.codec == "mjpeg" else cover.codec
        out = folder / f"cover-{place}.{kind}"
        picture = open_media(source_path)[str(cover.index)]
        run_ffmpeg(ffmpeg.output(picture, file_url(out), c="copy", format="rawvideo"), reading=source_path)
        mime = cover.mime or f"image/{kind.replace('jpg', 'jpeg')}"
        named = cover.name or f"cover.{kind}"
        arguments += ["-attach", file_url(out)]
        arguments += [f"-metadata:s:t:{place}", f"mimetype={mime}", f"-metadata:s:t:{place}", f"filename={named}"]
    return arguments


def _muxer(source: Source, container: Container) -> dict[str, str]:
    # How Dolby Vision is to be shown, ffmpeg writes only where it may go beyond the standards that it knows.
    strict = {"strict": "unofficial"} if source.picture and source.picture.dolby_vision is not None else {}
    if container != "mkv":
        return {"format": container, "movflags": "+faststart", **strict}
    # AAC begins with 21 ms of encoder delay before zero; by default the muxer would move the picture instead.
    return {"format": "matroska", "avoid_negative_ts": "disabled", "default_mode": "passthrough", **strict}


def _inputs(arguments: list[str]) -> list[str]:
    return [value for name, value in pairwise(arguments) if name == "-i"]


def _global_metadata(arguments: list[str], source_path: Path, container: Container) -> list[str]:
    """Title, chapters and so on come from the source, whichever of the inputs it is.

    What tells of the source's own container is left out, and so is its timecode, which the picture's stream has, too:
    ffmpeg would give a timecode track to every cover.
    """
    inputs = _inputs(arguments)
    number = str(inputs.index(file_url(source_path)))
    stale = ["timecode"] if container != "mkv" else ["major_brand", "minor_version", "compatible_brands"]
    return ["-map_metadata", number, "-map_chapters", number, *(w for tag in stale for w in ("-metadata", f"{tag}="))]
