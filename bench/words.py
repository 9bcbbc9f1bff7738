"""How far utterance starts and ends lie from the sample's reference: `python -m bench.words`.

The reference is the .stm that ships with pyannote's sample: when each utterance begins and ends, marked by hand. An
utterance's start is that of its first recognized word, its end that of its last; those whose first or last word was not
recognized are left out. Told for the recognizer's own times, and for those corrected by detected speech at several
thresholds. Writes bench/results/words.json.
"""

from __future__ import annotations

import difflib
import json
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import soundfile

from bench.mixes import RATE, sample_folder, speech
from dubline.domain.transcript import Word
from dubline.domain.word_times import corrected
from dubline.engines.contracts import DiarizationRequest, SeparationRequest, TranscriptionRequest
from dubline.engines.models import ModelStore
from dubline.engines.registry import create
from dubline.evaluation import plain
from dubline.media import activity
from dubline.profiles import load
from dubline.settings import settings

RESULTS = Path(__file__).parent / "results" / "words.json"
SHARES = (0.25, 0.35, 0.45)


def main() -> None:
    from scipy.signal import resample_poly

    models, profile = ModelStore(settings().models), load("offline")
    utterances = reference(sample_folder() / "sample.stm")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        full, narrow = folder / "full.flac", folder / "speech.flac"
        soundfile.write(full, speech(), RATE)
        soundfile.write(narrow, resample_poly(speech(), 1, 3), RATE // 3)
        words = create(profile.asr, models).transcribe(TranscriptionRequest(narrow, "en")).words
        turns = [turn.span for turn in create(profile.diarization, models).diarize(DiarizationRequest(narrow)).turns]
        background = create(profile.separation, models).separate(SeparationRequest(full, folder)).background
        found: dict[str, Any] = {"recognizer alone": errors(words, utterances)}
        for share in SHARES:
            activity._SHARE = share
            timed = corrected(words, activity.sounding(full, background, turns))
            found[f"corrected, threshold {share}"] = errors(timed, utterances)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    for name, figures in found.items():
        print(f"{name:<28}{figures}")


def reference(stm: Path) -> list[tuple[float, float, str]]:
    """(start, end, text) of each utterance, in ms."""
    fields = [line.split(None, 5) for line in stm.read_text().splitlines() if not line.startswith(";;")]
    return [(1000 * float(f[3]), 1000 * float(f[4]), f[5]) for f in fields]


def errors(words: Sequence[Word], utterances: Sequence[tuple[float, float, str]]) -> dict[str, float]:
    """Mean absolute errors in ms."""
    spoken = [(plain(text), number) for number, (*_, text) in enumerate(utterances)]
    tokens = [(token, number) for text, number in spoken for token in text.split()]
    heard = [plain(word.text).replace(" ", "") for word in words]
    matcher = difflib.SequenceMatcher(None, [token.replace(" ", "") for token, _ in tokens], heard, autojunk=False)
    match = {a + i: words[b + i] for a, b, size in matcher.get_matching_blocks() for i in range(size)}
    starts, ends = [], []
    for number, (start, end, _) in enumerate(utterances):
        own = [index for index, (_, owner) in enumerate(tokens) if owner == number]
        if own[0] in match:
            starts.append(abs(match[own[0]].span.start_ms - start))
        if own[-1] in match:
            ends.append(abs(match[own[-1]].span.end_ms - end))
    every = [*starts, *ends]
    return {
        "starts_ms": round(statistics.mean(starts), 1),
        "ends_ms": round(statistics.mean(ends), 1),
        "mean_ms": round(statistics.mean(every), 1),
        "edges": len(every),
    }


if __name__ == "__main__":
    main()
