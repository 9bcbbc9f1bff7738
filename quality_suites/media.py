"""The gate behind ingest and extraction: is this a video that can be dubbed, and is its sound whole?"""

from __future__ import annotations

from dubline.storage.results import Audio, Picture, Source
from quality_suites.rules import WHOLE, Frames, Suite, bounded, holds, one_whole

MAX_DURATION_MS = 12 * 3600 * 1000


def rows(source: Source, audio: Audio | None) -> Frames:
    """`audio` is None where the video has no sound, or before it was extracted."""
    picture = source.picture
    whole = {
        "duration_ms": source.duration_ms,
        "has_picture": picture is not None,
        "has_sound": source.dubbed_track is not None,
        "size": f"{picture.width}x{picture.height}" if picture else None,
        "size_plausible": _size_plausible(picture) if picture else None,
        "frame_rate": picture.frame_rate if picture else None,
        "short_frames": _short_frames(source, audio) if audio else None,
    }
    return {WHOLE: [whole]}


def _size_plausible(picture: Picture) -> bool:
    return all(16 <= side <= 16384 for side in (picture.width, picture.height))


def _short_frames(source: Source, audio: Audio) -> float:
    """By how many frames the sound ends before the picture does; negative where it is longer."""
    rate = source.picture.frame_rate if source.picture and source.picture.frame_rate > 0 else 25.0
    return round((source.duration_ms - audio.duration_ms) * rate / 1000, 3)


SUITE = Suite(
    name="media",
    version=1,
    rows=rows,
    remedy="Check that the video plays, or convert it again.",
    rules=(
        one_whole(),
        bounded(
            "duration",
            WHOLE,
            "duration_ms",
            "critical",
            "the video lasts {duration_ms} ms",
            "longer than nothing; 12 h is beyond any film and bounds the disk that the sound takes to about 4 GB",
            above=0,
            most=MAX_DURATION_MS,
        ),
        holds("picture", WHOLE, "has_picture", "critical", "the file has no picture", "a video has one"),
        holds("sound", WHOLE, "has_sound", "review", "no sound: nothing can be dubbed", "silent videos are legal"),
        holds(
            "picture-size",
            WHOLE,
            "size_plausible",
            "review",
            "the picture measures {size}",
            "16 is a macroblock of H.264; 16384 lies above the largest picture of HEVC level 6.2 in common use",
        ),
        bounded(
            "frame-rate",
            WHOLE,
            "frame_rate",
            "review",
            "the picture has {frame_rate:g} frames a second",
            "slide shows have 1, slow-motion recordings 240",
            least=1,
            most=240,
        ),
        bounded(
            "sound-length",
            WHOLE,
            "short_frames",
            "review",
            "the sound ends {short_frames:.1f} frames before the picture",
            "one frame is the least that containers tell apart; some videos are made so, thus no fault",
            most=1,
        ),
    ),
)
