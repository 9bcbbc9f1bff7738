"""One channel for the recognizers of a sound with several, in which nothing that is said cancels itself or drowns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from dubline.acoustics import phase
from dubline.acoustics.voice_activity import voices
from dubline.domain.errors import OutputUnavailable
from dubline.domain.time import total_ms

Samples = NDArray[np.float32]
Weights = NDArray[np.float64]
"""(blocks, 2): how much of the middle and of the side is taken in each block of phase.BLOCK_S."""

MIDDLE, SIDE, LEFT, RIGHT = (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, -1.0)
_PART_S = 60
_PART = round(_PART_S / phase.BLOCK_S)
_WIDE, _STRANGERS = 0.1, 0.5
"""Side against middle, in power, from which on a minute is listened to, and from which on its channels have so little
in common that each may be another recording: those have 1, people who talk in a room less than 0.1, wide music 0.3."""
_TALK = 0.3
"""Share of the time with voices from which on a minute that is only wide is taken to have all of them."""
_MORE, _LEAST_MS = 1.5, 500
"""Voices that another way has to have against the usual one, and beside it, to be taken."""
_NONE = 0.1
"""Share of the voices on the other side up to which a channel counts as one without any."""


def join(middle: Path, side: Path | None, out: Path) -> bool:
    """Make `out` of one or two mono FLAC of one rate and length; whether it is other than the middle.

    `middle` is the downmix of all channels, `side` the same with the right front channel turned round. Where left and
    right are in opposite phase the side is taken, where voices are on one of them alone that one. Where nothing of the
    kind is found, `out` is the middle, byte for byte. Both are used up. Raises OutputUnavailable.
    """
    if side is None:
        middle.replace(out)
        return False
    weights = _weights(middle, side)
    usual = bool((weights == MIDDLE).all())
    if usual:
        middle.replace(out)
    else:
        _write(middle, side, weights, out)
        middle.unlink()
    side.unlink()
    return not usual


def _weights(middle: Path, side: Path) -> Weights:
    parts = [phase.powers(one, other, rate) for one, other, rate in _parts(middle, side)]
    found = np.concatenate(parts) if parts else np.zeros((0, 2))
    turned = phase.turned(found)
    weights = np.stack([1.0 - turned, 1.0 * turned], axis=1)
    if not any(_apart(part, _WIDE) for part in parts):
        return weights
    for number, (one, other, rate) in enumerate(_parts(middle, side)):
        if _apart(parts[number], _WIDE):
            place = slice(number * _PART, (number + 1) * _PART)
            weights[place] = _heard(one, other, weights[place], rate)
    return weights


def _apart(powers: phase.Powers, share: float) -> bool:
    """Whether left and right differ so much that their sum may lack what is said."""
    middle, side = powers.sum(axis=0)
    return bool(side >= share * middle and middle + side >= phase.SILENCE * len(powers))


def _heard(middle: Samples, side: Samples, usual: Weights, rate: int) -> Weights:
    """The weights of a part of wide sound, by where its voices are."""
    now = _voices_ms(_mixed(middle, side, usual, 0, rate))
    if now > _TALK * len(middle) * 1000 / rate and not _apart(phase.powers(middle, side, rate), _STRANGERS):
        return usual
    turned, left, right = (_voices_ms(middle * whole + side * other) for whole, other in ((0, 1), (1, 1), (1, -1)))
    if max(left, right) >= max(now, _LEAST_MS) * 0.9 and min(left, right) <= _NONE * max(left, right):
        return np.full_like(usual, 1.0) * (LEFT if left > right else RIGHT)
    if turned > _MORE * now + _LEAST_MS:
        return np.full_like(usual, 1.0) * SIDE
    return usual


def _voices_ms(sound: Samples) -> int:
    return total_ms(voices(sound))


def _mixed(middle: Samples, side: Samples, weights: Weights, start: int, rate: int) -> Samples:
    whole, other = (phase.ramps(column, start, len(middle), rate) for column in weights.T)
    return middle * whole + side * other


def _parts(middle: Path, side: Path) -> Iterator[tuple[Samples, Samples, int]]:
    """(middle, side, rate) of each minute."""
    with soundfile.SoundFile(middle) as one, soundfile.SoundFile(side) as other:
        size = one.samplerate * _PART_S
        blocks = zip(*(sound.blocks(size, dtype="float32") for sound in (one, other)), strict=True)
        yield from ((whole, rest, one.samplerate) for whole, rest in blocks)


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Say in one sentence why a sound file cannot be written. Raises OutputUnavailable."""
    try:
        yield
    except soundfile.LibsndfileError as error:
        raise OutputUnavailable(
            f"Cannot write {out}: {error}; make room or set DUBLINE_HOME to another disk."
        ) from error


def _write(middle: Path, side: Path, weights: Weights, out: Path) -> None:
    rate = soundfile.info(middle).samplerate
    with writing(out), soundfile.SoundFile(out, "w", rate, 1, "PCM_16", format="FLAC") as target:
        for one, other, _ in _parts(middle, side):
            target.write(_mixed(one, other, weights, target.frames, rate))
