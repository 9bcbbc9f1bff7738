"""Who said which words, and where one sentence ends: recognized words and speaker turns become a transcript.

No word is lost, added or moved in the order; only its time may be trimmed by what it takes to keep a speaker from
talking over himself.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from dubline.domain.time import Span
from dubline.domain.transcript import Segment, Speaker, Transcript, Turn, Word

PAUSE_MS = 1500
"""A silence this long parts a sentence. Shorter ones belong to fluent speech (most pauses last 200 to 1000 ms, Campione
and Veronis, Speech Prosody 2002): parting at those would give the translator fragments, and the dub keeps them as
pauses within its line all the same (`dubline.domain.phrasing`)."""
LONGEST_MS, LONGEST_CHARS = 12_000, 200
"""A longer sentence is parted: one synthesized breath over it drifts from the picture and strains the translator."""
FLUENT_MS = 300
"""Words closer than this are one breath: nobody takes the floor for one word in between and hands it back."""
BOUNDARY_MS = 300
"""How far the edge of a diarized turn may lie from the truth; its detector works on windows and frames."""
PARTED_MS = 100
"""Silence on both sides of a word that is said by itself; between the words of one breath there is less."""
COVERED = 0.8
"""Speakers who each cover this share of a word cover it alike: edges of turns are not known to the millisecond."""

UNSPACED = frozenset({"ja", "zh", "yue", "th", "lo", "my"})
"""Languages written without spaces between words."""

_FINAL, _CLAUSE = ".?!。？！｡।", ",;:,，、；：—–…."
_CLOSING = "\"'”’»)]}」』）"
_ABBREVIATIONS = frozenset(
    f"{short}."
    for short in (
        *("mr", "mrs", "ms", "dr", "prof", "st", "vs", "e.g", "i.e", "jr", "sr"),
        *("sra", "srta", "dra", "ud", "uds", "mme", "mlle", "sig", "dott"),
    )
)


def attribute(words: Sequence[Word], turns: Sequence[Turn], speakers: Sequence[Speaker], language: str) -> Transcript:
    """Give each word to a speaker and cut the words into segments, a sentence (or a part of one) by one speaker each.

    A word goes to the speaker whose turns overlap it most; where several talk at once, to the one in mid-sentence or,
    at the start of a sentence, to the one who goes on; where nobody does, to the nearest turn. Without turns everything
    is said by "S1". Segments are numbered by their start; those of one speaker do not overlap. The transcript lists
    the speakers with words, in order of their first segment.
    """
    names = _smoothed(words, _speaker_of_words(words, turns), turns)
    timed = _without_overlap(words, names)
    pieces = [piece for run in _sentences(timed) for piece in _parted(run, language)]
    segments = tuple(
        Segment(
            id=f"{number:04d}",
            span=piece[0][0].span | piece[-1][0].span,
            text=join([word.text for word, _ in piece], language),
            speaker=piece[0][1],
            words=tuple(word for word, _ in piece),
            confidence=sum(word.confidence for word, _ in piece) / len(piece),
        )
        for number, piece in enumerate(pieces, start=1)
    )
    known = {speaker.id: speaker for speaker in speakers}
    heard = dict.fromkeys(segment.speaker for segment in segments)
    return Transcript(language, segments, tuple(known.get(name) or _stranger(name, segments) for name in heard))


def join(texts: Sequence[str], language: str) -> str:
    """Write words in a row: with spaces, or without in languages that have none (but for Latin words side by side)."""
    if language not in UNSPACED:
        return " ".join(text for text in texts if text)
    result = ""
    for text in texts:
        foreign = result[-1:].isascii() and result[-1:].isalnum() and text[:1].isascii() and text[:1].isalnum()
        result += f" {text}" if foreign else text
    return result


_Said = tuple[Word, str]
"""A word and its speaker's id."""


