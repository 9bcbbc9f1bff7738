"""The gains that bring a dubbed track to its loudness: the voices' where that is enough, else the whole track's."""

from __future__ import annotations

import math

from dubline.media.loudness import SumMeter

VOICES_DB = 6.0
"""How far the voices may leave the level of the speech they replace so that the programme gets its loudness: beyond
that they would stand out from what is not dubbed (see levels.RANGE_DB)."""
BAND_LU = 0.3
"""The voices are moved no further than to come this near to the programme's loudness (the goal is 0.5 LU): where they
are a small part of it, their own level counts more."""


def gains_towards(meter: SumMeter, own: float | None, aim: float | None, whole: bool) -> tuple[float, float]:
    """(factor of the voices, factor of the whole track) that bring the track to `aim`."""
    if own is None or aim is None:
        return 1.0, 1.0
    if not whole:
        return _voices_gain(meter, aim), 1.0
    voices = _voices_gain(meter, own)
    now = meter.lufs(voices)
    return voices, 1.0 if now is None else 10 ** ((aim - now) / 20)


def _voices_gain(meter: SumMeter, aim: float) -> float:
    """The factor nearest to 1, within VOICES_DB, that brings bed and voices to within BAND_LU of `aim`."""

    def off(db: float) -> float:
        lufs = meter.lufs(10 ** (db / 20))
        return -math.inf if lufs is None else lufs - aim

    now = off(0.0)
    if abs(now) <= BAND_LU or not math.isfinite(now):
        return 1.0
    edge = math.copysign(BAND_LU, now)
    low, high = (0.0, VOICES_DB) if now < 0 else (-VOICES_DB, 0.0)
    for _ in range(24):
        middle = (low + high) / 2
        low, high = (middle, high) if off(middle) < edge else (low, middle)
    return float(10 ** ((low + high) / 40))
