"""How loud the separated background may stay under the dub: `python -m bench.background`.

The weight-free separation leaves some of the original voice in the background. So the real mixer lays Spanish sentences
over English speech, clean and over beds (bench/mixes.py, speech 10 dB louder), with the background at several levels,
and a judge (whisper-base, as `dubline evaluate` has it) is asked three things:

- `dub_wer`: the word error rate of the Spanish it hears, the mean over SHIFTS of the sentences;
- `original_heard`: with the dub silent, the share of the English words it still finds, 1 - WER: what a listener could
  make out in the dub's pauses;
- `bed_db`: the level of what is left of the true bed under the dub, by projection.

Writes bench/results/background.json. tasks/mix.py has what was chosen.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from bench.mixes import RATE, Samples, at_level, beds, speech, words
from bench.separation import ENGINE, shares
from dubline.domain.time import Span
from dubline.engines.contracts import SeparationRequest, SpeechRequest, TranscriptionRequest
from dubline.engines.models import ModelStore
from dubline.engines.registry import EngineSpec, create
from dubline.evaluation import JUDGE, plain
from dubline.media.mixing import MixLine, Original, mix
from dubline.settings import settings

RESULTS = Path(__file__).parent / "results" / "background.json"
LEVELS_DB = (0.0, 3.0, 6.0, 12.0)
BED_UNDER_SPEECH_DB = 10
SHIFTS_MS = (0, 350, 700)
SLOT_MS = 4000
SENTENCES = (
    "El museo abrió su nueva sala la primavera pasada.",
    "Te habría llamado antes, pero dejé el teléfono en casa.",
    "Contamos los barcos dos veces y faltaba uno.",
    "Nunca pensé que el puente viejo aguantaría el invierno.",
    "Ella lee las cartas en voz alta y su hermano escribe.",
    "Se tarda unos cuarenta minutos en tren.",
    "¿Me puede decir dónde está la oficina del puerto?",
)
VOICES = ("ef_dora", "em_alex")


def main() -> None:
    models = ModelStore(settings().models)
    judge, separator = create(JUDGE, models), create(ENGINE, models)
    spoken = speech()
    stereo = np.stack([spoken, spoken], axis=1)
    scenes = {"clean": np.zeros_like(stereo)} | {
        name: at_level(bed, spoken, BED_UNDER_SPEECH_DB) for name, bed in beds(len(spoken)).items()
    }
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        clips = sentences(models, work)
        for name, bed in scenes.items():
            soundfile.write(work / "full.flac", (stereo + bed) / 2, RATE, "PCM_16")
            background = separator.separate(SeparationRequest(work / "full.flac", work)).background
            for level in LEVELS_DB:
                rows.append({"bed": name, "background_db": level} | row(judge, work, background, clips, level, bed / 2))
                print(rows[-1], flush=True)
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def sentences(models: ModelStore, work: Path) -> list[Path]:
    engine = create(EngineSpec(capability="speech", engine="kokoro", model="kokoro-82m-int8"), models)
    paths = []
    for number, text in enumerate(SENTENCES):
        (said,) = engine.synthesize([SpeechRequest(text, "es", VOICES[number % 2])])
        paths.append(work / f"sentence-{number}.flac")
        soundfile.write(paths[-1], said.samples, said.sample_rate)
    return paths


def row(
    judge: Any, work: Path, background: Path, clips: list[Path], level: float, bed: Samples
) -> dict[str, float | None]:
    original = Original(work / "full.flac", background)
    errors = []
    for shift in SHIFTS_MS:
        mix(original, lines(clips, shift), work / "mix.flac", background_db=level)
        errors.append(wer(judge, work / "mix.flac", " ".join(SENTENCES), "es"))
    whole = MixLine(silence(work), 0, 1.0, Span(0, round(1000 * len(bed) / RATE)))
    mix(original, [whole], work / "bare.flac", background_db=level)
    bare = soundfile.read(work / "bare.flac")[0][: len(bed)]
    full = soundfile.read(work / "full.flac")[0]
    kept = shares(bare, bed, full - bed)[0] if bed.any() else None
    return {
        "dub_wer": round(statistics.mean(errors), 3),
        "dub_wer_worst": round(max(errors), 3),
        "original_heard": round(max(0.0, 1 - wer(judge, work / "bare.flac", words(), "en")), 3),
        "bed_db": None if kept is None else round(float(20 * np.log10(abs(kept))), 2),
    }


def lines(clips: list[Path], shift_ms: int) -> list[MixLine]:
    """A sentence every SLOT_MS; the original is out all the time, as under a dub without pauses."""
    starts = [number * SLOT_MS + shift_ms for number in range(len(clips))]
    return [
        MixLine(clip, start, 1.0, Span(start - shift_ms, start - shift_ms + SLOT_MS), Span(start, start + SLOT_MS))
        for clip, start in zip(clips, starts, strict=True)
    ]


def silence(work: Path) -> Path:
    soundfile.write(work / "silence.flac", np.zeros(RATE // 10), RATE)
    return work / "silence.flac"


def wer(judge: Any, path: Path, text: str, language: str) -> float:
    """Word error rate of what the judge hears."""
    import jiwer
    from scipy.signal import resample_poly

    sound, _ = soundfile.read(path, always_2d=True)
    narrow = path.with_suffix(".wav")
    soundfile.write(narrow, resample_poly(sound.mean(axis=1), 1, 3), 16_000)
    heard = judge.transcribe(TranscriptionRequest(narrow, language))
    return float(jiwer.wer(plain(text), plain(" ".join(word.text for word in heard.words))))


if __name__ == "__main__":
    main()
