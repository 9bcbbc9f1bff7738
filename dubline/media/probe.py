"""What a file is: an accepted video with its picture, audio tracks and subtitles, or InvalidMedia with the reason.

Headers can lie, so the announced duration is held against the times of the packets. That needs no decoding, and where
the container can seek it reads only the last seconds.
"""

from __future__ import annotations

import json
import math
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

from dubline.domain.errors import InvalidMedia, MediaToolFailed
from dubline.domain.languages import LANGUAGES
from dubline.media.beside import beside, beyond_mp4, decodable
from dubline.media.inputs import MAX_PIXELS, check_file, probing_arguments, shown
from dubline.media.order import disordered
from dubline.media.runner import run_ffprobe
from dubline.media.trial import require_held
from dubline.media.unopened import require_known
from dubline.storage.artifacts import local_path
from dubline.storage.results import ArtifactRef, Picture, Source, Track

_HEADER_TIMEOUT_S = 120
_TAIL_S = 10.0
"""How much of the end is read to find the last packet; longer than the distance of two seek points in common files."""
_CONTAINERS = {"matroska": "mkv", "mpegts": "ts"}
_PADDING_S = 0.03
"""The last packet of sound may be filled up with silence that the header does not count: AAC's have 1024 samples."""
_ANNOUNCING = {"mp4", "mov", "mkv", "avi", "flv", "asf"}
"""Containers that write their duration down. Of the others ffprobe tells an estimate, which proves nothing."""
_BIBLIOGRAPHIC = {"ger": "de", "fre": "fr", "chi": "zh"}
"""ISO 639-2/B where it differs from 639-2/T."""
_ASIDE = ("comment", "hearing_impaired", "visual_impaired", "descriptions", "karaoke", "lyrics", "clean_effects")
"""Dispositions (ffmpeg's AV_DISPOSITION_...) of a track that is not the main one."""
_ASIDE_TITLE = re.compile(
    r"comment|kommentar|coment[aá]rio|descri(?:pti|bed|pci|zion|ç)|audiodes[ck]ri|hearing.impaired|\bSDH\b|isolated|"
    r"karaoke|instrumental|music (?:and|&) effects|\bM ?& ?E\b",
    re.IGNORECASE,
)
"""Titles that say the same."""
_TOOL = re.compile(r"handler|media|mainconcept|^(?:sound|audio|stereo|mono)?$", re.IGNORECASE)
"""Names of handlers that a tool gives to every track, such as SoundHandler and Core Media Audio."""
_BY_ISO3 = {language.iso3: code for code, language in LANGUAGES.items()}


def probe(file: ArtifactRef) -> Source:
    """Look into a user's file. Raises InvalidMedia with one sentence that says why it cannot be dubbed."""
    path = local_path(file)
    check_file(path)
    try:
        header = _header(path)
        container, streams = _container(header), _streams(header)
        picture = _picture(path, header, container)
        duration_ms = _duration_ms(path, header, container)
    except MediaToolFailed as error:
        raise InvalidMedia(f"'{shown(path)}' cannot be examined: {error}") from error
    tracks = tuple(_track(s) for s in streams if s.get("codec_type") == "audio" and decodable(s))
    _require_sound_if_any(path, streams, tracks)
    written = [s for s in streams if s.get("codec_type") == "subtitle"]
    dubbed = next((t for t in tracks if t.default), tracks[0] if tracks else None)
    return Source(
        file=file,
        container=container,
        duration_ms=duration_ms,
        picture=picture,
        tracks=tracks,
        dubbed_track=dubbed.index if dubbed else None,
        subtitles=tuple((s["index"], s["codec_name"]) for s in written),
        subtitle_languages=tuple(language_code(s.get("tags", {}).get("language")) for s in written),
        shown_subtitles=any(s.get("disposition", {}).get("default") for s in written),
        beside=beside(header, picture.index),
        beyond_mp4=beyond_mp4(header),
    )


