"""Where a stream of spoken text is cut into cues, and when each comes in: the layout that breaks the fewest rules.

The search is exact. A cue breaks a rule when it cannot stand long enough to be read (reading-speed), when it flashes by
(min-duration), or when it comes in more than three frames off its sound (in-time); more lines than two, lines that are
too wide and speech that is too long for a cue are never chosen. Whether a cue has time enough depends on all that went
before through one number, the earliest time at which it may come in. So for each place in the text the search keeps the
ways to get there of which none is both worse and later than another (dynamic programming over a Pareto front). Among
layouts that break equally few rules it takes the one that reads best.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

from dubline.domain.cues import CueLimits
from dubline.domain.linebreaks import Ruler, Token

MAX_LATE_MS = 1000
"""In a crowd a cue waits this long for the one before to be read; after that the earlier cue is cut short."""
MAX_PAUSE_MS = 1000
"""Two utterances more than a second apart do not share a cue: the second would be shown long before it is heard."""
DASH = "-"
_MOST_WAYS = 8
"""Ways that are kept for one place. Speech that can be shown within the rules has fewer; where everything comes too
late there would be hundreds that differ by a few milliseconds."""

_CUE, _FULL, _PHRASE, _LINE_BREAK = 12.0, 10.0, 2.0, 1.5
"""Each cue costs; a full one more than two half ones; a cut and a line break by how they hurt the phrase."""
_JOIN, _EXCHANGE, _FLASH, _LONG, _SCRAP = 16.0, 18.0, 8.0, 100.0, 8.0
"""Joining utterances, of one person or of two, costs more than the cue it spares; a cue for speech that is briefer than
it must stand, or longer than it may; one that ends a sentence and begins another without ending it."""
_PAUSE_MS, _OFF_MS = 40.0, 20.0
"""Ms that cost 1: of a pause inside a cue, and of reading time, punctuality or speech that is lost."""
_PAUSE_MOST = 25.0


@dataclass(frozen=True, slots=True)
class Spoken:
    """A token of the stream: who says it, in which utterance, and when."""

    token: Token
    speaker: str | None
    utterance: int
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class TimedCut:
    """A cue: tokens `start` to `stop` of the stream, coming in at `in_ms`."""

    start: int
    stop: int
    in_ms: int


@dataclass(frozen=True, slots=True)
class _Cue:
    """A cue that could be: tokens `start` to `stop`."""

    start: int
    stop: int
    reading_ms: int
    sound_ms: int
    """When its first sound is heard: not its first token's where people talk at the same time."""
    cost: float


@dataclass(frozen=True, slots=True)
class _Label:
    """A way to lay out all text before a place, with the earliest in-time that it leaves to the cue there."""

    broken: int
    cost: float
    in_ms: int
    start: int = 0
    """Where the last cue of that way begins."""
    before: _Label | None = None
    need_ms: int = 0
    """What the last cue has to stand at least."""

    def beats(self, other: _Label) -> bool:
        return (self.broken, self.cost) <= (other.broken, other.cost) and self.in_ms <= other.in_ms


def best_cuts(stream: Sequence[Spoken], limits: CueLimits, duration_ms: int) -> tuple[TimedCut, ...]:
    """Cues that hold the whole stream, in its order. `stream` is in order of time but for what overlaps.

    Where no time is left at the end of the video, the last cues may lie on or after it.
    """
    return _Search(stream, limits, duration_ms).run() if stream else ()


