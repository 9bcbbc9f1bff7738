"""Which container holds what.

MP4 plays everywhere and is taken where it holds every stream as it is. Else it is Matroska, which holds nearly all; and
QuickTime for a QuickTime picture that Matroska would spoil. A Matroska source stays Matroska as soon as there is
something in it that MP4 would change: subtitles, attached files, titles and marks of tracks, tags of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from dubline.storage.results import Beside, Source, Track

Container = Literal["mp4", "mkv", "mov"]
NAMES: dict[Container, str] = {"mp4": "MP4", "mkv": "Matroska", "mov": "QuickTime"}

MP4_PICTURE = {"h264", "hevc", "av1", "mpeg4", "vp9"}
MP4_SOUND = {"aac", "mp3", "ac3", "eac3", "opus", "alac"}
"""Codecs that have a registered place in MP4 and that common players expect there (mp4ra.org)."""
MATROSKA_PICTURE = {
    *MP4_PICTURE,
    *(
        "vp8",
        "mpeg1video",
        "mpeg2video",
        "msmpeg4v1",
        "msmpeg4v2",
        "msmpeg4v3",
        "wmv1",
        "wmv2",
        "wmv3",
        "vc1",
        "theora",
    ),
    *("mjpeg", "prores", "dnxhd", "dvvideo", "ffv1", "huffyuv", "ffvhuff", "utvideo", "flv1", "vp6", "vp6f", "h263"),
    *("rv30", "rv40", "cavs", "cinepak", "svq1", "cfhd", "jpeg2000"),
}
"""Pictures that come back from Matroska as they were; of others that is tried with the file at hand."""
MATROSKA_SOUND = {
    *("aac", "aac_latm", "ac3", "eac3", "dts", "truehd", "mlp", "mp1", "mp2", "mp3", "opus", "vorbis", "flac", "alac"),
    *("wavpack", "tta", "wmav1", "wmav2", "wmapro", "wmalossless", "wmavoice", "pcm_alaw", "pcm_mulaw", "pcm_u8"),
    *("pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be", "pcm_f32le", "pcm_f64le"),
}
"""Sound that comes back as it was and that players know there."""
QUICKTIME_SOUND = {
    *(
        "aac",
        "mp3",
        "ac3",
        "alac",
        "adpcm_ima_qt",
        "pcm_alaw",
        "pcm_mulaw",
        "pcm_s8",
        "pcm_u8",
        "pcm_s16le",
        "pcm_s16be",
    ),
    *("pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be", "pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be"),
}
TEXT_SUBTITLES = {"subrip", "srt", "text", "ass", "ssa", "webvtt", "mov_text"}
PICTURE_SUBTITLES = {"hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle"}
"""Bitmaps cannot become text; only Matroska holds all three. Other kinds (teletext, captions) are not carried on."""
_MATROSKA_TEXT = {"subrip", "srt", "ass", "ssa", "webvtt"}
_MP4_COVERS = {"mjpeg", "png"}
_FLAC_CHANNELS = 8


def container_for(source: Source) -> Container:
    """The container of the dubbed video, from the streams that are copied into it.

    ffmpeg before 6.1 cannot write into Matroska that a picture is to be shown rotated; so MP4 takes PCM for such a
    picture, of which `sound_codec` then makes ALAC, without loss, and QuickTime what MP4 cannot take.
    """
    rotated = source.picture is not None and source.picture.rotation != 0
    if not _bound_to_matroska(source) and _fits_mp4(source, rotated):
        return "mp4"
    spoiled = source.picture is not None and not source.picture.matroska
    return "mov" if source.container in ("mov", "mp4") and (rotated or spoiled) else "mkv"


def _bound_to_matroska(source: Source) -> bool:
    files = any(stream.kind in ("cover", "attachment") for stream in source.beside)
    return source.container == "mkv" and (files or bool(source.subtitles) or source.beyond_mp4)


def _fits_mp4(source: Source, rotated: bool) -> bool:
    pictures = [stream.codec for stream in source.beside if stream.kind == "picture"]
    if source.picture is not None:
        pictures.append(source.picture.codec)
    return (
        all(codec in MP4_PICTURE for codec in pictures)
        and all(track.codec in MP4_SOUND or (rotated and _alac_holds(track)) for track in source.tracks)
        and not any(codec in PICTURE_SUBTITLES for _, codec in source.subtitles)
    )


def sound_codec(track: Track, container: Container) -> dict[str, str]:
    """How a sound track of the source goes into the container: copied, or as what holds its samples without loss.

    The names are ffmpeg's options of a stream; `c` is an encoder or `copy`.
    """
    if track.codec in {"mp4": MP4_SOUND, "mkv": MATROSKA_SOUND, "mov": QUICKTIME_SOUND}[container]:
        return {"c": "copy"}
    if container == "mp4":
        return {"c": "alac", **_depth(track, planar="p")}
    if container == "mkv" and _whole(track) and track.channels <= _FLAC_CHANNELS:
        return {"c": "flac", **_depth(track)}
    return {"c": _PCM[track.samples.removesuffix("p")]}


_PCM = {"u8": "pcm_s16le", "s16": "pcm_s16le", "s32": "pcm_s32le", "flt": "pcm_f32le", "dbl": "pcm_f64le"}
"""ffmpeg's formats of decoded samples, and the PCM that has room for each."""
KEPT_SAMPLES = {*_PCM, *(f"{name}p" for name in _PCM)}


def _whole(track: Track) -> bool:
    """Whether its samples are whole numbers of at most 24 bits: what FLAC and ALAC hold."""
    name = track.samples.removesuffix("p")
    return name in ("u8", "s16") or (name == "s32" and 0 < track.bits <= 24)


def _alac_holds(track: Track) -> bool:
    return _whole(track) and track.channels <= _FLAC_CHANNELS


def _depth(track: Track, planar: str = "") -> dict[str, str]:
    wide = track.samples.startswith("s32")
    return {"sample_fmt": f"s32{planar}", "bits_per_raw_sample": "24"} if wide else {"sample_fmt": f"s16{planar}"}


def subtitle_codec(codec: str, container: Container) -> str | None:
    """How a subtitle stream of the source goes into the container (an ffmpeg encoder or `copy`), None if it cannot."""
    if container != "mkv":
        return "copy" if codec == "mov_text" else "mov_text" if codec in TEXT_SUBTITLES else None
    if codec in _MATROSKA_TEXT or codec in PICTURE_SUBTITLES:
        return "copy"
    return "subrip" if codec in TEXT_SUBTITLES else None


def holds(container: Container, stream: Beside) -> bool:
    """Whether a stream that Dubline does not work on goes into the container as it is."""
    match stream.kind:
        case "picture":
            return stream.codec in (MP4_PICTURE if container == "mp4" else MATROSKA_PICTURE)
        case "cover":
            return stream.codec in _MP4_COVERS if container == "mp4" else container == "mkv"
        case "attachment":
            return container == "mkv"
    return False


def left_out(source: Source) -> tuple[str, ...]:
    """The streams of the source that are not in the dubbed video, each in words."""
    return tuple(_left_out(source, container_for(source)))


def _left_out(source: Source, container: Container) -> Iterator[str]:
    for index, codec in source.subtitles:
        if subtitle_codec(codec, container) is None:
            yield f"stream {index} (subtitles, {codec})"
    for stream in source.beside:
        if not holds(container, stream):
            yield f"stream {stream.index} ({stream.kind}, {stream.name or stream.codec})"
