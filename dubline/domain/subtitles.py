"""Lay spoken text out as subtitle cues.

Each utterance is cut into cues at the ends of sentences, clauses and phrases; cues that would flash by are joined with
their neighbour (two speakers share a cue with a dash before each); then every cue is given its time. All text is shown:
where speech is too hurried for the rules, text wins and the cue carries the names of the rules it breaks.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, chain, pairwise

from dubline.domain.cues import Cue, CueLimits, Violation, violations
from dubline.domain.linebreaks import Token, break_cost, cleaned, joined, poured, tokens, width, wrapped
from dubline.domain.subtitle_files import parse_srt, to_srt, to_vtt
from dubline.domain.time import Span
from dubline.domain.transcript import Word

__all__ = ["Cue", "CueLimits", "Utterance", "Violation", "layout", "parse_srt", "to_srt", "to_vtt", "violations"]

CHAIN_MS = 500
"""A pause shorter than half a second between two cues is closed to the least gap (Netflix, "Frame gap")."""
MAX_LATE_MS = 1000
"""In a crowd a cue waits this long for the one before to be read; after that the earlier cue is cut short."""
_DASH = "-"


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something said without a break by one person."""

    span: Span
    text: str
    speaker: str | None = None
    words: tuple[Word, ...] = ()
    """Times inside the span; without them time is shared out by characters."""


@dataclass(frozen=True, slots=True)
class _Draft:
    """A cue before it has its time: who says what, and when that is heard."""

    parts: tuple[tuple[str | None, tuple[Token, ...]], ...]
    speech: Span

    def lines(self, limits: CueLimits) -> tuple[str, ...]:
        return self.fitting(limits) or tuple(chain.from_iterable(poured(text, limits) for text in self.texts(limits)))

    def fitting(self, limits: CueLimits) -> tuple[str, ...] | None:
        """The lines, or None where they are too many or too long."""
        if len(self.parts) == 1:
            return wrapped(self.parts[0][1], limits)
        fits = all(width(text, limits) <= limits.line_width for text in self.texts(limits))
        return tuple(joined(text) for text in self.texts(limits)) if fits and len(self.parts) == 2 else None

    def texts(self, limits: CueLimits) -> tuple[tuple[Token, ...], ...]:
        if len(self.parts) == 1:
            return (self.parts[0][1],)
        return tuple(
            (replace(text[0], text=_DASH + text[0].text, width=text[0].width + limits.width(_DASH)), *text[1:])
            for _, text in self.parts
        )


def layout(utterances: Sequence[Utterance], *, limits: CueLimits, duration_ms: int) -> tuple[Cue, ...]:
    """Cues in order, without overlap, none past `duration_ms`; an utterance without text gives none."""
    drafts = sorted(chain.from_iterable(_split(u, limits) for u in utterances), key=lambda d: d.speech.start_ms)
    timed = _timed(_merged(drafts, limits, duration_ms), limits, duration_ms)
    starts = [start for start, _ in timed]
    cues = [
        Cue(
            Span(start, _out_time(start, draft, following, limits, duration_ms)),
            draft.lines(limits),
            draft.parts[0][0] if len(draft.parts) == 1 else None,
            ("in-time",) if abs(start - draft.speech.start_ms) > limits.in_time_ms else (),
        )
        for (start, draft), following in zip(timed, [*starts[1:], None], strict=False)
    ]
    broken = violations(cues, limits, duration_ms)
    rules = [tuple(dict.fromkeys(v.rule for v in broken if v.cue == number)) for number in range(1, len(cues) + 1)]
    return tuple(replace(cue, flags=cue.flags + rule) for cue, rule in zip(cues, rules, strict=True))


def _split(utterance: Utterance, limits: CueLimits) -> list[_Draft]:
    """Cut an utterance into cues: the cheapest way by `_chunk_cost`, found by dynamic programming."""
    text = tokens(utterance.text, limits)
    clock, ends = _clock(utterance), [0, *accumulate(_letters(token.text) for token in text)]
    times = [clock(end) for end in ends]
    best: list[tuple[float, int]] = [(0.0, 0)]
    for stop in range(1, len(text) + 1):
        options: list[tuple[float, int]] = []
        for start in range(stop - 1, -1, -1):
            lines = wrapped(text[start:stop], limits)
            if lines is None:
                break
            cost = _chunk_cost(text, start, stop, times[stop] - times[start], limits)
            options.append((best[start][0] + cost, start))
        best.append(min(options))
    cuts = [len(text)]
    while cuts[-1] > 0:
        cuts.append(best[cuts[-1]][1])
    bounds = list(reversed(cuts))
    return [
        _Draft(((utterance.speaker, text[start:stop]),), Span(times[start], times[stop]))
        for start, stop in pairwise(bounds)
    ]


