"""The sound of a video, on the picture's time axis, decoded once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ffmpeg
import soundfile

from dubline.domain.errors import InvalidMedia
from dubline.media.downmix import join
from dubline.media.inputs import file_url, open_media, shown
from dubline.media.runner import Progress, run_ffmpeg
from dubline.storage.results import Source, Track

FULL_RATE = 48_000
SPEECH_RATE = 16_000
MAX_CHANNELS = 8
"""What FLAC holds; a source with more is mixed down to stereo."""
LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
"""One layout for each number of channels, as FLAC has it (RFC 9639, section 9.1.3): the index tells the place."""

_FRAME = 4096
"""Samples in a frame of FLAC. Named, because ffmpeg does not cut frames for an encoder when a track has no packets."""


def extract_audio(
    source_path: Path, source: Source, folder: Path, progress: Progress | None = None
) -> tuple[Path, Path, int, int]:
    """Write the track to dub as (full, speech, duration_ms, channels), both FLAC, 16 bit, into `folder`.

    `full` has 48 kHz and the source's channels, `speech` 16 kHz and one (ITU downmix, scaled so that it cannot clip, in
    which left and right do not cancel: see `downmix`).
    Both begin where the video begins (silence before a late start), have silence in gaps of the source's sound, and are
    as long as the longest stream: what is said after the last picture is kept, a short track is filled up. The source
    must have a track to dub. Raises InvalidMedia, OutputUnavailable, MediaToolFailed.
    """
    track = next(t for t in source.tracks if t.index == source.dubbed_track)
    channels = channels_of(track)
    full, speech = folder / "full.flac", folder / "speech.flac"
    middle, side = folder / "middle.flac", folder / "side.flac"
    run_ffmpeg(
        _graph(source_path, source, track, channels, full, middle, side),
        reading=source_path,
        progress=progress,
        duration_ms=source.duration_ms,
    )
    join(middle, side if channels > 1 else None, speech)
    frames = soundfile.info(full).frames
    if frames == 0 or soundfile.info(speech).frames == 0:
        raise InvalidMedia(f"The sound of '{shown(source_path)}' cannot be decoded; try another copy of the file.")
    return full, speech, round(frames * 1000 / FULL_RATE), channels


def channels_of(track: Track) -> int:
    """As many as are worked on."""
    return track.channels if track.channels <= MAX_CHANNELS else 2


def _graph(source_path: Path, source: Source, track: Track, channels: int, full: Path, middle: Path, side: Path) -> Any:
    media = open_media(source_path)
    seconds = source.duration_ms / 1000
    # async=1 corrects no drift by stretching; it fills gaps and, with first_pts, the time before the first sound.
    aligned = media[str(track.index)].filter("aresample", FULL_RATE, **{"async": 1, "first_pts": 0})
    padded = aligned.filter("apad", whole_dur=f"{seconds:.3f}").filter_multi_output("asplit", 2)
    wide = padded[0].filter("aformat", sample_fmts="s16", channel_layouts=LAYOUTS[channels])
    wide = wide.filter("asetnsamples", n=_FRAME, p=0)
    return ffmpeg.merge_outputs(
        ffmpeg.output(wide, file_url(full), **_flac(seconds, FULL_RATE * channels)),
        *speech_outputs(padded[1], channels, seconds, middle, side),
        # The streams that `mux` copies are read here too: newer ffmpeg takes time zero from the streams in use.
        ffmpeg.output(*_copied(media, source), "-", format="null", c="copy"),
    )


def speech_outputs(sound: Any, channels: int, seconds: float, middle: Path, side: Path) -> list[Any]:
    """Outputs of ffmpeg that `downmix.join` makes one of: the downmix of a decoded stream, and for more than one
    channel the same with its right front channel turned round."""
    if channels == 1:
        return [_mono(sound, middle, seconds)]
    pair = sound.filter_multi_output("asplit", 2)
    # "<" for "=", which ffmpeg-python escapes so that pan does not know it: it makes the sum of the gains' sizes 1.
    gains = "|".join(f"c{number}<{-1 if number == 1 else 1}*c{number}" for number in range(channels))
    layout = LAYOUTS[channels]
    turned = pair[1].filter("aformat", channel_layouts=layout).filter("pan", f"{layout}|{gains}")
    return [_mono(pair[0], middle, seconds), _mono(turned, side, seconds)]


def _mono(sound: Any, out: Path, seconds: float) -> Any:
    mono = sound.filter("aresample", SPEECH_RATE, rematrix_maxval=1.0)
    mono = mono.filter("aformat", sample_fmts="s16", channel_layouts="mono").filter("asetnsamples", n=_FRAME, p=0)
    return ffmpeg.output(mono, file_url(out), **_flac(seconds, SPEECH_RATE))


def _copied(media: Any, source: Source) -> list[Any]:
    indices = [source.picture.index] if source.picture else []
    return [media[str(index)] for index in [*indices, *(t.index for t in source.tracks)]]


def _flac(seconds: float, samples_per_second: int) -> dict[str, Any]:
    """Options of a FLAC output that cannot outgrow its own PCM, however long a broken file pretends to be."""
    limit = round(seconds * samples_per_second * 2) + 65536
    encoder = {"c:a": "flac", "compression_level": 3, "frame_size": _FRAME}
    return {"format": "flac", **encoder, "t": f"{seconds:.3f}", "fs": limit}
