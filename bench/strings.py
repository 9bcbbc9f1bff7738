"""Strings of sentences with pauses between, and what is said in them: spoken by the product's voices, or recorded.

A string says its sentences in random order, drawn with a fixed seed; two voices take turns. The recordings are
pyannote's sample, cut at its utterances, and the lines of an audiobook (see recordings.py).
"""

from __future__ import annotations

import functools
import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import yaml
from numpy.typing import NDArray

from bench.mixes import sample_folder
from bench.recordings import LIBRIVOX
from dubline.domain.time import Span
from dubline.engines.contracts import SpeechRequest
from dubline.engines.models import ModelStore
from dubline.engines.registry import create
from dubline.media.trimming import trimmed
from dubline.profiles import load
from dubline.settings import settings

Samples = NDArray[np.float32]

RATE = 16_000
HISS = 3e-4
"""Standard deviation of the noise under a string: no recording is digitally silent."""
MARGIN_S = 0.8
SENTENCES = Path(__file__).parent / "data" / "strings.yaml"
VOICES = {
    "en": ("am_fenrir", "af_heart", "bm_lewis"),
    "es": ("ef_dora", "em_alex"),
    "fr": ("ff_siwis",),
    "it": ("if_sara", "im_nicola"),
    "pt": ("pf_dora", "pm_alex"),
}
LENGTHS = (3, 5, 8)
"""Sentences a string."""


@dataclass(frozen=True, eq=False)
class Piece:
    """What is said, and its sound: float32 (samples,), mono, 16 kHz."""

    text: str
    samples: Samples


@dataclass(frozen=True, slots=True)
class String:
    name: str
    language: str
    pieces: tuple[Piece, ...]
    spans: tuple[Span, ...]
    """When each piece sounds."""
    samples: Samples

    @property
    def text(self) -> str:
        return " ".join(piece.text for piece in self.pieces)


def spoken(language: str, count: int, seed: int) -> Iterator[String]:
    """`count` strings of three, five and eight sentences in turn, with pauses of 0.2-1.5 s."""
    sentences = yaml.safe_load(SENTENCES.read_text(encoding="utf-8"))[language]
    draw = random.Random(f"{language} {seed}")  # noqa: S311 # a reproducible string, not a secret
    for number in range(count):
        said = draw.sample(sentences, LENGTHS[number % len(LENGTHS)])
        voices = draw.sample(VOICES[language], min(2, len(VOICES[language])))
        pieces = tuple(Piece(text, clip(text, language, voices[turn % len(voices)])) for turn, text in enumerate(said))
        yield strung(f"{language}{number:02}", language, pieces, draw, (0.2, 1.5))


def recorded(count: int, seed: int) -> Iterator[String]:
    """`count` strings of eight recorded utterances, with pauses of 0.3-0.8 s."""
    known = (*_conversation(), *_audiobook())
    draw = random.Random(seed)  # noqa: S311 # a reproducible string, not a secret
    for number in range(count):
        pieces = tuple(draw.sample(known, 8))
        yield strung(f"real{number:02}", "en", pieces, draw, (0.3, 0.8))


def alone(piece: Piece, language: str) -> String:
    draw = random.Random(0)  # noqa: S311 # a reproducible string, not a secret
    return strung("alone", language, (piece,), draw, (MARGIN_S, MARGIN_S))


def strung(
    name: str, language: str, pieces: tuple[Piece, ...], draw: random.Random, pause_s: tuple[float, float]
) -> String:
    parts, spans, length = [_silence(MARGIN_S)], [], MARGIN_S
    for piece in pieces:
        pause = _silence(draw.uniform(*pause_s))
        spans.append(Span.from_seconds(length, length + len(piece.samples) / RATE))
        parts += [piece.samples, pause]
        length += (len(piece.samples) + len(pause)) / RATE
    whole = np.concatenate([*parts, _silence(MARGIN_S)])
    hiss = np.random.default_rng(len(whole)).normal(0, HISS, len(whole))
    return String(name, language, pieces, tuple(spans), (whole + hiss).astype(np.float32))


def clip(text: str, language: str, voice: str) -> Samples:
    """A sentence as the product's voice says it; made once."""
    from scipy.signal import resample_poly

    name = hashlib.sha256(f"{language} {voice} {text}".encode()).hexdigest()[:16]
    path = settings().home / "bench" / "strings" / f"{name}.flac"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        (said,) = _speech().synthesize([SpeechRequest(text, language, voice)])
        sound = resample_poly(trimmed(said.samples, said.sample_rate), RATE, said.sample_rate)
        soundfile.write(path, sound / np.abs(sound).max() / 3, RATE)
    samples: Samples = soundfile.read(path, dtype="float32")[0]
    return samples


@functools.cache
def _speech() -> Any:
    return create(load("offline").speech, ModelStore(settings().models))


def _conversation() -> Iterator[Piece]:
    samples, rate = soundfile.read(sample_folder() / "sample.wav", dtype="float32")
    for line in (sample_folder() / "sample.stm").read_text().splitlines():
        if not line.startswith(";;"):
            *_, start, end, text = line.split(None, 5)
            yield Piece(text, samples[round(float(start) * rate) : round(float(end) * rate)])


def _audiobook() -> Iterator[Piece]:
    for line in (LIBRIVOX / "transcription").read_text().splitlines():
        text, _, name = line.partition(" </s> ")
        yield Piece(text.removeprefix("<s> "), soundfile.read(LIBRIVOX / f"{name.strip('()')}.wav", dtype="float32")[0])


def _silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.float32)
