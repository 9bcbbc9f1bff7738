"""The dubbed sound track: the original, ducked under the dub's lines, and the lines in their places.

Everything is a function of the sample's place, worked out a block at a time with a margin on both sides, so memory
stays constant and the size of a block does not show in the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import ffmpeg
import numpy as np
import soundfile
from numpy.typing import NDArray

from dubline.domain.errors import OutputUnavailable
from dubline.domain.time import Span, merged
from dubline.media.inputs import file_url, open_own
from dubline.media.levels import ActiveLevel, limited, matching_gain
from dubline.media.runner import Progress, run_ffmpeg

Samples = NDArray[np.float32]

RATE = 48_000
BLOCK = 10 * RATE
MARGIN = RATE // 10
"""Context of a block on each side; more than the limiter looks around."""
RAMP_MS = 60
"""The original goes down before a line and comes back after it in this time."""
BREATH_MS = 400
"""Between lines closer than this the original stays down; it would only pump."""
FADE = RATE // 100
"""Samples over which a clip fades in and out: 10 ms, against clicks."""
_BATCH = 24
"""Clips that one run of ffmpeg prepares; starting it costs more than most clips."""


@dataclass(frozen=True, slots=True)
class MixLine:
    """A spoken line and its place."""

    clip: Path
    """Mono FLAC of any rate."""
    start_ms: int
    stretch: float
    """Tempo: 1.1 plays the clip in 1/1.1 of its time, at the same pitch."""
    duck: Span
    """Where the original goes down."""


def mix(
    full: Path,
    placed: Sequence[MixLine],
    out: Path,
    *,
    duck_db: float,
    speech: Sequence[Span] = (),
    progress: Progress | None = None,
    block: int = BLOCK,
) -> None:
    """Write the dubbed sound track to `out`: FLAC, 16 bit, with the length and the channels of `full` (48 kHz).

    The original goes down by `duck_db` (positive dB) under the lines. A line goes to all channels of mono and stereo,
    to the front pair of quad, and to the front centre alone where there is one. One gain for all lines (at most 12 dB
    up or down) brings them to the active level that the original has in `speech`, the spans where somebody speaks;
    peaks above -1 dBFS are pressed down smoothly.
    A line that would pass the end lengthens the track. Prepared clips lie beside `out` while it runs.
    Raises OutputUnavailable, MediaToolFailed.
    """
    info = soundfile.info(full)
    clips = prepare_clips(placed, out.parent)
    voices = [_Voice(clip, line.start_ms * RATE // 1000) for clip, line in zip(clips, placed, strict=True)]
    total = max([info.frames, *(voice.start + voice.frames for voice in voices)])
    gain = _voice_gain(full, speech, voices)
    ducking = _Ducking([line.duck for line in placed], duck_db)
    try:
        with soundfile.SoundFile(out, "w", RATE, info.channels, "PCM_16", format="FLAC") as target:
            for start, original in _windows(full, total, block):
                sound = original * ducking.gain(start - MARGIN, len(original))[:, None]
                _add_voices(sound, start - MARGIN, voices, gain)
                target.write(_pcm(limited(sound)[MARGIN : MARGIN + min(block, total - start)]))
                if progress is not None:
                    progress(min((start + block) / total, 1.0))
    except soundfile.LibsndfileError as error:
        raise OutputUnavailable(
            f"Cannot write {out}: {error}; make room or set DUBLINE_HOME to another disk."
        ) from error
    finally:
        for clip in clips:
            clip.unlink(missing_ok=True)


def prepare_clip(clip: Path, stretch: float, folder: Path) -> Path:
    """One clip as mono 48 kHz wav in `folder`, at its tempo; see `prepare_clips`."""
    return prepare_clips([MixLine(clip, 0, stretch, Span(0, 0))], folder)[0]


def prepare_clips(lines: Sequence[MixLine], folder: Path) -> list[Path]:
    """For each line its clip as mono 48 kHz wav in `folder`, stretched by Rubber Band where its tempo is not 1.

    Lines that say the same share a file. Pitch stays; measured, an onset moves by less than 5 ms within tempo 0.9-1.15.
    Raises MediaToolFailed, OutputUnavailable.
    """
    wanted = [(line.clip, line.stretch) for line in lines]
    targets = {key: folder / f"line-{number:05d}.wav" for number, key in enumerate(dict.fromkeys(wanted))}
    for batch in (list(targets)[first : first + _BATCH] for first in range(0, len(targets), _BATCH)):
        outputs = []
        for clip, stretch in batch:
            sound = open_own(clip, "flac").audio.filter("aresample", RATE)
            if stretch != 1.0:
                sound = sound.filter("rubberband", tempo=stretch)
            target = file_url(targets[clip, stretch])
            outputs.append(ffmpeg.output(sound, target, format="wav", acodec="pcm_s16le", ac=1, ar=RATE))
        run_ffmpeg(ffmpeg.merge_outputs(*outputs))
    return [targets[key] for key in wanted]


class _Voice:
    """A prepared clip on the axis of samples."""

    def __init__(self, path: Path, start: int) -> None:
        self.path, self.start = path, start
        self.frames: int = soundfile.info(path).frames

    def samples(self) -> Samples:
        """The clip with its fades."""
        sound: Samples = soundfile.read(self.path, dtype="float32")[0]
        length = min(FADE, len(sound) // 2)
        if length:
            fade = np.sin(np.linspace(0, np.pi / 2, length, dtype=np.float32)) ** 2
            sound[:length] *= fade
            sound[-length:] *= fade[::-1]
        return sound


class _Ducking:
    """The gain of the original at any sample: 1, or the ducked gain under a line, with ramps outside the line."""

    def __init__(self, spans: Sequence[Span], duck_db: float) -> None:
        low = 10 ** (-abs(duck_db) / 20)
        corners = [
            (ms * RATE / 1000, level)
            for span in merged(spans, BREATH_MS)
            for ms, level in (
                (span.start_ms - RAMP_MS, 1.0),
                (span.start_ms, low),
                (span.end_ms, low),
                (span.end_ms + RAMP_MS, 1.0),
            )
        ]
        self._places = [place for place, _ in corners] or [0.0]
        self._levels = [level for _, level in corners] or [1.0]

    def gain(self, start: int, length: int) -> Samples:
        return np.interp(np.arange(start, start + length), self._places, self._levels).astype(np.float32)


def _windows(full: Path, total: int, block: int) -> Iterator[tuple[int, Samples]]:
    """(start, float32 (MARGIN + block + MARGIN, channels)) for each block; zeros before the start and after the end."""
    with soundfile.SoundFile(full) as source:
        held = np.zeros((MARGIN, source.channels), np.float32)
        for start in range(0, total, block):
            wanted = 2 * MARGIN + block - len(held)
            fresh = source.read(wanted, dtype="float32", always_2d=True)
            silence = np.zeros((wanted - len(fresh), source.channels), np.float32)
            window: Samples = np.concatenate([held, fresh, silence])
            yield start, window
            held = window[block:]


def _add_voices(sound: Samples, start: int, voices: Sequence[_Voice], gain: float) -> None:
    """Add the parts of the lines that fall into the window, in place."""
    end = start + len(sound)
    for voice in voices:
        left, right = max(start, voice.start), min(end, voice.start + voice.frames)
        if left < right:
            part = voice.samples()[left - voice.start : right - voice.start] * np.float32(gain)
            for channel in voice_channels(sound.shape[1]):
                sound[left - start : right - start, channel] += part


def voice_channels(channels: int) -> tuple[int, ...]:
    """Where a voice goes in FLAC's channel order: both sides, or the front centre where the layout has one."""
    return {1: (0,), 2: (0, 1), 4: (0, 1)}.get(channels, (2,))


def _voice_gain(full: Path, speech: Sequence[Span], voices: Sequence[_Voice]) -> float:
    """The gain that gives the lines the active level of the original's speech; 1 where either is silent."""
    ours, theirs = ActiveLevel(), ActiveLevel()
    for voice in voices:
        ours.add(voice.samples()[:, None])
    with soundfile.SoundFile(full) as source:
        for span in merged(speech):
            start, end = (min(ms * RATE // 1000, source.frames) for ms in (span.start_ms, span.end_ms))
            source.seek(start)
            for offset in range(start, end, BLOCK):
                sound = source.read(min(BLOCK, end - offset), dtype="float32", always_2d=True)
                theirs.add(sound[:, list(voice_channels(source.channels))])
    return matching_gain(ours, theirs)


def _pcm(sound: Samples) -> NDArray[np.int16]:
    """Samples as FLAC stores them; what was read and not changed is written bit by bit as it was."""
    return np.clip(np.round(sound * 32768.0), -32768, 32767).astype(np.int16)
