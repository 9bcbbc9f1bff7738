"""Hears stretches of sound with Whisper's weights over CTranslate2: the decoding that both recognizers share.

Several sentences in one window are heard best with their own pauses between them, with silence after them up to
Whisper's 30 s (zeros in the spectrogram, as faster-whisper pads it, are a loud noise to the model), and with time
stamps: without them whisper-base skips a sentence in six (`python -m bench.lost_words`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dubline.domain.languages import LANGUAGES
from dubline.domain.time import Span
from dubline.domain.transcript import Word
from dubline.engines.asr.doubts import Heard, doubted, trimmed, utterances
from dubline.engines.asr.timed_words import words_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE = 16_000
WINDOW_MS = 30_000
"""What Whisper hears at once."""
STRETCH_MS = 29_000
BATCH = 8
BEAM = 5
PAUSE_MS = 160
"""Voice activity without a longer pause is one utterance."""
AROUND_MS = 400
"""Heard with an utterance on both sides, and never more than half of the pause: the detector misses soft beginnings,
"This is Di-" of a tight cut among them."""
HISS = 1e-4
"""Standard deviation of the noise (-80 dBFS, the same each time) that the detector hears under everything: after long
digital silence it finds speech 0.8 s late."""
APART_MS = 6_000
"""Over a longer silence no window is stretched: Whisper makes up words in it."""
PREPENDED, APPENDED = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"
"""Punctuation that belongs to the word after or before it, as Whisper's own timing has it."""


