"""What a recognizer passed over, and which of its words are hard to believe: told from words and voice activity alone.

A decoder that hears several sentences at once skips some, stretches one word over speech that it does not understand,
and makes up words over sound that is no speech. Each leaves a trace: speech that no word covers, a word too long for
its letters, words where no voice was found or that Whisper is known to make up. `doubts` finds the utterances that have
one, and `settled` takes the better of the first and of a second look at each, which hears the utterance by itself.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial

from dubline.domain.linebreaks import SENTENCE_END
from dubline.domain.time import Span, gaps
from dubline.domain.transcript import Word
from dubline.engines.asr.phrases import made_up, tells_credits

EDGE_MS = 150
"""Attention places words to about so much: beside a word, speech is taken for the word's own."""
PASSED_OVER_MS = 200
"""The shortest word said alone ("Yes.") sounds for 200 to 300 ms."""
UNCOVERED_MS = 300
"""More speech than this that is no word's, inside an utterance that has words: a short word, said between others."""
STRAY_MS = 500
"""A word further than this from all voice activity belongs to no utterance: the detector misses soft beginnings."""
ISLAND_MS = 600
"""Stray words nearer to each other are looked at together,"""
LONGEST_ISLAND_MS = 25_000
"""as many as Whisper hears at once."""
NEAR_MS = 2_000
"""Within it somebody speaks on, or answers."""
LONGEST_MS, LONGEST_LETTER_MS = 450, 100
"""What a word of one letter can take, and each further one: the slowest clear speech has about two syllables a second,
and a last syllable is drawn out to twice its length."""
USUAL_MS, USUAL_LETTER_MS = 150, 60
"""The same of everyday speech, about 15 letters a second: all that is left to a word that stands for other speech."""
CIPHER_LETTERS = 5
"""A figure or a sign is spoken as a word of about so many letters."""
SYLLABLE_LETTERS, LAST_LETTER = 3, "\u2e7f"
"""Characters above it (Chinese, Japanese, Korean) are spoken as a syllable."""
SYLLABLE_MS = 70
"""All that was recognized in an utterance lasts longer: the shortest vowels do."""
WORTH_SENTENCES = 1.1
"""Whisper sometimes writes a whole utterance without punctuation, with an "um" more than before."""
LETTERS_S = 35
"""Nobody speaks more letters a second: fast talkers reach about 25."""
LEAST_LOG_PROBABILITY, MOST_COMPRESSION = -1.0, 2.4
"""Whisper's own limits (Radford et al., "Robust Speech Recognition", 2022, section 4.5)."""
MOST_NO_SPEECH, SURE_LOG_PROBABILITY = 0.5, -0.6
"""Where nobody may have spoken, the words must be sure."""
NEAR_LOG_PROBABILITY, NEAR_NO_SPEECH = -1.2, 0.7
"""The limits where somebody speaks within NEAR_MS: a short word by itself ("Sì.") gets -1.05 and 0.57."""
MADE_UP_NO_SPEECH = 0.3
"""No more is let pass for words that Whisper is known to make up, or that stand where no voice was found: for "Thank
you." and the like, said by voices alone, in music and after silence, Whisper tells 0.01 to 0.18; for those it makes up
0.4 and more. The log probability does not tell them apart."""


class Doubt(Enum):
    PASSED_OVER = "speech that no word covers"
    STRETCHED = "a word too long for its letters"
    RUSHED = "more letters than anybody says in the time"
    MADE_UP = "no voice, less than a syllable, or words that Whisper is known to make up"


@dataclass(frozen=True, slots=True)
class Heard:
    """What was recognized in one stretch of sound by itself, and how sure the recognizer is of it."""

    words: tuple[Word, ...]
    log_probability: float
    """Mean of the tokens'."""
    no_speech: float
    """Probability that nobody speaks."""

    @property
    def text(self) -> str:
        return _text(self.words)


