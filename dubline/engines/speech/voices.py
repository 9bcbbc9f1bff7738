"""What Kokoro's voices sound like: pitch and speaker embedding of each, measured by `bench/voices.py`."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DATA = Path(__file__).parent / "kokoro_voices.json"
DECIMALS = 3
SPACE = "resemblyzer"
"""The embeddings' space: they compare with those of a diarizer that uses the same encoder."""


@dataclass(frozen=True, slots=True)
class VoiceSound:
    median_f0_hz: float | None
    embedding: tuple[float, ...]
    """Of length 1, but for the rounding."""


@cache
def sounds() -> dict[str, VoiceSound]:
    """Voice -> how it sounds."""
    found = json.loads(DATA.read_bytes())
    return {name: VoiceSound(one["median_f0_hz"], tuple(one["embedding"])) for name, one in found.items()}


def digest() -> str:
    """Of the measurements: they decide which voice speaks for whom."""
    return hashlib.sha256(DATA.read_bytes()).hexdigest()