def _stranger(name: str, segments: Iterable[Segment]) -> Speaker:
    return Speaker(name, None, sum(s.span.len_ms for s in segments if s.speaker == name))


def _speaker_of_words(words: Sequence[Word], turns: Sequence[Turn]) -> list[str]:
    """One speaker for each word, from its place against the turns alone."""
    by_start = sorted(turns, key=lambda turn: turn.span)
    starts = [turn.span.start_ms for turn in by_start]
    longest = max((turn.span.len_ms for turn in turns), default=0)
    result: list[str] = []
    for index, word in enumerate(words):
        first = bisect_left(starts, word.span.start_ms - longest)
        during = by_start[first : bisect_left(starts, word.span.end_ms)]
        goes_on = index > 0 and not ends_sentence(words[index - 1].text)
        before = result[-1] if goes_on else None
        result.append(_heard(word.span, during, before) or _nearest(word.span, by_start, before))
    return result


def _heard(span: Span, turns: Sequence[Turn], before: str | None) -> str | None:
    """The speaker with most time in the span; None where nobody has any.

    Of those who cover it alike, the one in mid-sentence; at the start of a sentence the one who goes on longest after
    it, since who takes the floor talks into the other's last words.
    """
    shared: dict[str, int] = {}
    until: dict[str, int] = {}
    for turn in turns:
        if common := turn.span.overlap_ms(span):
            shared[turn.speaker] = shared.get(turn.speaker, 0) + common
            until[turn.speaker] = max(until.get(turn.speaker, 0), turn.span.end_ms)
    enough = COVERED * span.len_ms
    return max(shared, key=lambda name: (min(shared[name], enough), name == before, until[name]), default=None)


def _nearest(span: Span, turns: Sequence[Turn], before: str | None) -> str:
    def merit(turn: Turn) -> tuple[int, bool]:
        return -max(turn.span.start_ms - span.end_ms, span.start_ms - turn.span.end_ms), turn.speaker == before

    return max(turns, key=merit).speaker if turns else "S1"


def _smoothed(words: Sequence[Word], names: Sequence[str], turns: Sequence[Turn]) -> list[str]:
    """Take back lone words that a blurred turn edge gave to the wrong speaker.

    Within a sentence, a single word by another speaker goes to the words beside it when it follows and precedes them
    fluently: always where the words on both sides agree; at the sentence's first or last word where at least two words
    beside it agree and their speaker has a turn within BOUNDARY_MS of the lone word. Not where it is a turn by itself,
    with silence around it: people who ask and answer in single words follow each other as fluently.
    """
    result = list(names)
    for sentence in _fluent_runs(words):
        for index in sentence:
            owner = _owner_of_lone_word(index, sentence, result)
            if not owner or _is_turn(index, words, names[index], turns):
                continue
            if _inside(index, sentence) or _has_turn_near(words[index].span, owner, turns):
                result[index] = owner
    return result


def _fluent_runs(words: Sequence[Word]) -> list[range]:
    """Indices of words in one sentence that follow each other within FLUENT_MS."""
    starts = [
        index
        for index, word in enumerate(words)
        if not index or ends_sentence(words[index - 1].text) or _gap_ms(words[index - 1], word) > FLUENT_MS
    ]
    return [range(start, end) for start, end in pairwise([*starts, len(words)])]


def _inside(index: int, sentence: range) -> bool:
    return sentence.start < index < sentence.stop - 1


def _owner_of_lone_word(index: int, sentence: range, names: Sequence[str]) -> str | None:
    """Who the words beside a lone word belong to; None where it is not alone or they do not agree."""
    if _inside(index, sentence):
        beside = {names[index - 1], names[index + 1]}
    elif len(sentence) >= 3:
        step = 1 if index == sentence.start else -1
        beside = {names[index + step], names[index + 2 * step]}
    else:
        return None
    return beside.pop() if len(beside) == 1 and names[index] not in beside else None


