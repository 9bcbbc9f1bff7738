"""What a video holds besides its picture, its sound and its subtitles, from what ffprobe tells of its streams."""

from __future__ import annotations

from typing import Any, Literal

from dubline.media.containers import KEPT_SAMPLES
from dubline.storage.results import Beside

_STILL = ("timed_thumbnails", "still_image")
_MP4_TAGS = {
    *("title", "artist", "album_artist", "album", "composer", "date", "genre", "comment", "copyright", "description"),
    *("synopsis", "show", "episode_id", "network", "lyrics", "keywords", "grouping", "track", "disc", "media_type"),
    *("season_number", "episode_sort", "compilation", "hd_video", "rating", "location", "language", "encoder"),
    *("creation_time", "duration", "major_brand", "minor_version", "compatible_brands", "timecode"),
}
"""Tags of a whole file that MP4 has a place for (ffmpeg's movenc.c), and those that a muxer writes anew."""
_MP4_MARKS = {"default", "dub", "attached_pic"}


def decodable(stream: dict[str, Any]) -> bool:
    """Whether ffmpeg can decode a stream of sound; it tells no format of samples where it has no decoder."""
    return stream.get("sample_fmt") in KEPT_SAMPLES and int(stream.get("channels", 0)) > 0


def beside(header: dict[str, Any], picture: int) -> tuple[Beside, ...]:
    """The streams of ffprobe's `header` that Dubline does not work on; `picture` is the index of the one it does."""
    return tuple(
        Beside(
            index=stream["index"],
            kind=kind,
            codec=stream.get("codec_name", stream.get("codec_tag_string", "unknown")),
            name=_tag(stream, "filename"),
            mime=_tag(stream, "mimetype"),
        )
        for stream in header.get("streams", [])
        if stream["index"] != picture and (kind := _kind(stream, header))
    )


def _kind(
    stream: dict[str, Any], header: dict[str, Any]
) -> Literal["picture", "cover", "attachment", "sound", "data"] | None:
    """None for what Dubline carries on itself, and for tracks that a muxer makes anew: timecodes and chapters."""
    marks = stream.get("disposition", {})
    known = stream.get("codec_name", "unknown") not in ("unknown", "none")
    match stream.get("codec_type"):
        case "attachment":
            return "attachment"
        case "video" if known and marks.get("attached_pic"):
            return "cover"
        case "video" if known and not any(marks.get(name) for name in _STILL):
            return "picture"
        case "audio":
            return None if decodable(stream) else "sound"
        case "subtitle" if known:
            return None
    remade = stream.get("codec_tag_string") == "tmcd" or (
        stream.get("codec_tag_string") == "text" and header.get("chapters")
    )
    return None if remade else "data"


def beyond_mp4(header: dict[str, Any]) -> bool:
    """Whether a file has titles of tracks, marks or tags that MP4 would lose."""
    tags = {name.lower().partition("-")[0] for name in header["format"].get("tags", {})}
    return bool(tags - _MP4_TAGS) or any(
        "title" in stream.get("tags", {})
        or {name for name, on in stream.get("disposition", {}).items() if on} - _MP4_MARKS
        for stream in header.get("streams", [])
    )


def _tag(stream: dict[str, Any], name: str) -> str | None:
    found = stream.get("tags", {}).get(name)
    return str(found) if found else None