def _require_sound_if_any(path: Path, streams: list[dict[str, Any]], tracks: tuple[Track, ...]) -> None:
    codecs = [s["codec_name"] for s in streams if s.get("codec_type") == "audio"]
    if codecs and not tracks:
        raise InvalidMedia(
            f"The sound of '{shown(path)}' ({', '.join(codecs)}) cannot be decoded by this machine's ffmpeg; convert "
            "it to AAC or FLAC first."
        )


def language_code(tag: str | None) -> str | None:
    """ISO 639-1 of a container's language tag (639-1, 639-2/B or /T, BCP 47), None where Dubline does not know it."""
    primary = (tag or "").lower().replace("_", "-").partition("-")[0]
    return primary if primary in LANGUAGES else _BY_ISO3.get(primary) or _BIBLIOGRAPHIC.get(primary)


def _header(path: Path) -> dict[str, Any]:
    arguments = ["-show_format", "-show_streams", "-show_chapters", "-of", "json", *probing_arguments(path)]
    try:
        said = run_ffprobe(arguments, reading=path, timeout_s=_HEADER_TIMEOUT_S).stdout
    except InvalidMedia:
        require_known(path)
        raise
    found: dict[str, Any] = json.loads(said)
    return found


def _container(header: dict[str, Any]) -> str:
    name = str(header["format"]["format_name"]).partition(",")[0]
    if name == "mov":
        return "mov" if header["format"].get("tags", {}).get("major_brand", "qt").startswith("qt") else "mp4"
    return _CONTAINERS.get(name, name)


def _streams(header: dict[str, Any]) -> list[dict[str, Any]]:
    """Streams whose codec ffmpeg knows by name; what it does not know can neither be decoded nor copied."""
    return [s for s in header.get("streams", []) if s.get("codec_name", "unknown") not in ("unknown", "none")]


def _picture(path: Path, header: dict[str, Any], container: str) -> Picture:
    """The video stream that is shown: the default one, else the first. A cover image is not a picture."""
    streams = _streams(header)
    covers = ("attached_pic", "timed_thumbnails", "still_image")
    videos = [
        s
        for s in streams
        if s.get("codec_type") == "video" and not any(s.get("disposition", {}).get(name) for name in covers)
    ]
    if not videos:
        still = any(s.get("codec_type") == "video" for s in streams)
        what = "has no picture but a still cover" if still else "has no picture"
        raise InvalidMedia(f"'{shown(path)}' {what}; Dubline translates videos, give it one.")
    chosen = next((s for s in videos if s.get("disposition", {}).get("default")), videos[0])
    width, height = int(chosen.get("width", 0)), int(chosen.get("height", 0))
    if width <= 0 or height <= 0:
        raise InvalidMedia(f"The picture of '{shown(path)}' cannot be decoded; the file is damaged, try another copy.")
    if width * height > MAX_PIXELS:
        raise InvalidMedia(f"The picture of '{shown(path)}' is {width} x {height}; scale it down to 8K or less.")
    picture = Picture(
        index=chosen["index"],
        codec=chosen["codec_name"],
        width=width,
        height=height,
        frame_rate=_rate(chosen.get("avg_frame_rate")) or _rate(chosen.get("r_frame_rate")),
        rotation=_rotation(chosen),
        disordered=int(chosen.get("has_b_frames", 0)) > 0 and _disordered(path, header, chosen, container),
        dolby_vision=_dolby_vision(chosen),
    )
    return picture.model_copy(update={"matroska": require_held(path, picture, container)})


def _disordered(path: Path, header: dict[str, Any], stream: dict[str, Any], container: str) -> bool:
    if container == "avi" and stream["codec_name"] in ("h264", "hevc"):
        return True  # it has no place for the times, and ffmpeg finds them for older codecs alone
    start_s, duration_s = (_seconds(header["format"].get(name)) or 0.0 for name in ("start_time", "duration"))
    return disordered(path, stream["index"], stream["codec_name"], start_s, duration_s)


