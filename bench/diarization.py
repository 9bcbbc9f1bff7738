"""Diarization error rate of the offline engine: `python -m bench.diarization`.

Two kinds of recordings: the real 30 s conversation that ships with pyannote.audio, and conversations mixed from
Kokoro's voices, whose turns are known exactly. DER is counted without a collar and with overlap. Writes
bench/results/diarization.json. The first run synthesizes for some minutes; clips are kept under the Dubline home.
"""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from bench.mixes import sample_folder
from dubline.domain.time import Span, merged
from dubline.domain.transcript import Turn
from dubline.engines.contracts import DiarizationRequest, Diarizer, SpeechRequest
from dubline.engines.models import ModelStore
from dubline.engines.registry import EngineSpec, create
from dubline.settings import settings

RATE = 16_000
SILENCE = 0.004
"""Peak under which a synthesized clip, which has no noise, is silent."""
RESULTS = Path(__file__).parent / "results" / "diarization.json"
TEXTS = (
    "The museum opened its new wing last spring, and the line of visitors reached the corner of the street.",
    "Well, I would have called you earlier, but my phone was at home.",
    "Could you tell me where the harbour office is?",
    "We counted the boats twice, and both times one of them was missing.",
    "Honestly, I never expected the old bridge to survive the winter storms.",
    "No, not at all.",
    "She reads the letters aloud while her brother writes the answers down.",
    "It takes about forty minutes by train, and a little more by bus.",
)
CASES: dict[str, tuple[tuple[str, ...], int]] = {
    "one, high": (("af_heart",), 16),
    "one, low": (("am_michael",), 16),
    "two, high and low": (("af_bella", "am_fenrir"), 16),
    "two, high": (("af_heart", "bf_emma"), 16),
    "two, near-identical": (("af_sarah", "bf_isabella"), 16),
    "two, low": (("am_michael", "bm_george"), 16),
    "three": (("af_heart", "am_michael", "bm_george"), 24),
    "four": (("af_bella", "am_fenrir", "bf_emma", "bm_lewis"), 32),
    "one, ten minutes": (("bf_emma",), 130),
    "three, ten minutes": (("af_heart", "am_michael", "bf_isabella"), 130),
}
"""Name -> voices, number of turns."""

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Row:
    name: str
    seconds: float
    speakers: int
    found: int
    der: float
    missed: float
    false_alarm: float
    confusion: float
    real_time_factor: float


def main() -> None:
    models = ModelStore(settings().models)
    engine: Diarizer = create(EngineSpec(capability="diarization", engine="pyannote"), models)
    rows = []
    print(f"{'recording':<24}{'s':>6}{'speakers':>10}{'DER':>8}{'missed':>8}{'false':>8}{'conf.':>8}{'RTF':>8}")
    for name, samples, turns in recordings(models):
        row = measure(engine, name, samples, turns)
        rows.append(asdict(row))
        print(
            f"{name:<24}{row.seconds:>6.0f}{row.found:>6} of {row.speakers}{row.der:>8.1%}{row.missed:>8.1%}"
            f"{row.false_alarm:>8.1%}{row.confusion:>8.1%}{row.real_time_factor:>8.3f}",
            flush=True,
        )
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")


def recordings(models: ModelStore) -> Iterator[tuple[str, Samples, list[Turn]]]:
    """Name, float32 (samples,) mono at 16 kHz, true turns."""
    yield "sample", *sample()
    speech = create(EngineSpec(capability="speech", engine="kokoro", model="kokoro-82m-int8"), models)
    for seed, (name, (voices, turns)) in enumerate(CASES.items()):
        clips = {voice: [clip(speech, voice, text) for text in TEXTS] for voice in voices}
        yield name, *conversation(clips, turns, seed)


def sample() -> tuple[Samples, list[Turn]]:
    folder = sample_folder()
    samples, _ = soundfile.read(folder / "sample.wav", dtype="float32")
    fields = [line.split() for line in (folder / "sample.rttm").read_text().splitlines()]
    return samples, [Turn(Span.from_seconds(float(f[3]), float(f[3]) + float(f[4])), f[7]) for f in fields]


def clip(speech: Any, voice: str, text: str) -> Samples:
    """A sentence at 16 kHz, silence around it trimmed; synthesized once."""
    from scipy.signal import resample_poly

    path = settings().home / "bench" / f"{voice}-{TEXTS.index(text)}.wav"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        (result,) = speech.synthesize([SpeechRequest(text, "en", voice)])
        soundfile.write(path, resample_poly(result.samples, RATE, result.sample_rate), RATE)
    samples: Samples = soundfile.read(path, dtype="float32")[0]
    loud = np.flatnonzero(np.abs(samples) > SILENCE)
    return samples[loud[0] : loud[-1] + 1]


def conversation(clips: dict[str, list[Samples]], turns: int, seed: int) -> tuple[Samples, list[Turn]]:
    """Speakers take turns, mostly in alternation, with pauses of 0.1-0.9 s and an interruption now and then."""
    chance = random.Random(seed)  # noqa: S311 # a reproducible mix, not a secret
    at, speaker, placed, truth = 0.5, "", [], []
    for number in range(turns):
        others = [voice for voice in clips if voice != speaker]
        before, speaker = speaker, chance.choice(others if others and chance.random() < 0.75 else list(clips))
        samples = clips[speaker][number % len(TEXTS)]
        interrupts = before not in ("", speaker) and chance.random() < 0.15
        at += -chance.uniform(0.2, 0.5) if interrupts else chance.uniform(0.1, 0.9)
        placed.append((round(at * RATE), samples))
        truth += [Turn(span.shifted(round(at * 1000)), speaker) for span in talk(samples)]
        at += len(samples) / RATE
    mix = np.random.default_rng(seed).normal(0, 0.0005, round((at + 0.5) * RATE)).astype(np.float32)
    for start, samples in placed:
        mix[start : start + len(samples)] += samples
    return mix, truth


def talk(samples: Samples) -> tuple[Span, ...]:
    """Speech in a clean clip: pauses under 0.3 s do not part it, as in NIST's Rich Transcription references."""
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    loud = np.flatnonzero(np.abs(frames).max(axis=1) > SILENCE)
    return merged((Span(int(i) * 10, int(i) * 10 + 10) for i in loud), gap_ms=300)


def measure(engine: Diarizer, name: str, samples: Samples, truth: list[Turn]) -> Row:
    from pyannote.metrics.diarization import DiarizationErrorRate

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "audio.wav"
        soundfile.write(path, samples, RATE)
        began = time.perf_counter()
        result = engine.diarize(DiarizationRequest(path))
        took = time.perf_counter() - began
    parts = DiarizationErrorRate(collar=0.0, skip_overlap=False)(
        _annotation(truth), _annotation(result.turns), detailed=True
    )
    missed, false_alarm, confusion = (
        float(parts[key] / parts["total"]) for key in ("missed detection", "false alarm", "confusion")
    )
    seconds = len(samples) / RATE
    speakers = len({turn.speaker for turn in truth})
    der = missed + false_alarm + confusion
    return Row(name, seconds, speakers, len(result.speakers), der, missed, false_alarm, confusion, took / seconds)


def _annotation(turns: Any) -> Any:
    from pyannote.core import Annotation, Segment

    annotation = Annotation(uri="recording")
    for number, turn in enumerate(turns):
        annotation[Segment(*turn.span.seconds()), number] = turn.speaker
    return annotation


if __name__ == "__main__":
    main()