def _is_turn(index: int, words: Sequence[Word], name: str, turns: Iterable[Turn]) -> bool:
    """Whether a word has PARTED_MS of silence on both sides, and its speaker a turn for it alone."""
    span = words[index].span
    if any(_gap_ms(*pair) < PARTED_MS for pair in pairwise(words[max(0, index - 1) : index + 2])):
        return False
    wide = Span(max(0, span.start_ms - PARTED_MS), span.end_ms + PARTED_MS)
    own = (turn.span for turn in turns if turn.speaker == name)
    return any(turn.overlap_ms(wide) == turn.len_ms and turn.overlap_ms(span) >= COVERED * span.len_ms for turn in own)


def _has_turn_near(span: Span, name: str, turns: Iterable[Turn]) -> bool:
    wide = Span(span.start_ms - BOUNDARY_MS, span.end_ms + BOUNDARY_MS)
    return any(turn.speaker == name and turn.span & wide for turn in turns)


def _without_overlap(words: Sequence[Word], names: Sequence[str]) -> list[_Said]:
    """Trim word times as little as needed: starts in order, each at least 1 ms long, no overlap within a speaker."""
    starts: list[int] = []
    latest: dict[str, int] = {}
    for word, name in zip(words, names, strict=True):
        start = max(word.span.start_ms, starts[-1] if starts else 0, latest.get(name, -1) + 1)
        latest[name] = start
        starts.append(start)
    following: dict[str, int] = {}
    result: list[_Said] = []
    for word, name, start in zip(reversed(words), reversed(names), reversed(starts), strict=True):
        end = max(word.span.end_ms, start + 1)
        end = min(end, following.get(name, end))
        following[name] = start
        result.append((replace(word, span=Span(start, end)), name))
    return result[::-1]


def _gap_ms(before: Word, after: Word) -> int:
    return after.span.start_ms - before.span.end_ms


def ends_sentence(text: str) -> bool:
    """Whether a word closes a sentence: final punctuation, not an abbreviation, an initial or a hesitation's dots."""
    bare = text.rstrip(_CLOSING)
    if not bare.endswith(tuple(_FINAL)) or bare.endswith("..."):
        return False
    initial = len(bare) == 2 and bare[0].isupper() and bare != "I."
    return not initial and bare.lower().lstrip("(\"'“‘«¿¡") not in _ABBREVIATIONS


def _sentences(said: Sequence[_Said]) -> list[list[_Said]]:
    """Cut at a change of speaker, after sentence-final punctuation and at pauses of PAUSE_MS."""
    result: list[list[_Said]] = []
    for word, name in said:
        if result:
            last, speaker = result[-1][-1]
            if speaker == name and not ends_sentence(last.text) and _gap_ms(last, word) < PAUSE_MS:
                result[-1].append((word, name))
                continue
        result.append([(word, name)])
    return result


def _parted(sentence: list[_Said], language: str) -> list[list[_Said]]:
    """Halve a sentence that is too long until its parts are not."""
    words = [word for word, _ in sentence]
    length = words[-1].span.end_ms - words[0].span.start_ms
    if len(words) == 1 or (length <= LONGEST_MS and len(join([w.text for w in words], language)) <= LONGEST_CHARS):
        return [sentence]
    cut = _best_cut(words)
    return _parted(sentence[:cut], language) + _parted(sentence[cut:], language)


def _best_cut(words: Sequence[Word]) -> int:
    """Index of the word that begins the second part: after clause punctuation if any, at the largest pause, centrally.

    Only the middle half of the sentence is looked at, so that no scrap is left over.
    """
    quarter = len(words) // 4
    places = range(max(1, quarter), max(2, len(words) - quarter))

    def merit(index: int) -> tuple[bool, int, float]:
        clause = words[index - 1].text.rstrip(_CLOSING).endswith(tuple(_CLAUSE))
        return clause, _gap_ms(words[index - 1], words[index]), -abs(index - len(words) / 2)

    return max(places, key=merit)
