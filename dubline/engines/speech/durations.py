"""How long a Kokoro voice takes for a text, told from its phonemes without loading the model.

A linear model: each kind of sound takes its time, scaled by the voice's pace in the language. `bench/durations.py` fits
it and writes `durations.json`, which holds each voice's error on phrases that the fit did not see.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

MODEL = Path(__file__).parent / "durations.json"
FEATURES = ("phrase", "vowels", "consonants", "stresses", "lengths", "words", "pauses")
"""What is counted in a phrase; the model has a weight in ms for each."""
_VOWELS = frozenset("aeiouyɐɑɒæɔəɚɛɜɤɨɪɯɵøœɶʉʊʌɘɞãẽĩõũỹᵊᵻAIOQSTWY")
_MARKS = frozenset(",;:—…")
_FINAL = frozenset(".?!।")


@dataclass(frozen=True, slots=True)
class VoicePace:
    paces: dict[str, float]
    """Factor for each language that the voice was heard in."""
    mean_error: float
    error_90: float
    """Mean and 90% quantile of the relative error's magnitude on phrases that the fit did not see."""
    clips: int


@dataclass(frozen=True, slots=True)
class DurationModel:
    weights: tuple[float, ...]
    """ms for each of FEATURES."""
    voices: dict[str, VoicePace]

    def duration_ms(self, counts: Sequence[float], voice: str, language: str) -> float:
        """The predicted duration at speed 1 for the `features` of a phrase."""
        known = self.voices[voice].paces if voice in self.voices else {}
        pace = known.get(language) or (sum(known.values()) / len(known) if known else 1.0)
        return pace * sum(weight * count for weight, count in zip(self.weights, counts, strict=True))


def digest() -> str:
    """Of the fitted model: it decides what is planned."""
    return hashlib.sha256(MODEL.read_bytes()).hexdigest()


@cache
def model() -> DurationModel:
    return TypeAdapter(DurationModel).validate_json(MODEL.read_bytes())


def features(spoken: str) -> tuple[float, ...]:
    """Counts of FEATURES in a phrase's phonemes."""
    letters = [symbol for symbol in spoken if symbol.isalpha() and symbol not in "ːˈˌ"]
    vowels = sum(symbol in _VOWELS for symbol in letters)
    inner = spoken.rstrip("".join(_FINAL | _MARKS) + " ")
    return (
        1.0,
        float(vowels),
        float(len(letters) - vowels),
        float(spoken.count("ˈ")),
        float(spoken.count("ː")),
        float(len(spoken.split())),
        float(sum(symbol in _MARKS or symbol in _FINAL for symbol in inner)),
    )