def _chunk_cost(text: Sequence[Token], start: int, stop: int, spoken_ms: int, limits: CueLimits) -> float:
    """Few cues, of like size, broken at good places, none too long or too short to stand."""
    fill = width(text[start:stop], limits) / (limits.line_width * limits.max_lines)
    cost = 12.0 + 10 * fill * fill
    if stop < len(text):
        cost += 2 * break_cost(text[stop - 1], text[stop], limits.language)
    if spoken_ms > limits.max_ms:
        cost += 100
    if spoken_ms < limits.min_ms:
        cost += 8
    return cost


def _letters(text: str) -> int:
    return sum(not char.isspace() for char in text)


def _clock(utterance: Utterance) -> Callable[[int], int]:
    """When a place in the text, counted in letters, is spoken (ms). Never decreasing, inside the span.

    The words need not be those of the text: places are matched by their share of all letters.
    """
    span = utterance.span
    words = [(word.span, _letters(word.text)) for word in utterance.words if _letters(word.text)]
    words = words or [(span, 1)]
    ends = list(accumulate(count for _, count in words))
    letters = max(_letters(cleaned(utterance.text)), 1)

    def at(place: int) -> int:
        if place <= 0 or place >= letters:
            return span.start_ms if place <= 0 else span.end_ms
        spoken = place * ends[-1] / letters
        index = min(bisect_right(ends, spoken), len(words) - 1)
        word, count = words[index]
        share = (spoken - (ends[index] - count)) / count
        return min(max(round(word.start_ms + share * word.len_ms), span.start_ms), span.end_ms)

    latest = list(accumulate((at(place) for place in range(letters + 1)), max))
    return lambda place: latest[min(place, letters)]


def _merged(drafts: Sequence[_Draft], limits: CueLimits, duration_ms: int) -> list[_Draft]:
    """Join neighbours where one of them alone would break a rule and the two together break fewer."""
    starts = [draft.speech.start_ms for draft in drafts]
    result: list[_Draft] = []
    for draft, following in zip(drafts, [*starts[1:], duration_ms + limits.gap_ms], strict=False):
        current = draft
        while result and (pair := _pair(result[-1], current, limits)):
            apart = _strain(result[-1], current.speech.start_ms, limits) + _strain(current, following, limits)
            if not (_strain(pair, following, limits) < apart or _at_once(result[-1], current)):
                break
            current = pair
            result.pop()
        result.append(current)
    return result


def _pair(one: _Draft, other: _Draft, limits: CueLimits) -> _Draft | None:
    """Both as one cue, or None where the rules forbid it."""
    pair = _united(one, other)
    return pair if pair.speech.len_ms <= limits.max_ms and pair.fitting(limits) else None


def _united(one: _Draft, other: _Draft) -> _Draft:
    (speaker, text), (next_speaker, more) = one.parts[-1], other.parts[0]
    parts = (*one.parts, *other.parts)
    if speaker == next_speaker:
        parts = (*one.parts[:-1], (speaker, text + more), *other.parts[1:])
    return _Draft(parts, one.speech | other.speech)


def _strain(draft: _Draft, following_ms: int, limits: CueLimits) -> int:
    """How many rules the cue breaks when it may stand until the next one comes."""
    room = min(following_ms - limits.gap_ms - draft.speech.start_ms, limits.max_ms)
    return (room < limits.min_ms) + (room < limits.reading_ms(draft.lines(limits)))


def _at_once(one: _Draft, other: _Draft) -> bool:
    """Two people talk at the same time for half of what the briefer one says."""
    briefer = min(one.speech.len_ms, other.speech.len_ms)
    return one.parts[-1][0] != other.parts[0][0] and 0 < briefer <= 2 * one.speech.overlap_ms(other.speech)


def _timed(drafts: Sequence[_Draft], limits: CueLimits, duration_ms: int) -> list[tuple[int, _Draft]]:
    """In-times (ms): that of the speech, or later where the cue before needs its time.

    At the very end, where no time is left to shift to, a cue is added to the one before it, whatever its size.
    """
    frame = math.ceil(limits.frame_ms)
    result: list[tuple[int, _Draft]] = []
    for draft in drafts:
        wanted = start = max(0, min(draft.speech.start_ms, duration_ms - limits.min_ms))
        if result:
            previous = result[-1][0]
            readable = previous + limits.min_ms + limits.gap_ms
            start = max(wanted, min(readable, wanted + MAX_LATE_MS), previous + frame + limits.gap_ms)
        if result and start + frame > duration_ms:
            result[-1] = (result[-1][0], _united(result[-1][1], draft))
        else:
            result.append((start, draft))
    return result


def _out_time(start: int, draft: _Draft, following: int | None, limits: CueLimits, duration_ms: int) -> int:
    """As long as the speech, longer where reading takes longer; small pauses are closed."""
    until = duration_ms if following is None else following - limits.gap_ms
    wanted = max(draft.speech.end_ms, start + limits.min_ms, start + limits.reading_ms(draft.lines(limits)))
    if following is not None and until - wanted < CHAIN_MS:
        wanted = until
    return max(min(wanted, until, start + limits.max_ms), start)