class Ear:
    def __init__(self, model: Any) -> None:
        """`model` is a faster_whisper.WhisperModel."""
        from faster_whisper import BatchedInferencePipeline

        self._model, self._pipeline = model, BatchedInferencePipeline(model)

    def language(self, samples: NDArray[np.float32], voice: Sequence[Span]) -> tuple[str, float]:
        """Whisper's name of the language of the first half minute of speech, and its probability."""
        speech = [samples[_frame(span.start_ms) : _frame(span.end_ms)] for span in voice]
        features = self._features(np.concatenate(speech) if speech else samples)
        name, probability, _ = self._model.detect_language(features=features)
        return str(name), float(probability)

    def hear(self, samples: NDArray[np.float32], stretches: Sequence[Span], language: str) -> Iterator[Heard]:
        """What is said in each stretch (30 s at most) by itself; `language` is ours."""
        if not stretches:
            return
        tokenizer = self.tokenizer(language)
        options = _options(tokenizer)
        for first in range(0, len(stretches), BATCH):
            batch = stretches[first : first + BATCH]
            sounds = [samples[_frame(span.start_ms) : _frame(span.end_ms)] for span in batch]
            places = [{"offset": span.start_ms / 1000, "duration": span.len_ms / 1000} for span in batch]
            self._pipeline.last_speech_timestamp = 0.0
            features = np.stack([self._features(sound) for sound in sounds])
            for segments in self._pipeline.forward(features, tokenizer, places, options):
                yield _heard(segments, language)

    def second_look(
        self, words: Sequence[Word], samples: NDArray[np.float32], voice: Sequence[Span], language: str
    ) -> list[Word]:
        """The words, with doubtful utterances heard again by themselves."""
        said = utterances(words, voice)
        doubtful = doubted(said)
        around = padded([said[number].span for number in doubtful], [u.span for u in said], length_ms(samples))
        again = dict(zip(doubtful, self.hear(samples, around, language), strict=True))
        settled = (u.settled(again[number]) if number in again else u.words for number, u in enumerate(said))
        return in_order(trimmed(word) for words in settled for word in words)

    def _features(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of a stretch, with silence after it: float32 (mels, 3000)."""
        size = WINDOW_MS * RATE // 1000
        padded = np.pad(sound[:size], (0, size - len(sound[:size])))
        features: NDArray[np.float32] = self._model.feature_extractor(padded, padding=0)
        return features[..., : self._model.feature_extractor.nb_max_frames]

    def tokenizer(self, language: str) -> Any:
        """Of the model, for one of our languages."""
        from faster_whisper.tokenizer import Tokenizer

        known = LANGUAGES.get(language)
        name = known.whisper if known and known.whisper else language
        return Tokenizer(self._model.hf_tokenizer, self._model.model.is_multilingual, task="transcribe", language=name)


def voice_activity(samples: NDArray[np.float32]) -> list[Span]:
    """Utterances as Silero's detector finds them, in order; none is longer than a stretch. `samples` at 16 kHz."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(
        min_silence_duration_ms=PAUSE_MS, speech_pad_ms=0, max_speech_duration_s=(STRETCH_MS - 2 * AROUND_MS) / 1000
    )
    hiss = np.random.default_rng(0).normal(0, HISS, len(samples)).astype(np.float32)
    found = get_speech_timestamps(samples + hiss, options) if len(samples) else []
    return [Span(u["start"] * 1000 // RATE, u["end"] * 1000 // RATE) for u in found]


def stretches(voice: Sequence[Span], until_ms: int) -> list[Span]:
    """Windows of voice activity with the pauses in it, as long as Whisper hears at once."""
    found: list[Span] = []
    for span in padded(voice, voice, until_ms):
        near = found and span.start_ms - found[-1].end_ms <= APART_MS
        if near and span.end_ms - found[-1].start_ms <= STRETCH_MS:
            found[-1] |= span
        else:
            found.append(span)
    return found


def padded(spans: Sequence[Span], among: Sequence[Span], until_ms: int) -> list[Span]:
    """Each span with AROUND_MS on both sides, or half of the pause to the others where that is less."""
    starts, ends = sorted(other.start_ms for other in among), sorted(other.end_ms for other in among)
    found: list[Span] = []
    for span in spans:
        earlier, later = bisect_right(ends, span.start_ms), bisect_left(starts, span.end_ms)
        before = span.start_ms - ends[earlier - 1] if earlier else 2 * AROUND_MS
        after = starts[later] - span.end_ms if later < len(starts) else 2 * AROUND_MS
        start, end = span.start_ms - min(AROUND_MS, before // 2), span.end_ms + min(AROUND_MS, after // 2)
        found.append(Span(max(0, start), min(max(end, span.start_ms), until_ms)))
    return found


def in_order(words: Iterable[Word]) -> list[Word]:
    """Words as they follow each other, none beginning before the one before it."""
    found: list[Word] = []
    for word in words:
        earliest = found[-1].span.start_ms if found else 0
        start = max(word.span.start_ms, earliest)
        found.append(Word(word.text, Span(start, max(word.span.end_ms, start)), word.confidence))
    return found


def _heard(segments: Sequence[Any], language: str) -> Heard:
    """Of one stretch: the pipeline tells of the whole of it in every segment."""
    words = tuple(
        word
        for segment in segments
        for word in words_of(((w["word"], w["start"], w["end"], w["probability"]) for w in segment["words"]), language)
    )
    first = segments[0]
    return Heard(words, float(first["avg_logprob"]), float(first["no_speech_prob"]))


def _options(tokenizer: Any) -> Any:
    """Beam search without chance: the same sound gives the same words."""
    from faster_whisper.transcribe import TranscriptionOptions, get_suppressed_tokens

    return TranscriptionOptions(
        beam_size=BEAM, best_of=1, patience=1, length_penalty=1, repetition_penalty=1, no_repeat_ngram_size=0,
        log_prob_threshold=None, no_speech_threshold=None, compression_ratio_threshold=None,
        condition_on_previous_text=False, prompt_reset_on_temperature=0.5, temperatures=[0.0], initial_prompt=None,
        prefix=None, suppress_blank=True, suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
        without_timestamps=False, max_initial_timestamp=1.0, word_timestamps=True, prepend_punctuations=PREPENDED,
        append_punctuations=APPENDED, multilingual=False, max_new_tokens=None, clip_timestamps=[],
        hallucination_silence_threshold=None, hotwords=None,
    )  # fmt: skip


def _frame(instant_ms: int) -> int:
    return instant_ms * RATE // 1000


def length_ms(samples: NDArray[np.float32]) -> int:
    return len(samples) * 1000 // RATE