class _Search:
    def __init__(self, stream: Sequence[Spoken], limits: CueLimits, duration_ms: int) -> None:
        self._stream, self._limits, self._duration_ms = stream, limits, duration_ms
        self._ruler = Ruler([spoken.token for spoken in stream], limits)
        self._dash = limits.width(DASH)
        self._soonest = [self._soonest_at(spoken.start_ms) for spoken in stream]

    def run(self) -> tuple[TimedCut, ...]:
        size = len(self._stream)
        fronts: list[list[_Label]] = [[] for _ in range(size + 1)]
        fronts[0] = [_Label(self._off_sound(0, in_ms), 0.0, in_ms) for in_ms in self._soonest[0]]
        for start in range(size):
            for cue in self._cues_from(start):
                for label in fronts[start]:
                    for following in self._next(label, cue):
                        _keep(fronts[cue.stop], following)
        ways = [min(fronts[size], key=lambda label: (label.broken, label.cost))]
        while ways[-1].before is not None:
            ways.append(ways[-1].before)
        return self._timed(list(reversed(ways)))

    def _cues_from(self, start: int) -> Iterator[_Cue]:
        """Each cue that may begin at token `start`."""
        stream, limits = self._stream, self._limits
        turn, cost, whole = None, _CUE, True
        sound_ms, end_ms = stream[start].start_ms, stream[start].end_ms
        for stop in range(start + 1, len(stream) + 1):
            if stop > start + 1:
                one, other = stream[stop - 2], stream[stop - 1]
                pause = max(0, other.start_ms - one.end_ms)
                sound_ms, end_ms = min(sound_ms, other.start_ms), max(end_ms, other.end_ms)
                exchange = one.speaker != other.speaker
                joined = one.utterance != other.utterance
                if (joined and pause > MAX_PAUSE_MS) or end_ms - stream[start].start_ms > limits.max_ms:
                    return
                if exchange and turn is not None:
                    return
                turn = stop - 1 if exchange else turn
                whole = whole and self._ruler.break_costs[stop - 1] > 0
                cost += (_EXCHANGE if exchange else _JOIN) * joined + min(pause / _PAUSE_MS, _PAUSE_MOST)
            shape = self._lines(start, stop) if turn is None else self._exchange(start, turn, stop)
            if shape is None:
                return
            characters, line_cost = shape
            quality = self._quality(stop, end_ms - sound_ms, characters, whole)
            yield _Cue(start, stop, limits.time_for(characters), sound_ms, cost + line_cost + quality)

    def _lines(self, start: int, stop: int) -> tuple[float, float] | None:
        """Characters to be read and cost of the line break; None where two lines cannot hold the text."""
        ruler, wide = self._ruler, self._ruler.width(start, stop)
        if wide <= self._limits.line_width:
            return wide, 0.0
        at = ruler.line_break(start, stop)
        return None if at is None else (wide - ruler.space(at), _LINE_BREAK * ruler.break_costs[at])

    def _exchange(self, start: int, turn: int, stop: int) -> tuple[float, float] | None:
        """The same for two speakers with a line each."""
        upper = self._dash + self._ruler.width(start, turn)
        lower = self._dash + self._ruler.width(turn, stop)
        return (upper + lower, 0.0) if max(upper, lower) <= self._limits.line_width else None

    def _quality(self, stop: int, spoken_ms: int, characters: float, whole: bool) -> float:
        """What the cue costs by its size and by where it ends; `whole` when no sentence ends inside."""
        limits, stream = self._limits, self._stream
        fill = characters / (limits.line_width * limits.max_lines)
        cost = _FULL * fill * fill + _LONG * (spoken_ms > limits.max_ms) + _FLASH * (spoken_ms < limits.min_ms)
        if stop < len(stream) and stream[stop - 1].utterance == stream[stop].utterance:
            hurt = self._ruler.break_costs[stop]
            cost += _PHRASE * hurt + _SCRAP * (hurt > 0 and not whole)
        return cost

    def _next(self, label: _Label, cue: _Cue) -> Iterator[_Label]:
        """What may follow the cue: the next comes in as soon as this one is read, or sooner at the price of a rule."""
        limits, reading_ms, stop = self._limits, cue.reading_ms, cue.stop
        need_ms, cost, broken = max(limits.min_ms, reading_ms), label.cost + cue.cost, label.broken
        if cue.sound_ms < self._stream[cue.start].start_ms:
            broken += label.in_ms - cue.sound_ms > limits.in_time_ms and not self._off_sound(cue.start, label.in_ms)
        if stop == len(self._stream):
            room = self._duration_ms - label.in_ms
            lost = max(0, need_ms - room) / _OFF_MS
            yield _Label(broken + self._too_short(room, reading_ms), cost + lost, 0, cue.start, label, need_ms)
            return
        sound, frame_ms, seen = self._stream[stop].start_ms, math.ceil(limits.frame_ms), -1
        levels = sorted({frame_ms, max(frame_ms, min(reading_ms, limits.min_ms)), limits.min_ms, need_ms})
        for soonest, kept in product(self._soonest[stop], levels):
            in_ms = max(soonest, label.in_ms + kept + limits.gap_ms)
            if in_ms == seen or (kept > frame_ms and in_ms - sound > MAX_LATE_MS):
                continue
            seen, room = in_ms, in_ms - limits.gap_ms - label.in_ms
            rules = broken + self._too_short(room, reading_ms) + self._off_sound(stop, in_ms)
            lost = max(0, need_ms - room) + max(0, in_ms - sound)
            yield _Label(rules, cost + lost / _OFF_MS, in_ms, cue.start, label, need_ms)

    def _soonest_at(self, sound_ms: int) -> tuple[int, ...]:
        """When a cue may come in at the soonest: three frames before its sound. At the end of the video it may come in
        sooner, at the price of a rule, to stand long enough."""
        punctual = max(0, sound_ms - self._limits.in_time_ms)
        readable = max(0, self._duration_ms - self._limits.min_ms)
        if punctual <= readable:
            return (punctual,)
        visible = punctual + math.ceil(self._limits.frame_ms) <= self._duration_ms
        return (readable, punctual) if visible else (readable,)

    def _too_short(self, room: int, reading_ms: int) -> int:
        """How many rules a cue breaks that stands for `room` ms."""
        return (room < self._limits.min_ms) + (room < reading_ms)

    def _off_sound(self, place: int, in_ms: int) -> int:
        return abs(in_ms - self._stream[place].start_ms) > self._limits.in_time_ms

    def _timed(self, ways: Sequence[_Label]) -> tuple[TimedCut, ...]:
        """Within what the rules leave free, each cue comes in with its sound; one that is hurried takes what it can."""
        limits, cues = self._limits, list(pairwise(ways))
        earliest = [before.in_ms for before, _ in cues]
        stands = [
            min(way.need_ms, following - limits.gap_ms - early)
            for (_, way), early, following in zip(cues, earliest, [*earliest[1:], 10**12], strict=True)
        ]
        latest = [0] * len(cues)
        until = self._duration_ms + limits.gap_ms
        for number in range(len(cues) - 1, -1, -1):
            sound = self._stream[cues[number][1].start].start_ms
            until = min(sound + limits.in_time_ms, until - limits.gap_ms - stands[number])
            until = latest[number] = max(earliest[number], until)
        result: list[TimedCut] = []
        ready, hurried_before = 0, False
        for number, (_, way) in enumerate(cues):
            stop = cues[number + 1][1].start if number + 1 < len(cues) else len(self._stream)
            hurried = stands[number] < way.need_ms
            wanted = self._stream[way.start].start_ms
            wanted = earliest[number] if hurried else latest[number] if hurried_before else wanted
            in_ms = min(max(wanted, earliest[number], ready), latest[number])
            result.append(TimedCut(way.start, stop, in_ms))
            ready, hurried_before = in_ms + stands[number] + limits.gap_ms, hurried
        return tuple(result)


def _keep(front: list[_Label], label: _Label) -> None:
    """Add a label unless another is better in all, and drop those that it beats."""
    if not any(other.beats(label) for other in front):
        front[:] = [other for other in front if not label.beats(other)]
        front.append(label)
        if len(front) > _MOST_WAYS:
            soonest = min(other.in_ms for other in front)
            front.remove(max((o for o in front if o.in_ms > soonest), key=lambda o: (o.broken, o.cost)))
