"""The dubbed sound track: the original, and where the dub speaks the background without its voices, and the dub.

Everything is a function of the sample's place, worked out a block at a time with a margin on both sides, so memory
stays constant and the size of a block does not show in the result. A first pass measures, further ones write.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import ffmpeg
import numpy as np
import soundfile
from numpy.typing import NDArray

from dubline.domain.errors import OutputUnavailable
from dubline.domain.layout import speech_channels, voice_channels
from dubline.domain.time import Span, difference, merged
from dubline.media.inputs import file_url, open_own
from dubline.media.levels import ActiveLevel, limited, line_gains
from dubline.media.loudness import Meter, SumMeter
from dubline.media.mastering import BAND_LU, gains_towards
from dubline.media.runner import Progress, run_ffmpeg

Samples = NDArray[np.float32]

RATE = 48_000
BLOCK = 10 * RATE
MARGIN = RATE // 10
"""Context of a block on each side; more than the limiter looks around."""
RAMP_MS = 60
"""The original goes out before a line and comes back after it in this time."""
BREATH_MS = 400
"""Between lines closer than this the original stays out; it would only pump."""
FADE = RATE // 100
"""Samples over which a clip fades in and out: 10 ms, against clicks."""
TOLERANCE_LU = 0.1
"""By how much the limiter may spoil that before the track is written again."""
_PASSES = 3
"""Writing again is worth it only where the limiter took loudness away."""
_BATCH = 24
"""Clips that one run of ffmpeg prepares; starting it costs more than most clips."""


@dataclass(frozen=True, slots=True)
class MixLine:
    """A spoken line, or a phrase of one, and its place."""

    clip: Path
    """Mono FLAC of any rate."""
    start_ms: int
    stretch: float
    """Tempo: 1.1 plays the clip in 1/1.1 of its time, at the same pitch."""
    duck: Span
    """Where the original goes out."""
    said: Span | None = None
    """Where the speech that it replaces stands in the original; its level is followed."""


@dataclass(frozen=True, slots=True)
class Original:
    """What is dubbed: two FLAC files of one length and layout, 48 kHz."""

    full: Path
    background: Path
    """`full` without its voices."""
    silenced: tuple[Span, ...] = ()
    """Where the original goes out whether or not a phrase stands there: what is said in a line that is dubbed."""
    heard: tuple[Span, ...] = ()
    """Where it stays, bit by bit, whatever else is said of that time: speech that nothing takes the place of."""


@dataclass(frozen=True, slots=True)
class Loudness:
    """Of the track that was written, before any encoder, in LUFS; None for silence and for less than 400 ms."""

    wanted: float | None
    reached: float | None


def mix(
    original: Original,
    placed: Sequence[MixLine],
    out: Path,
    *,
    background_db: float,
    target_lufs: float | None = None,
    progress: Progress | None = None,
    block: int = BLOCK,
) -> Loudness:
    """Write the dubbed sound track to `out`: FLAC, 16 bit, with the length and the channels of the original.

    Under the lines the background takes the place of the original, `background_db` (dB, 0 or more) softer; channels in
    which nobody speaks pass as they are, and so do everything between the lines and what is to be heard. A line goes to
    all channels of mono and stereo, to the front pair of quad, and to the front centre alone where there is one. Each
    follows the level of the speech it replaces. One gain for all voices, at most mastering.VOICES_DB, brings the track
    to the original's integrated loudness; with `target_lufs` a gain for the whole track brings it there. True peaks
    above levels.CEILING_DBTP are pressed down smoothly. A line past the end lengthens the track. Prepared clips lie
    beside `out` while it runs. Raises OutputUnavailable, MediaToolFailed.
    """
    clips = prepare_clips(placed, out.parent)
    try:
        track = _Track(original, placed, clips, background_db, block)
        return _written(track, out, target_lufs, progress or _unwatched)
    except soundfile.LibsndfileError as error:
        raise OutputUnavailable(
            f"Cannot write {out}: {error}; make room or set DUBLINE_HOME to another disk."
        ) from error
    finally:
        for clip in clips:
            clip.unlink(missing_ok=True)


def prepare_clips(lines: Sequence[MixLine], folder: Path) -> list[Path]:
    """For each line its clip as mono 48 kHz wav in `folder`, stretched by Rubber Band where its tempo is not 1.

    Lines that say the same share a file. Pitch stays; measured, an onset moves by less than 5 ms within tempo 0.9-1.15.
    Raises MediaToolFailed, OutputUnavailable.
    """
    wanted = [(line.clip, line.stretch) for line in lines]
    targets = {key: folder / f"line-{number:05d}.wav" for number, key in enumerate(dict.fromkeys(wanted))}
    for batch in _batches(list(targets)):
        outputs = []
        for clip, stretch in batch:
            sound = open_own(clip, "flac").audio.filter("aresample", RATE)
            if stretch != 1.0:
                sound = sound.filter("rubberband", tempo=stretch)
            target = file_url(targets[clip, stretch])
            outputs.append(ffmpeg.output(sound, target, format="wav", acodec="pcm_s16le", ac=1, ar=RATE))
        run_ffmpeg(ffmpeg.merge_outputs(*outputs))
    return [targets[key] for key in wanted]


def _batches(wanted: Sequence[tuple[Path, float]]) -> Iterator[list[tuple[Path, float]]]:
    """At most _BATCH at once, and a clip only once among them: ffmpeg-python takes it twice for a fork."""
    rest = list(wanted)
    while rest:
        batch: dict[Path, float] = {}
        later = []
        for clip, stretch in rest:
            if clip in batch or len(batch) == _BATCH:
                later.append((clip, stretch))
            else:
                batch[clip] = stretch
        yield list(batch.items())
        rest = later


def _unwatched(_: float) -> None:
    """The observer of somebody who does not watch."""


class _Voice:
    """A prepared clip on the axis of samples, with its gain against the other lines'."""

    def __init__(self, path: Path, start: int) -> None:
        self.path, self.start, self.gain = path, start, 1.0
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


