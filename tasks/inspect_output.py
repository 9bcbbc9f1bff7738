"""What the finished video is, as its own streams and files tell: the facts for the last gate."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

from dubline.domain.languages import language as named
from dubline.domain.subtitle_files import parse_srt
from dubline.media.hashing import sound_hash
from dubline.media.inputs import source_file
from dubline.media.loudness import SILENCE_LUFS, integrated_loudness, loudness
from dubline.media.probe import probe
from dubline.storage.artifacts import local_path
from dubline.storage.results import Audio, Mix, Source, Subtitles, Video
from quality_suites.output import CueFacts, OutputFacts


def facts(
    source: Source,
    audio: Audio | None,
    dub: Mix | None,
    video: Video,
    subtitles: tuple[Subtitles, ...],
    language: str,
    wanted_lufs: float | None,
) -> OutputFacts:
    """Probe the finished file and measure its dubbed track; `wanted_lufs` is None for the source's own loudness."""
    with ThreadPoolExecutor(1) as beside:
        probed = beside.submit(probe, video.artifact)
        lufs, peak, wanted = _sound(audio, video, wanted_lufs) if dub else (None, None, None)
        made = probed.result()
    return OutputFacts(
        duration_ms=made.duration_ms,
        source_duration_ms=source.duration_ms,
        frame_rate=source.picture.frame_rate if source.picture else None,
        has_picture=made.picture is not None,
        audio_languages=[_iso3(track.language) for track in made.tracks],
        default_audio=next((place for place, track in enumerate(made.tracks) if track.default), None),
        dub_language=named(language).iso3 if dub else None,
        source_audio_tracks=len(source.tracks),
        changed_tracks=_changed(source, made, video, bool(dub)),
        subtitle_languages=[_iso3(tag) for tag in made.subtitle_languages],
        wanted_subtitles=[named(s.language).iso3 for s in subtitles],
        loudness_lufs=lufs,
        wanted_loudness_lufs=wanted,
        true_peak_dbtp=peak,
        cues=len(cues(subtitles)),
    )


def _changed(source: Source, made: Source, video: Video, dubbed: bool) -> int:
    """How many of the source's tracks were written anew, and not without loss."""
    originals = made.tracks[1:] if dubbed else made.tracks
    anew = [(old, new) for old, new in zip(source.tracks, originals, strict=False) if old.codec != new.codec]
    if not anew:
        return 0
    with source_file(source.file) as path:
        return sum(
            sound_hash(path, old.index) != sound_hash(local_path(video.artifact), new.index) for old, new in anew
        )


def cues(subtitles: tuple[Subtitles, ...]) -> list[CueFacts]:
    return [
        CueFacts(language=s.language, start_ms=cue.span.start_ms, end_ms=cue.span.end_ms, text="\n".join(cue.lines))
        for s in subtitles
        for cue in parse_srt(local_path(s.srt).read_text(encoding="utf-8"))
    ]


def _sound(audio: Audio | None, video: Video, asked: float | None) -> tuple[float, float | None, float | None]:
    """Loudness and true peak of the dub, and the loudness that was wanted, where there is one.

    Both files are measured at once: with one language nothing else of the run is under way.
    """
    with ThreadPoolExecutor(1) as beside:
        own = beside.submit(integrated_loudness, local_path(audio.full)) if audio and asked is None else None
        lufs, peak = loudness(local_path(video.artifact))
        wanted = own.result() if own else asked
    audible = wanted is not None and wanted > SILENCE_LUFS
    return lufs, peak if math.isfinite(peak) else None, wanted if audible else None


def _iso3(code: str | None) -> str | None:
    return named(code).iso3 if code else None