def _dolby_vision(stream: dict[str, Any]) -> int | None:
    sides = stream.get("side_data_list", [])
    return next((int(side["dv_profile"]) for side in sides if "dv_profile" in side), None)


def _rotation(stream: dict[str, Any]) -> int:
    """Degrees, 0..359, that the display matrix turns the picture by."""
    sides = stream.get("side_data_list", [])
    return next((int(side["rotation"]) % 360 for side in sides if "rotation" in side), 0)


def _rate(text: str | None) -> float:
    try:
        return float(Fraction(text or "0"))
    except (ValueError, ZeroDivisionError):
        return 0.0


def _track(stream: dict[str, Any]) -> Track:
    tags, kinds = stream.get("tags", {}), stream.get("disposition", {})
    title = _title(tags)
    return Track(
        index=stream["index"],
        codec=stream["codec_name"],
        channels=stream["channels"],
        language=language_code(tags.get("language")),
        default=bool(kinds.get("default")),
        samples=stream.get("sample_fmt", ""),
        bits=int(stream.get("bits_per_raw_sample", 0)),
        title=title,
        aside=any(kinds.get(name) for name in _ASIDE) or bool(_ASIDE_TITLE.search(title or "")),
    )


def _title(tags: dict[str, str]) -> str | None:
    """A track's title, for which MP4 has the handler's name."""
    handler = tags.get("handler_name", "").strip("\0 ")
    return tags.get("title", "").strip() or ("" if _TOOL.search(handler) else handler) or None


def _duration_ms(path: Path, header: dict[str, Any], container: str) -> int:
    """The announced duration, or the end of the last packet on the container's axis where that disagrees.

    Missing less than half a second (or 0.5%, up to 5 s) is how muxers round, more of it means that the end was cut off.
    """
    start = _seconds(header["format"].get("start_time")) or 0.0
    announced = _announced_s(header, container)
    slack = max(0.5, min(announced * 0.005, 5.0))
    end = _last_packet_s(path, f"{start + announced - _TAIL_S:.3f}%") - start if announced > _TAIL_S else -math.inf
    if abs(end - announced) > slack:
        end = _last_packet_s(path, None) - start
    if end <= 0:
        raise InvalidMedia(f"'{shown(path)}' holds no picture or sound; it looks truncated, copy or download it again.")
    if container in _ANNOUNCING and announced - end > slack:
        raise InvalidMedia(
            f"'{shown(path)}' ends after {end:.1f} s though it announces {announced:.1f} s: it looks truncated, "
            "copy or download it again."
        )
    # Matroska counts from zero even where sound begins before it, by the encoder's delay.
    padding = _PADDING_S - min(start, 0.0)
    return round((announced if -padding <= announced - end <= slack else end) * 1000)


def _announced_s(header: dict[str, Any], container: str) -> float:
    """What the header says. ffprobe scales that to the size of an AVI that lost its index: there samples count."""
    duration = _seconds(header["format"].get("duration")) or 0.0
    if container != "avi":
        return duration
    return max([duration, *(int(s.get("nb_frames", 0)) * _rate(s.get("time_base")) for s in _streams(header))])


def _last_packet_s(path: Path, interval: str | None) -> float:
    """Where the last packet of any stream ends, in the file's own time; -inf where nothing was found."""
    last = float("-inf")

    def on_line(line: str) -> None:
        nonlocal last
        times = dict(field.partition("=")[::2] for field in line.split("|"))
        at = _seconds(times.get("pts_time"))
        at = _seconds(times.get("dts_time")) if at is None else at
        if at is not None:
            last = max(last, at + (_seconds(times.get("duration_time")) or 0.0))

    entries = ["-show_entries", "packet=pts_time,dts_time,duration_time", "-of", "compact=p=0"]
    seeking = ["-read_intervals", interval] if interval else []
    try:
        run_ffprobe([*entries, *seeking, *probing_arguments(path)], reading=path, on_line=on_line)
    except (InvalidMedia, MediaToolFailed):
        if interval is None:
            raise  # else it cannot seek there, and the caller reads the whole file
    return last


def _seconds(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