@dataclass(frozen=True, slots=True)
class Utterance:
    """Speech between two pauses (of voice activity, or made up of stray words), with the words that lie in it."""

    span: Span
    words: tuple[Word, ...]
    voiced: bool = True
    """False where only words say that there is speech."""
    alone: bool = True
    """False where other words stand within NEAR_MS."""

    def doubt(self) -> Doubt | None:
        if not self.words:
            return Doubt.PASSED_OVER if self.span.len_ms >= PASSED_OVER_MS else None
        if (self.alone and (not self.voiced or _suspect(self.words))) or tells_credits(_text(self.words)):
            return Doubt.MADE_UP
        if rushed(self.words, self.span):
            return Doubt.RUSHED
        if _any_stretched(self.words):
            return Doubt.STRETCHED
        return Doubt.PASSED_OVER if self._uncovered_ms() > UNCOVERED_MS else None

    def _uncovered_ms(self) -> int:
        wide = [Span(max(0, w.span.start_ms - EDGE_MS), w.span.end_ms + EDGE_MS) for w in self.words]
        return max((gap.len_ms for gap in gaps(wide, self.span)), default=0)

    def settled(self, heard: Heard) -> tuple[Word, ...]:
        """The words of the first look, or of the second where they are to be believed and tell more."""
        doubt, believed = self.doubt(), believable(heard, self.span, self.alone)
        if doubt is Doubt.MADE_UP:
            return heard.words if believed and (self.voiced or sure(heard)) else ()
        if doubt is Doubt.RUSHED and (believed or looping(self.words)):
            return heard.words if believed else ()
        if believed and (_tells_more(heard.words, self.words) or _steadier(heard.words, self.words)):
            return heard.words
        return self.words


def utterances(words: Sequence[Word], voice: Sequence[Span]) -> list[Utterance]:
    """Every utterance of the voice activity (ordered, disjoint) with the words that lie in it or nearest to it, and the
    stray words in groups; in order. What a word takes of the pause beside its utterance is taken off."""
    own: dict[Span, list[Word]] = {span: [] for span in voice}
    starts = [span.start_ms for span in voice]
    stray: list[Word] = []
    for word in words:
        first, last = bisect_right(starts, word.span.start_ms) - 1, bisect_left(starts, word.span.end_ms)
        nearest = max(voice[max(first, 0) : last + 1], key=partial(_nearness, word.span), default=None)
        if nearest is None or _nearness(word.span, nearest) < -STRAY_MS:
            stray.append(word)
        else:
            own[nearest].append(word)
    ends = [0, *(span.end_ms for span in voice)]
    said = [
        Utterance(span, tuple(_without_pause(word, span, before, after) for word in own[span]))
        for span, before, after in zip(voice, ends, [*starts[1:], None], strict=False)
    ]
    found = sorted([*said, *_islands(stray)], key=lambda utterance: utterance.span)
    return [replace(u, alone=not _near(found, number)) for number, u in enumerate(found)]


def doubted(said: Sequence[Utterance]) -> list[int]:
    """Numbers of the utterances to hear again: those in doubt, and those beside them into which their words reach. Such
    a word may be the neighbour's own ("And" stretched back over a "Hello?" that was passed over)."""
    found = {number for number, utterance in enumerate(said) if utterance.doubt()}
    beside = {
        other
        for number in found
        for other in (number - 1, number + 1)
        if 0 <= other < len(said) and any(word.span & said[other].span for word in said[number].words)
    }
    return sorted(found | beside)


def _without_pause(word: Word, speech: Span, before: int, after: int | None) -> Word:
    """`before` is the end of the utterance before, `after` the start of the next one. A word that reaches into one of
    them is left there: it may be one word with a closure in it."""
    start, end = word.span.start_ms, word.span.end_ms
    if before <= start < speech.start_ms - EDGE_MS < end:
        start = speech.start_ms - EDGE_MS
    if start < speech.end_ms + EDGE_MS < end and (after is None or end <= after):
        end = speech.end_ms + EDGE_MS
    return replace(word, span=Span(start, end))


def _near(found: Sequence[Utterance], number: int) -> bool:
    """Does somebody speak shortly before or after? Then a short word or a phrase is most likely said."""
    span = found[number].span
    return any(
        0 <= other < len(found)
        and found[other].words
        and not _suspect(found[other].words)
        and max(found[other].span.start_ms - span.end_ms, span.start_ms - found[other].span.end_ms) <= NEAR_MS
        for other in (number - 1, number + 1)
    )


