"""Which container holds what. MP4 plays everywhere and is taken where it holds every stream as it is; else Matroska."""

from __future__ import annotations

from typing import Literal

from dubline.storage.results import Source

Container = Literal["mp4", "mkv"]

MP4_PICTURE = {"h264", "hevc", "av1", "mpeg4", "vp9"}
MP4_SOUND = {"aac", "mp3", "ac3", "eac3", "opus", "alac"}
"""Codecs that have a registered place in MP4 and that common players expect there (mp4ra.org)."""
TEXT_SUBTITLES = {"subrip", "srt", "text", "ass", "ssa", "webvtt", "mov_text"}
PICTURE_SUBTITLES = {"hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle"}
"""Bitmaps cannot become text; only Matroska holds all three. Other kinds (teletext, captions) are not carried on."""
_MATROSKA_TEXT = {"subrip", "srt", "ass", "ssa", "webvtt"}


def container_for(source: Source, rotated: bool = False) -> Container:
    """The container of the dubbed video, from the streams that are copied into it.

    ffmpeg before 6.1 cannot write into Matroska that a picture is to be shown `rotated`; so MP4 takes PCM for such a
    picture, which `sound_codec` then makes ALAC of, without loss.
    """
    fits = (
        (source.picture is None or source.picture.codec in MP4_PICTURE)
        and all(track.codec in MP4_SOUND or (rotated and _is_pcm(track.codec)) for track in source.tracks)
        and not any(codec in PICTURE_SUBTITLES for _, codec in source.subtitles)
    )
    return "mp4" if fits else "mkv"


def sound_codec(codec: str, container: Container) -> str:
    """How a sound track of the source goes into the container."""
    return "alac" if container == "mp4" and _is_pcm(codec) else "copy"


def _is_pcm(codec: str) -> bool:
    return codec.startswith("pcm_")


def subtitle_codec(codec: str, container: Container) -> str | None:
    """How a subtitle stream of the source goes into the container (an ffmpeg encoder or `copy`), None if it cannot."""
    if container == "mp4":
        return "mov_text" if codec in TEXT_SUBTITLES else None
    if codec in _MATROSKA_TEXT or codec in PICTURE_SUBTITLES:
        return "copy"
    return "subrip" if codec in TEXT_SUBTITLES else None
