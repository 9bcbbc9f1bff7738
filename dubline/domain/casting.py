"""Which voice speaks for which speaker."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dubline.domain.errors import InvalidRequest, UnsupportedLanguage
from dubline.domain.transcript import Speaker

Register = Literal["low", "high"]

REGISTER_BOUNDARY_HZ = 165.0
"""Speaking F0 of men is mostly 85-155 Hz, of women 165-255 Hz (Baken and Orlikoff, Clinical Measurement of Speech and
Voice, 2nd ed., 2000, chapter 6; Titze, Principles of Voice Production, 1994)."""
CLOSE_SEMITONES, FAR_SEMITONES = 2.0, 12.0
"""Voices this near to a speaker's pitch are equally near, and equally far beyond an octave."""

_SHARED, _WRONG_REGISTER, _FOREIGN = 1000.0, 100.0, 20.0
"""What a choice costs, each more than all that comes after it: a voice that somebody else has, the wrong register, a
foreign accent."""
_PITCH, _TIMBRE, _RANK = 5.0, 10.0, 0.5
"""At most, for pitch and for the cosine distance of the embeddings; and for each place further down in the offer."""


@dataclass(frozen=True, slots=True)
class VoiceChoice:
    """A voice that can speak the target language."""

    id: str
    register: Register
    native: bool = True
    """Whether the target language is the voice's own; others speak it with some accent."""
    median_f0_hz: float | None = None
    embedding: tuple[float, ...] | None = None
    embedding_space: str | None = None
    """Embeddings compare only within one space."""


def register_of(speaker: Speaker) -> Register | None:
    """Low or high by the median pitch; None where the pitch is not known."""
    if speaker.median_f0_hz is None:
        return None
    return "low" if speaker.median_f0_hz < REGISTER_BOUNDARY_HZ else "high"


def cast(
    speakers: Sequence[Speaker], voices: Sequence[VoiceChoice], overrides: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Give every speaker a voice: speaker id -> voice id, in the order of `speakers`.

    `voices` are offered best first. What `overrides` (speaker id -> voice id) says holds. The others get the voices of
    least total cost, weighted by how long each speaks: register first, then a native voice before a foreign one, then
    likeness in pitch and timbre, then the order of the offer. Nobody shares a voice while there is one that nobody has.
    The same speaker is measured against the same ear in every language, so his voices are alike.
    Raises UnsupportedLanguage without voices, InvalidRequest where an override names a speaker or a voice that there
    is not.
    """
    if not voices and speakers:
        raise UnsupportedLanguage(
            "No voice of the chosen speech engine speaks the target language; choose another language or profile."
        )
    chosen = dict(overrides or {})
    _check(chosen, speakers, voices)
    free = [speaker for speaker in speakers if speaker.id not in chosen]
    chosen |= _assigned(free, voices, Counter(chosen.values()))
    return {speaker.id: chosen[speaker.id] for speaker in speakers}


def _check(overrides: Mapping[str, str], speakers: Sequence[Speaker], voices: Sequence[VoiceChoice]) -> None:
    there = [speaker.id for speaker in speakers]
    for speaker, voice in overrides.items():
        if speaker not in there:
            raise InvalidRequest(
                f"The voice '{voice}' was asked for the speaker '{speaker}', but the video has {', '.join(there)}; "
                "cast.yaml of a run without that option says who they are."
            )
        if voice not in {choice.id for choice in voices}:
            raise InvalidRequest(
                f"There is no voice '{voice}' for the speaker '{speaker}'; "
                f"use one of: {', '.join(choice.id for choice in voices)}."
            )


def _assigned(speakers: Sequence[Speaker], voices: Sequence[VoiceChoice], used: Counter[str]) -> dict[str, str]:
    """The assignment of least cost (Hungarian method). A voice is offered as often as it takes, dearer each time."""
    if not speakers:
        return {}
    from scipy.optimize import linear_sum_assignment

    times = range(-(-len(speakers) // len(voices)))
    offers = [(voice, rank, used[voice.id] + again) for again in times for rank, voice in enumerate(voices)]
    costs = [
        [max(speaker.speech_ms, 1) * (_cost(speaker, voice, rank) + _SHARED * shared) for voice, rank, shared in offers]
        for speaker in speakers
    ]
    rows, columns = linear_sum_assignment(costs)
    return {speakers[row].id: offers[column][0].id for row, column in zip(rows, columns, strict=True)}


def _cost(speaker: Speaker, voice: VoiceChoice, rank: int) -> float:
    register = register_of(speaker)
    cost = _WRONG_REGISTER * (register is not None and register != voice.register) + _FOREIGN * (not voice.native)
    return cost + _PITCH * _pitch_apart(speaker, voice) + _TIMBRE * _timbre_apart(speaker, voice) + _RANK * rank


def _pitch_apart(speaker: Speaker, voice: VoiceChoice) -> float:
    """0 (near) to 1 (far); 0 where a pitch is not known."""
    if not speaker.median_f0_hz or not voice.median_f0_hz:
        return 0.0
    semitones = abs(12 * math.log2(speaker.median_f0_hz / voice.median_f0_hz))
    return min(max(semitones - CLOSE_SEMITONES, 0.0) / (FAR_SEMITONES - CLOSE_SEMITONES), 1.0)


def _timbre_apart(speaker: Speaker, voice: VoiceChoice) -> float:
    """1 minus the cosine of the embeddings, at least 0; 0 where they do not compare."""
    one, other = speaker.embedding, voice.embedding
    if not one or not other or speaker.embedding_space != voice.embedding_space:
        return 0.0
    length = math.hypot(*one) * math.hypot(*other)
    dot = sum(a * b for a, b in zip(one, other, strict=True))
    return min(max(1 - dot / length, 0.0), 1.0) if length else 0.0
