"""Which voice speaks for which speaker."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from dubline.domain.errors import UnsupportedLanguage
from dubline.domain.transcript import Speaker

Register = Literal["low", "high"]

REGISTER_BOUNDARY_HZ = 165.0
"""Speaking F0 of men is mostly 85-155 Hz, of women 165-255 Hz (Baken and Orlikoff, Clinical Measurement of Speech and
Voice, 2nd ed., 2000, chapter 6; Titze, Principles of Voice Production, 1994)."""
CLOSE_SEMITONES = 4.0
"""Voices this near to a speaker's pitch are equally near: the order they are offered in, best first, then decides."""


@dataclass(frozen=True, slots=True)
class VoiceChoice:
    """A voice that can speak the target language."""

    id: str
    register: Register
    native: bool = True
    """Whether the target language is the voice's own; others speak it with some accent."""
    median_f0_hz: float | None = None


def register_of(speaker: Speaker) -> Register | None:
    """Low or high by the median pitch; None where the pitch is not known."""
    if speaker.median_f0_hz is None:
        return None
    return "low" if speaker.median_f0_hz < REGISTER_BOUNDARY_HZ else "high"


def cast(speakers: Sequence[Speaker], voices: Sequence[VoiceChoice]) -> dict[str, str]:
    """Give every speaker a voice: speaker id -> voice id, in the order of `speakers`.

    `voices` are offered best first. Who speaks most chooses first and takes, of the voices nobody has yet, a native one
    of his register, else a foreign one of his register, else a native one of the other register, else what is left;
    among equals one near his pitch, then the first offered. A speaker of unknown pitch takes any register. A voice is
    shared only when all are taken: then the least used, in the same order. Raises UnsupportedLanguage without voices.
    """
    if not voices and speakers:
        raise UnsupportedLanguage(
            "No voice of the chosen speech engine speaks the target language; choose another language or profile."
        )
    used: Counter[str] = Counter()
    chosen: dict[str, str] = {}
    for speaker in sorted(speakers, key=lambda s: -s.speech_ms):
        chosen[speaker.id] = _best(speaker, voices, used)
        used[chosen[speaker.id]] += 1
    return {speaker.id: chosen[speaker.id] for speaker in speakers}


def _best(speaker: Speaker, voices: Iterable[VoiceChoice], used: Counter[str]) -> str:
    wanted = register_of(speaker)

    def rank(voice: VoiceChoice) -> tuple[int, bool, bool, int]:
        wrong = wanted is not None and voice.register != wanted
        return used[voice.id], wrong, not voice.native, _steps_apart(speaker.median_f0_hz, voice.median_f0_hz)

    return min(voices, key=rank).id


def _steps_apart(one_hz: float | None, other_hz: float | None) -> int:
    """Distance in whole CLOSE_SEMITONES; 0 where a pitch is not known."""
    if not one_hz or not other_hz:
        return 0
    return int(abs(12 * math.log2(one_hz / other_hz)) / CLOSE_SEMITONES)
