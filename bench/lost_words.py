"""Words that the recognizers lose where several sentences follow each other: `python -m bench.lost_words [WAY ...]`.

Strings of sentences by the product's voices in five languages, and strings of recorded utterances (bench/strings.py),
are recognized in every way; each recorded utterance by itself too, for what is lost there is not lost for company. A
word is lost where the alignment of what was said with what was heard leaves a word without a partner. Each way runs in
a process of its own, with time and memory. Writes bench/results/lost_words.json; with names, those ways alone anew.
"""

from __future__ import annotations

import difflib
import functools
import json
import resource
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import soundfile

from bench.strings import RATE, Piece, String, alone, recorded, spoken
from dubline.engines.contracts import TranscriptionRequest
from dubline.engines.models import ModelStore
from dubline.engines.registry import EngineSpec, create
from dubline.evaluation import plain
from dubline.settings import settings

RESULTS = Path(__file__).parent / "results" / "lost_words.json"
SEED = 1
SPOKEN = {"en": 3, "es": 3, "fr": 3, "it": 3, "pt": 3}
"""Strings a language."""
RECORDED = 4

Way = Callable[[String], str]
"""What is heard in a string."""


def main() -> None:
    names = sys.argv[1:] or list(WAYS)
    for name in names:
        run = [sys.executable, "-m", "bench.lost_words", "--one", name]
        done = subprocess.run(run, check=True, capture_output=True, text=True)
        found = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        found[name] = json.loads(done.stdout.splitlines()[-1])
        RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(f"{name:<22}{found[name]}", flush=True)


def one(name: str) -> dict[str, Any]:
    """Lost and added words of each set, seconds and MiB."""
    sets = {language: list(spoken(language, count, SEED)) for language, count in SPOKEN.items()}
    sets["recordings"] = list(recorded(RECORDED, SEED))
    if name == "each alone":
        sets = {"recordings": sets["recordings"]}
    way = WAYS[name]()
    way(next(iter(sets.values()))[0])
    started, busy = time.perf_counter(), time.process_time()
    figures = {key: counted(strings, way) for key, strings in sets.items()}
    audio = sum(len(string.samples) for strings in sets.values() for string in strings) / RATE
    return figures | {
        "audio_s": round(audio),
        "wall_s": round(time.perf_counter() - started, 1),
        "cpu_s": round(time.process_time() - busy, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def counted(strings: Iterable[String], way: Way) -> dict[str, int]:
    total = {"words": 0, "lost": 0, "added": 0}
    for string in strings:
        lost, added = lost_and_added(string.text, way(string))
        total["words"] += len(tokens(string.text))
        total["lost"] += lost
        total["added"] += added
    return total


def lost_and_added(said: str, heard: str) -> tuple[int, int]:
    lost = added = 0
    matcher = difflib.SequenceMatcher(None, tokens(said), tokens(heard), autojunk=False)
    for _, a, b, c, d in matcher.get_opcodes():
        lost += max(0, (b - a) - (d - c))
        added += max(0, (d - c) - (b - a))
    return lost, added


def tokens(text: str) -> list[str]:
    letters = unicodedata.normalize("NFD", plain(text.replace("'", "")))
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).split()


def engine(name: str) -> Way:
    asr = create(EngineSpec(capability="asr", engine=name, model="whisper-base"), ModelStore(settings().models))

    def heard(string: String) -> str:
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            soundfile.write(file.name, string.samples, RATE, subtype="FLOAT")
            found = asr.transcribe(TranscriptionRequest(Path(file.name), string.language))
        return " ".join(word.text for word in found.words)

    return heard


def faster_whisper_alone(batched: bool) -> Way:
    """The library as it comes: what `offline` did before, and its decoding of one window after the other."""
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    folder = ModelStore(settings().models).path("whisper-base")
    model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=settings().threads)

    settled = {"vad_filter": True, "condition_on_previous_text": False}
    decode = (
        partial(BatchedInferencePipeline(model).transcribe, batch_size=8)
        if batched
        else partial(model.transcribe, **settled)
    )

    def heard(string: String) -> str:
        segments, _ = decode(string.samples, language=string.language, word_timestamps=True)
        return " ".join(segment.text for segment in segments)

    return heard


def one_look(way: Way) -> Way:
    """The way without its second look."""
    from dubline.engines.asr.ear import Ear

    Ear.second_look = lambda _ear, words, *_: list(words)  # type: ignore[method-assign]
    return way


def each_alone() -> Way:
    """Each piece of a string by itself, between two margins."""
    way = engine("faster-whisper")

    @functools.cache
    def heard_alone(piece: Piece, language: str) -> str:
        return way(String(piece.text, language, (piece,), alone(piece)))

    return lambda string: " ".join(heard_alone(piece, string.language) for piece in string.pieces)


WAYS: dict[str, Callable[[], Way]] = {
    "batched (before)": lambda: faster_whisper_alone(batched=True),
    "sequential": lambda: faster_whisper_alone(batched=False),
    "one look": lambda: one_look(engine("faster-whisper")),
    "faster-whisper": lambda: engine("faster-whisper"),
    "each alone": each_alone,
    "whisperx, one look": lambda: one_look(engine("whisperx")),
    "whisperx": lambda: engine("whisperx"),
}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(one(sys.argv[2])))
    else:
        main()