def _islands(words: Iterable[Word]) -> list[Utterance]:
    found: list[Utterance] = []
    for word in words:
        near = found and word.span.start_ms - found[-1].span.end_ms <= ISLAND_MS
        if near and (found[-1].span | word.span).len_ms <= LONGEST_ISLAND_MS:
            found[-1] = Utterance(found[-1].span | word.span, (*found[-1].words, word), voiced=False)
        else:
            found.append(Utterance(word.span, (word,), voiced=False))
    return found


def believable(heard: Heard, span: Span, alone: bool) -> bool:
    """Is it speech and no loop? Words that Whisper is known to make up ask for more, those near others for less."""
    least, most = (LEAST_LOG_PROBABILITY, MOST_NO_SPEECH) if alone else (NEAR_LOG_PROBABILITY, NEAR_NO_SPEECH)
    return (
        bool(heard.words)
        and heard.log_probability > least
        and (heard.no_speech < most or heard.log_probability > SURE_LOG_PROBABILITY)
        and (not alone or _lasting(heard.words) >= SYLLABLE_MS)
        and not rushed(heard.words, span)
        and (sure(heard) or not made_up(heard.text))
    )


def _suspect(words: Sequence[Word]) -> bool:
    return made_up(_text(words)) or _lasting(words) < SYLLABLE_MS


def sure(heard: Heard) -> bool:
    return heard.no_speech < MADE_UP_NO_SPEECH


def stretched(word: Word) -> bool:
    return word.span.len_ms > LONGEST_MS + LONGEST_LETTER_MS * letters(word.text)


def _any_stretched(words: Sequence[Word]) -> bool:
    return any(map(stretched, words)) or any(map(_both_stretched, words, words[1:]))


def _both_stretched(word: Word, following: Word) -> bool:
    """What is passed over is often shared out between two words: "I don't" of 1.1 s."""
    lasting = word.span.len_ms + following.span.len_ms
    return lasting > LONGEST_MS + LONGEST_LETTER_MS * (letters(word.text) + letters(following.text))


def trimmed(word: Word) -> Word:
    """A stretched word without the time that its letters do not take, so that the speech under it counts as unheard."""
    if not stretched(word):
        return word
    end = word.span.start_ms + USUAL_MS + USUAL_LETTER_MS * letters(word.text)
    return replace(word, span=Span(word.span.start_ms, end))


def rushed(words: Sequence[Word], span: Span) -> bool:
    """More than anybody says in the time, or the same again and again."""
    return _letters(words) > LETTERS_S * (span.len_ms + 2 * EDGE_MS) / 1000 or looping(words)


def looping(words: Sequence[Word]) -> bool:
    return compression(_text(words)) > MOST_COMPRESSION


def letters(text: str) -> int:
    """How many letters a word is spoken with, about: figures and signs by their names, capitals letter by letter."""
    plain = [character for character in text if character.isalnum() or character in "%$€£&+=@#"]
    spelled = len(plain) > 1 and all(character.isupper() for character in plain)
    return sum(
        CIPHER_LETTERS if spelled or not c.isalpha() else SYLLABLE_LETTERS if c > LAST_LETTER else 1 for c in plain
    )


def compression(text: str) -> float:
    """How many times its compressed size a text has: above 2.4 it repeats itself."""
    written = text.encode()
    return len(written) / len(zlib.compress(written))


def _tells_more(words: Sequence[Word], before: Sequence[Word]) -> bool:
    """More letters; far more where all ends of sentences are gone, without which nothing is translated well."""
    least = WORTH_SENTENCES if _parted(before) and not _parted(words) else 1.0
    return _letters(words) > least * _letters(before)


def _parted(words: Sequence[Word]) -> bool:
    """Does a sentence end within the words?"""
    return any(SENTENCE_END.search(word.text) for word in words[:-1])


def _steadier(words: Sequence[Word], before: Sequence[Word]) -> bool:
    """Without the stretched words that were there before."""
    return _any_stretched(before) and not _any_stretched(words)


def _nearness(word: Span, speech: Span) -> int:
    """How much of the speech is the word's (ms), or minus how far away it is."""
    return min(word.end_ms, speech.end_ms) - max(word.start_ms, speech.start_ms)


def _lasting(words: Sequence[Word]) -> int:
    return words[-1].span.end_ms - words[0].span.start_ms


def _letters(words: Iterable[Word]) -> int:
    return sum(letters(word.text) for word in words)


def _text(words: Iterable[Word]) -> str:
    return " ".join(word.text for word in words)
