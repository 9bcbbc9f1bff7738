"""How figures, signs and abbreviations are spoken: `python -m bench.spoken [--as-written] [LANGUAGE...]`.

The tables in tests/spoken have what is written and every reading that a native accepts; those in its folder held_out
were written later, when the rules stood. Told for each language: the share of expressions that are put into one of
these readings; and, for the languages named, the share that is also heard in speech: Kokoro speaks a sample of
sentences, and whisper-base, which may write no figures, hears them. With `--as-written` they are also spoken as they
are written, which is what the phonemizer was given before. Writes bench/results/spoken.json.
"""

from __future__ import annotations

import difflib
import json
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import yaml
from numpy.typing import NDArray

from dubline.engines.contracts import SpeechRequest
from dubline.engines.models import ModelStore
from dubline.engines.registry import EngineSpec, create
from dubline.engines.speech import phonemes
from dubline.engines.speech.kokoro import KokoroSpeech
from dubline.engines.speech.spoken import LANGUAGES, spoken
from dubline.settings import settings

ROOT = Path(__file__).parent.parent
TABLES = ROOT / "tests" / "spoken"
HELD_OUT = TABLES / "held_out"
RESULTS = ROOT / "bench" / "results" / "spoken.json"
ENGINE = EngineSpec(capability="speech", engine="kokoro", model="kokoro-82m-int8")
HEARD_OF = 12
"""Sentences of each language that are spoken and heard."""
HEARD = 0.75
"""Of the letters of the words that stand for figures and signs; whisper-base spells many words its own way."""


@dataclass(frozen=True)
class Expression:
    written: str
    spoken: tuple[str, ...]
    kind: str


def main() -> None:
    found: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for language in LANGUAGES:
        expressions, held_out = table(language), table(language, HELD_OUT)
        wrong, wrong_held_out = wrong_of(expressions, language), wrong_of(held_out, language)
        found[language] = found.get(language, {}) | {
            "expressions": len(expressions),
            "right": share(wrong, expressions),
            "wrong": dict(sorted(Counter(one.kind for one in wrong).items())),
            "held_out": len(held_out),
            "held_out_right": share(wrong_held_out, held_out),
        }
        if language in sys.argv[1:]:
            found[language] |= heard(sample(expressions), language)
        print(language, found[language])
        for one in (*wrong, *wrong_held_out):
            print(f"  {one.written} -> {spoken(one.written, language)}")
        RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


@cache
def table(language: str, folder: Path = TABLES) -> tuple[Expression, ...]:
    rows = yaml.load((folder / f"{language}.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    return tuple(Expression(row["written"], tuple(row["spoken"]), row["kind"]) for row in rows)


def wrong_of(expressions: Sequence[Expression], language: str) -> list[Expression]:
    return [one for one in expressions if not is_right(one, language)]


def share(wrong: Sequence[Expression], expressions: Sequence[Expression]) -> float:
    return round(1 - len(wrong) / len(expressions), 4)


def is_right(one: Expression, language: str) -> bool:
    return plain(spoken(one.written, language)) in {plain(reading) for reading in one.spoken}


def plain(text: str) -> str:
    """In small letters, without punctuation; a hyphen parts words."""
    letters = unicodedata.normalize("NFC", text.lower()).replace("-", " ")
    return " ".join("".join(c for c in letters if not unicodedata.category(c).startswith("P")).split())


def sample(expressions: Sequence[Expression]) -> list[Expression]:
    """Sentences with something to read, spread over the table."""
    sentences = [one for one in expressions if len(one.written.split()) > 3 and plain(one.written) not in one.spoken]
    return sentences[:: max(1, len(sentences) // HEARD_OF)][:HEARD_OF]


def heard(expressions: Sequence[Expression], language: str) -> dict[str, Any]:
    """The share of expressions that are heard right, in words and, where that is asked, as they are written."""
    from faster_whisper import WhisperModel

    models = ModelStore(settings().models)
    whisper = WhisperModel(str(models.path("whisper-base")), device="cpu", compute_type="int8")
    kokoro = create(ENGINE, models)
    result: dict[str, Any] = {"spoken": len(expressions)}
    for name in ("heard", "heard_as_written") if "--as-written" in sys.argv else ("heard",):
        shares = []
        for one in expressions:
            with mock.patch.object(phonemes, "spoken", spoken if name == "heard" else lambda text, _: text):
                (clip,) = kokoro.synthesize([SpeechRequest(one.written, language, KokoroSpeech.voices(language)[0].id)])
            text = transcribed(whisper, clip.samples, clip.sample_rate, language)
            # Whisper writes "www" and "XXI" all the same.
            shares.append(max(share_heard(one.written, reading, spoken(text, language)) for reading in one.spoken))
            if name == "heard" and shares[-1] < HEARD:
                print(f"  {shares[-1]:.2f} {one.written} | {spoken(one.written, language)} | {text}", flush=True)
        result[name] = round(sum(share >= HEARD for share in shares) / len(shares), 3)
    return result


def transcribed(whisper: Any, samples: NDArray[np.float32], rate: int, language: str) -> str:
    """What Whisper hears when it may write no figures."""
    from scipy.signal import resample_poly

    vocabulary = whisper.hf_tokenizer.get_vocab().items()
    figures = [i for token, i in vocabulary if any(c.isdigit() for c in token) and not token.startswith("<|")]
    sound = np.pad(resample_poly(samples, 16000, rate).astype(np.float32), 8000)
    segments, _ = whisper.transcribe(
        sound, language=language, condition_on_previous_text=False, suppress_tokens=[-1, *figures]
    )
    return " ".join(segment.text.strip() for segment in segments)


def share_heard(written: str, reading: str, text: str) -> float:
    """Of the letters of those words of a reading that are not written so, the share that the transcript has."""
    known = set(plain(written).split())
    words = [(word, word not in known) for word in plain(reading).split()]
    letters = [(letter, new) for word, new in words for letter in bare(word)]
    matcher = difflib.SequenceMatcher(a=[letter for letter, _ in letters], b=bare(plain(text)), autojunk=False)
    matched = {i for start, _, size in matcher.get_matching_blocks() for i in range(start, start + size)}
    wanted = [i for i, (_, new) in enumerate(letters) if new]
    return sum(i in matched for i in wanted) / len(wanted) if wanted else 1.0


def bare(text: str) -> str:
    """Letters without accents and spaces."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c)[0] == "L")


def switches(language: str) -> Iterator[str]:
    """Expressions in whose phonemes espeak-ng left a mark of another language."""
    voice = KokoroSpeech.voices(language)[0].id
    for one in table(language):
        said = phonemes.phonemes(one.written, language, voice)
        if "(" in said and "(" not in one.written:
            yield one.written


if __name__ == "__main__":
    main()