class _Track:
    """The parts of the mix, a block at a time: the bed, and the voices on it."""

    def __init__(
        self, original: Original, placed: Sequence[MixLine], clips: Sequence[Path], background_db: float, block: int
    ) -> None:
        info = soundfile.info(original.full)
        self.original, self.block, self.channels = original, block, info.channels
        self.voices = [_Voice(clip, line.start_ms * RATE // 1000) for clip, line in zip(clips, placed, strict=True)]
        self.frames = max([info.frames, *(voice.start + voice.frames for voice in self.voices)])
        self._out = _Envelope([*(line.duck for line in placed), *original.silenced], original.heard)
        self._low = np.float32(10 ** (-background_db / 20))
        for voice, gain in zip(self.voices, _follow(original, placed, self.voices), strict=True):
            voice.gain = gain

    def blocks(self) -> Iterator[tuple[int, Samples, Samples]]:
        """(start, bed, voices): float32 (MARGIN + block + MARGIN, channels) each, of which the middle counts."""
        for start, full, background in self.originals():
            yield start, self.bed(full, background, start - MARGIN), self.spoken(full.shape, start - MARGIN)

    def originals(self) -> Iterator[tuple[int, Samples, Samples]]:
        """(start, original, background) of each block, with its margins."""
        pair = (self.original.full, self.original.background)
        full, background = (_windows(path, self.frames, self.block) for path in pair)
        for (start, one), (_, other) in zip(full, background, strict=True):
            yield start, one, other

    def bed(self, full: Samples, background: Samples, start: int) -> Samples:
        out = self._out.values(start, len(full))
        if not out.any():
            return full
        bed, changed = full.copy(), np.flatnonzero(out)
        share = out[changed, None]
        place = np.ix_(changed, np.array(speech_channels(self.channels)))
        bed[place] = full[place] * (1 - share) + background[place] * (share * self._low)
        return bed

    def spoken(self, shape: tuple[int, ...], start: int) -> Samples:
        sound = np.zeros(shape, np.float32)
        for voice in self.voices:
            left, right = max(start, voice.start), min(start + len(sound), voice.start + voice.frames)
            if left < right:
                part = voice.samples()[left - voice.start : right - voice.start] * np.float32(voice.gain)
                for channel in voice_channels(self.channels):
                    sound[left - start : right - start, channel] += part
        return sound


class _Envelope:
    """How far the original is out at any sample: 1 under a line, 0 elsewhere, with ramps outside the line.

    Where it is to be `heard` it is 0, without a ramp.
    """

    def __init__(self, spans: Sequence[Span], heard: Sequence[Span]) -> None:
        stays = [Span(max(0, span.start_ms - RAMP_MS), span.end_ms + RAMP_MS) for span in heard]
        corners = [
            (ms * RATE / 1000, level)
            for span in difference(merged(spans, BREATH_MS), stays)
            for ms, level in (
                (span.start_ms - RAMP_MS, 0.0),
                (span.start_ms, 1.0),
                (span.end_ms, 1.0),
                (span.end_ms + RAMP_MS, 0.0),
            )
        ]
        self._places = [place for place, _ in corners] or [0.0]
        self._levels = [level for _, level in corners] or [0.0]

    def values(self, start: int, length: int) -> Samples:
        return np.interp(np.arange(start, start + length), self._places, self._levels).astype(np.float32)


def _windows(path: Path, total: int, block: int) -> Iterator[tuple[int, Samples]]:
    """(start, float32 (MARGIN + block + MARGIN, channels)) for each block; zeros before the start and after the end."""
    with soundfile.SoundFile(path) as source:
        held = np.zeros((MARGIN, source.channels), np.float32)
        for start in range(0, total, block):
            wanted = 2 * MARGIN + block - len(held)
            fresh = source.read(wanted, dtype="float32", always_2d=True)
            silence = np.zeros((wanted - len(fresh), source.channels), np.float32)
            window: Samples = np.concatenate([held, fresh, silence])
            held = window[block:].copy()
            yield start, window


def _follow(original: Original, placed: Sequence[MixLine], voices: Sequence[_Voice]) -> list[float]:
    """For each line the gain that gives it the level of the voice it replaces."""
    ours, theirs = [], []
    with soundfile.SoundFile(original.full) as full, soundfile.SoundFile(original.background) as background:
        for line, voice in zip(placed, voices, strict=True):
            own, source = ActiveLevel(), ActiveLevel()
            own.add(voice.samples()[:, None])
            if line.said is not None:
                source.add(_read(full, line.said) - _read(background, line.said))
            ours.append(own)
            theirs.append(source)
    return line_gains(ours, theirs)


def _read(source: soundfile.SoundFile, span: Span) -> Samples:
    """The channels of a voice in a span."""
    start, end = (min(ms * RATE // 1000, source.frames) for ms in (span.start_ms, span.end_ms))
    source.seek(start)
    sound: Samples = source.read(end - start, dtype="float32", always_2d=True)
    return sound[:, list(voice_channels(source.channels))]


def _written(track: _Track, out: Path, target_lufs: float | None, tell: Progress) -> Loudness:
    """Measure, then write; and again where the limiter took so much that the loudness is missed."""
    own, meter = _measured(track, lambda share: tell(0.4 * share))
    wanted = own if target_lufs is None else target_lufs
    aim, before, reached = wanted, None, None
    for _ in range(_PASSES):
        gains = gains_towards(meter, own, aim, target_lufs is not None)
        if gains == before:
            break
        before = gains
        pressed = _write(track, out, *gains, lambda share: tell(0.4 + 0.6 * share))
        reached = _loudness_of(out) if pressed else _plus_db(meter.lufs(gains[0]), gains[1])
        if wanted is None or aim is None or reached is None or abs(reached - wanted) <= BAND_LU + TOLERANCE_LU:
            break
        aim += wanted - reached
    return Loudness(wanted, reached)


def _measured(track: _Track, tell: Progress) -> tuple[float | None, SumMeter]:
    """Loudness of the original, and a meter that has heard the bed and the voices."""
    own, meter = Meter(track.channels), SumMeter(track.channels)
    for start, full, background in track.originals():
        inner = slice(MARGIN, MARGIN + min(track.block, track.frames - start))
        own.add(full[inner])
        meter.add(track.bed(full, background, start - MARGIN)[inner], track.spoken(full.shape, start - MARGIN)[inner])
        tell(min((start + track.block) / track.frames, 1.0))
    return own.lufs(), meter


def _write(track: _Track, out: Path, voices_gain: float, whole_gain: float, tell: Progress) -> bool:
    """Write the mix; whether the limiter had to press anything."""
    pressed = False
    with soundfile.SoundFile(out, "w", RATE, track.channels, "PCM_16", format="FLAC") as target:
        for start, bed, voices in track.blocks():
            sound = (bed + voices * np.float32(voices_gain)) * np.float32(whole_gain)
            safe = limited(sound)
            pressed |= safe is not sound
            target.write(_pcm(safe[MARGIN : MARGIN + min(track.block, track.frames - start)]))
            tell(min((start + track.block) / track.frames, 1.0))
    return pressed


def _loudness_of(path: Path) -> float | None:
    with soundfile.SoundFile(path) as source:
        meter = Meter(source.channels)
        for piece in source.blocks(BLOCK, dtype="float32", always_2d=True):
            meter.add(piece)
    return meter.lufs()


def _plus_db(lufs: float | None, factor: float) -> float | None:
    return None if lufs is None else lufs + 20 * math.log10(factor)


def _pcm(sound: Samples) -> NDArray[np.int16]:
    """Samples as FLAC stores them; what was read and not changed is written bit by bit as it was."""
    return np.clip(np.round(sound * 32768.0), -32768, 32767).astype(np.int16)
