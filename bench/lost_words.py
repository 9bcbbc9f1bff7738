"""Words that the recognizers lose where several sentences follow each other: `python -m bench.lost_words [WAY ...]`.

Strings of sentences by the product's voices in five languages, and strings of recorded utterances (bench/strings.py),
are recognized in every way; each recorded utterance by itself too, for what is lost there is not lost for company.

- `lost`: the alignment of what was said with what was heard leaves a word without a partner.
- `spelled`: of these, where about as many letters were heard: two words written as one ("alisboa" for "a Lisboa").
- `unheard`: words of the sentences in three quarters of whose time no word stands.

Each way runs in a process of its own, with time and memory. Writes bench/results/lost_words.json; with names, those
ways alone anew.
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
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import soundfile

from bench.strings import MARGIN_S, RATE, Piece, String, alone, recorded, spoken
from dubline.domain.time import intersection, merged, total_ms
from dubline.domain.transcript import Word
from dubline.engines.asr.timed_words import words_of
from dubline.engines.contracts import TranscriptionRequest, TranscriptionResult
from dubline.engines.models import ModelStore
from dubline.engines.registry import EngineSpec, create
from dubline.evaluation import plain
from dubline.settings import settings

RESULTS = Path(__file__).parent / "results" / "lost_words.json"
SEED = 1
SPOKEN = {"en": 3, "es": 3, "fr": 3, "it": 3, "pt": 3}
"""Strings a language."""
RECORDED = 4
SAME_LETTERS = 0.6
"""French leaves many letters mute: "denege" for "des neiges"."""
COVERED = 0.25
MARGIN_MS = round(1000 * MARGIN_S)

Way = Callable[[String], Sequence[Word]]
"""What is heard in a string, and when."""


def main() -> None:
    names = sys.argv[1:] or list(WAYS)
    for name in names:
        run = [sys.executable, "-m", "bench.lost_words", "--one", name]
        done = subprocess.run(run, check=True, stdout=subprocess.PIPE, text=True)
        found = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        found[name] = json.loads(done.stdout.splitlines()[-1])
        RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(f"{name:<18}{found[name]}", flush=True)


def one(name: str) -> dict[str, Any]:
    """Words of each set and what became of them, seconds and MiB."""
    sets = {language: list(spoken(language, count, SEED)) for language, count in SPOKEN.items()}
    sets["recordings"] = list(recorded(RECORDED, SEED))
    if name == "each alone":
        sets = {"recordings": sets["recordings"]}
    way = WAYS[name]()
    way(next(iter(sets.values()))[0])
    started, busy = time.perf_counter(), time.process_time()
    figures: dict[str, Any] = {key: counted(strings, way) for key, strings in sets.items()}
    audio = sum(len(string.samples) for strings in sets.values() for string in strings) / RATE
    return figures | {
        "audio_s": round(audio),
        "wall_s": round(time.perf_counter() - started, 1),
        "cpu_s": round(time.process_time() - busy, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def counted(strings: Iterable[String], way: Way) -> dict[str, int]:
    total: Counter[str] = Counter(words=0, lost=0, spelled=0, added=0, unheard=0)
    for string in strings:
        heard = way(string)
        total.update(compared(string.text, " ".join(word.text for word in heard)))
        total["words"] += len(tokens(string.text))
        total["unheard"] += sum(unheard(string, heard))
    return dict(total)


def compared(said: str, heard: str) -> dict[str, int]:
    lost = spelled = added = 0
    ours, theirs = tokens(said), tokens(heard)
    for _, a, b, c, d in difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        fewer = (b - a) - (d - c)
        same = len("".join(theirs[c:d])) >= SAME_LETTERS * len("".join(ours[a:b]))
        lost, added = lost + max(0, fewer), added + max(0, -fewer)
        spelled += max(0, fewer) if same else 0
    return {"lost": lost, "spelled": spelled, "added": added}


def unheard(string: String, heard: Iterable[Word]) -> Iterator[int]:
    """Number of words of each sentence in whose time hardly a word stands."""
    times = merged(word.span for word in heard)
    for piece, span in zip(string.pieces, string.spans, strict=True):
        if total_ms(intersection(times, (span,))) < COVERED * span.len_ms:
            yield len(tokens(piece.text))


def tokens(text: str) -> list[str]:
    letters = unicodedata.normalize("NFD", plain(text.replace("'", "")))
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).split()


def engine(name: str) -> Way:
    asr = create(EngineSpec(capability="asr", engine=name, model="whisper-base"), ModelStore(settings().models))

    def heard(string: String) -> Sequence[Word]:
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            soundfile.write(file.name, string.samples, RATE, subtype="FLOAT")
            found: TranscriptionResult = asr.transcribe(TranscriptionRequest(Path(file.name), string.language))
        return found.words

    return heard


def faster_whisper_alone(*, batched: bool) -> Way:
    """The library as it comes: what `offline` did before, and its decoding of one window after the other."""
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    folder = ModelStore(settings().models).path("whisper-base")
    model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=settings().threads)

    settled = {"vad_filter": True, "condition_on_previous_text": False}
    decode: Callable[..., Any] = (
        partial(BatchedInferencePipeline(model).transcribe, batch_size=8)
        if batched
        else partial(model.transcribe, **settled)
    )

    def heard(string: String) -> Sequence[Word]:
        segments, _ = decode(string.samples, language=string.language, word_timestamps=True)
        timed = ((w.word, w.start, w.end, w.probability) for segment in segments for w in segment.words)
        return words_of(timed, string.language)

    return heard


def each_alone() -> Way:
    """Each piece of a string by itself, between two margins."""
    way = engine("faster-whisper")

    @functools.cache
    def heard_alone(piece: Piece, language: str) -> Sequence[Word]:
        return way(alone(piece, language))

    def heard(string: String) -> Sequence[Word]:
        return [
            replace(word, span=word.span.shifted(span.start_ms - MARGIN_MS))
            for piece, span in zip(string.pieces, string.spans, strict=True)
            for word in heard_alone(piece, string.language)
        ]

    return heard


WAYS: dict[str, Callable[[], Way]] = {
    "batched (before)": lambda: faster_whisper_alone(batched=True),
    "sequential": lambda: faster_whisper_alone(batched=False),
    "faster-whisper": lambda: engine("faster-whisper"),
    "each alone": each_alone,
    "whisperx": lambda: engine("whisperx"),
}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(one(sys.argv[2])))
    else:
        main()
