"""Fit the model that tells how long a voice will take for a text: `python -m bench.durations`.

Every voice that Kokoro offers speaks bench/data/phrases.yaml: all of its own language, every third of the others.
The model (`dubline.engines.speech.durations`) is fitted to the trimmed clips' durations and written beside it with the
error of each voice, found on phrases that the fit did not see. Clips' durations are kept under the Dubline home, so
that a second fit speaks nothing.
"""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from scipy.optimize import nnls

from dubline.engines.contracts import SpeechRequest
from dubline.engines.models import ModelStore
from dubline.engines.registry import EngineSpec, create
from dubline.engines.speech.durations import FEATURES, MODEL, DurationModel, VoicePace, features
from dubline.engines.speech.kokoro import KokoroSpeech
from dubline.engines.speech.phonemes import phonemes
from dubline.media.trimming import trimmed
from dubline.settings import settings

PHRASES = Path(__file__).parent / "data" / "phrases.yaml"
ENGINE = EngineSpec(capability="speech", engine="kokoro", model="kokoro-82m-int8")
FOLDS = 5


@dataclass(frozen=True)
class Example:
    voice: str
    language: str
    counts: tuple[float, ...]
    ms: float


def main() -> None:
    examples = list(spoken())
    held_out = [ratio for fold in range(FOLDS) for ratio in errors(examples, fold)]
    model = fit(examples, held_out)
    MODEL.write_text(json.dumps(asdict(model), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    every = sorted(abs(error) for _, error in held_out)
    print(f"{len(examples)} clips; error held out: mean {statistics.mean(every):.1%}, 90% within {quantile(every):.1%}")
    for voice, pace in model.voices.items():
        print(f"{voice:<14}mean {pace.mean_error:.1%}, 90% within {pace.error_90:.1%}, {pace.clips} clips")


def spoken() -> Iterator[Example]:
    """What each voice takes for each of its phrases at speed 1."""
    texts = yaml.safe_load(PHRASES.read_text(encoding="utf-8"))
    known_at = settings().home / "bench" / "durations.json"
    known: dict[str, float] = json.loads(known_at.read_text()) if known_at.exists() else {}
    engine: Any = None
    for language in texts:
        for voice in KokoroSpeech.voices(language):
            for text in texts[language] if voice.native else texts[language][::3]:
                key = f"{voice.id} {language} {text}"
                if key not in known:
                    engine = engine or create(ENGINE, ModelStore(settings().models))
                    (clip,) = engine.synthesize([SpeechRequest(text, language, voice.id)])
                    known[key] = 1000 * len(trimmed(clip.samples, clip.sample_rate)) / clip.sample_rate
                    known_at.parent.mkdir(parents=True, exist_ok=True)
                    known_at.write_text(json.dumps(known))
                yield Example(voice.id, language, features(phonemes(text, language, voice.id)), known[key])


def errors(examples: Sequence[Example], fold: int) -> Iterator[tuple[str, float]]:
    """(voice, predicted over measured, minus one) of each example of a fold, by a model of the others."""
    model = fit([e for number, e in enumerate(examples) if number % FOLDS != fold], [])
    for example in examples[fold::FOLDS]:
        yield example.voice, model.duration_ms(example.counts, example.voice, example.language) / example.ms - 1


def fit(examples: Sequence[Example], held_out: Sequence[tuple[str, float]]) -> DurationModel:
    """Weights that all voices share, and a pace for each voice in each language, in turns until both are settled."""
    paces: dict[tuple[str, str], float] = defaultdict(lambda: 1.0)
    weights = np.zeros(len(FEATURES))
    for _ in range(10):
        scaled = np.array([np.array(e.counts) * paces[e.voice, e.language] / e.ms for e in examples])
        weights, _ = nnls(scaled, np.ones(len(examples)))  # relative errors count alike for short and long phrases
        for pair in {(e.voice, e.language) for e in examples}:
            ratios = [e.ms / float(weights @ e.counts) for e in examples if (e.voice, e.language) == pair]
            paces[pair] = statistics.median(ratios)
    voices = {}
    for voice in sorted({e.voice for e in examples}):
        own = sorted(abs(error) for name, error in held_out if name == voice)
        voices[voice] = VoicePace(
            {language: round(paces[name, language], 4) for name, language in sorted(paces) if name == voice},
            round(statistics.mean(own), 4) if own else 0.0,
            round(quantile(own), 4) if own else 0.0,
            len(own),
        )
    return DurationModel(tuple(round(float(weight), 2) for weight in weights), voices)


def quantile(values: Sequence[float]) -> float:
    return float(np.quantile(values, 0.9))


if __name__ == "__main__":
    main()
