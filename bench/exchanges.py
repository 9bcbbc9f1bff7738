"""Quick exchanges: the share of words that are given to the right speaker: `python -m bench.exchanges`.

Two voices take turns of one to three words, with pauses of 0.2-0.5 s, alone and between longer sentences of the same
two. Words and their times are the true ones, so that what counts is who is heard when (diarization) and whose words
those are (attribution). Writes bench/results/exchanges.json. Clips are synthesized once, and kept.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from bench.diarization import RATE, SILENCE, Samples
from dubline.domain.attribution import attribute
from dubline.domain.time import Span
from dubline.domain.transcript import Transcript, Word
from dubline.engines.contracts import DiarizationRequest, Diarizer, SpeechRequest
from dubline.engines.models import ModelStore
from dubline.engines.registry import EngineSpec, create
from dubline.settings import settings

RESULTS = Path(__file__).parent / "results" / "exchanges.json"
SHORT = {
    "en": ("Yes.", "No.", "Why not?", "Tomorrow.", "Really?", "Of course.", "When?", "Never.", "Maybe.", "Where?"),
    "es": (
        "Sí.",
        "No.",
        "¿Por qué no?",
        "Mañana.",
        "¿De verdad?",
        "Claro.",
        "¿Cuándo?",
        "Nunca.",
        "Quizás.",
        "¿Dónde?",
    ),
}
TALK = {
    "en": (
        "I wanted to ask you whether the meeting will take place at all this week.",
        "We have not decided yet, but I think that it will be on Thursday afternoon.",
    ),
    "es": (
        "Quería preguntarte si la reunión va a celebrarse por fin esta semana.",
        "Todavía no lo hemos decidido, pero creo que será el jueves por la tarde.",
    ),
}
PAIRS = {
    "low and high": ("en", "am_michael", "af_bella"),
    "low and high, others": ("en", "am_fenrir", "af_heart"),
    "two low": ("en", "am_michael", "bm_george"),
    "two high": ("en", "af_bella", "bf_emma"),
    "low and high, Spanish": ("es", "em_alex", "ef_dora"),
    "two low, Spanish": ("es", "em_alex", "em_santa"),
}
SEEDS = range(3)


@dataclass(frozen=True)
class Said:
    span: Span
    voice: str
    text: str


@dataclass(frozen=True)
class Row:
    pair: str
    between_talk: bool
    speakers: float
    """Found, in the mean."""
    right: float
    """Share of the words of the short turns that are given to the right speaker."""
    words: int


def main() -> None:
    models = ModelStore(settings().models)
    diarizer: Diarizer = create(EngineSpec(capability="diarization", engine="pyannote"), models)
    rows = []
    for pair, (language, *voices) in PAIRS.items():
        for between_talk in (False, True):
            outcomes = [
                outcome(diarizer, *exchange(language, voices, seed, between_talk=between_talk)) for seed in SEEDS
            ]
            found, right, words = zip(*outcomes, strict=True)
            rows.append(Row(pair, between_talk, statistics.mean(found), sum(right) / sum(words), sum(words)))
            print(rows[-1], flush=True)
    RESULTS.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


def exchange(
    language: str, voices: Sequence[str], seed: int, *, between_talk: bool
) -> tuple[Samples, list[Said], list[Said]]:
    """float32 (samples,) mono at 16 kHz; all that is said, and the short turns of it."""
    chance = random.Random(seed)  # noqa: S311 # a reproducible mix, not a secret
    turns = list(zip(itertools.cycle(voices), chance.sample(SHORT[language], len(SHORT[language])), strict=False))
    talk = list(zip(voices, TALK[language], strict=True)) if between_talk else []
    at, placed, said = 0.5, [], []
    for voice, text in [*talk, *turns, *talk]:
        samples = clip(voice, text, language)
        placed.append((round(at * RATE), samples))
        said.append(Said(Span.from_seconds(at, at + len(samples) / RATE), voice, text))
        at += len(samples) / RATE + chance.uniform(0.2, 0.5)
    mix = np.random.default_rng(seed).normal(0, 0.0005, round((at + 0.5) * RATE)).astype(np.float32)
    for start, samples in placed:
        mix[start : start + len(samples)] += samples
    return mix, said, said[len(talk) : len(talk) + len(turns)]


def clip(voice: str, text: str, language: str) -> Samples:
    """A text at 16 kHz, silence around it trimmed; synthesized once."""
    from scipy.signal import resample_poly

    name = hashlib.sha256(f"{voice} {text}".encode()).hexdigest()[:16]
    path = settings().home / "bench" / "exchanges" / f"{name}.wav"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        (result,) = _speech().synthesize([SpeechRequest(text, language, voice)])
        soundfile.write(path, resample_poly(result.samples, RATE, result.sample_rate), RATE)
    samples: Samples = soundfile.read(path, dtype="float32")[0]
    loud = np.flatnonzero(np.abs(samples) > SILENCE)
    return samples[loud[0] : loud[-1] + 1]


@lru_cache(maxsize=1)
def _speech() -> Any:
    return create(
        EngineSpec(capability="speech", engine="kokoro", model="kokoro-82m-int8"), ModelStore(settings().models)
    )


def outcome(diarizer: Diarizer, samples: Samples, said: Sequence[Said], short: Sequence[Said]) -> tuple[int, int, int]:
    """How many speakers were found, and of the words in `short` how many are right, and how many there are."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "audio.wav"
        soundfile.write(path, samples, RATE)
        found = diarizer.diarize(DiarizationRequest(path))
    words = [word for one in said for word in spoken(one)]
    script = attribute(words, found.turns, found.speakers, "en")
    given = list(who_said(script, short))
    voices, names = sorted({one.voice for one in said}), sorted({name for _, name in given})
    ways = itertools.permutations([*names, *[""] * len(voices)], len(voices))
    right = max(sum(way[voices.index(voice)] == name for voice, name in given) for way in set(ways))
    return len(found.speakers), right, len(given)


def who_said(script: Transcript, short: Sequence[Said]) -> Iterator[tuple[str, str]]:
    """For each word of the short turns its voice and the speaker it was given to."""
    words = [(word.span, segment.speaker) for segment in script.segments for word in segment.words]
    for one in short:
        for span, name in words:
            if span & one.span:
                yield one.voice, name


def spoken(said: Said) -> Iterator[Word]:
    """The words of a turn, each with its share of the time by its letters."""
    texts, at = said.text.split(), said.span.start_ms
    for number, text in enumerate(texts):
        left = sum(map(len, texts[number:]))
        end = at + round((said.span.end_ms - at) * len(text) / left)
        yield Word(text, Span(at, end), 1.0)
        at = end


if __name__ == "__main__":
    main()
