"""Fit dubbed speech to the source's timeline: one optimization, solved before synthesis and again after it.

`dubline.domain.planning` works on predicted durations and chooses each line's wording and each phrase's speaking rate.
`dubline.domain.placing` works on the measured clips and chooses where each phrase stands, and the few percent of tempo
that are left to change. Both minimize the same costs (`Costs`, in milliseconds of misfit against the source's phrases)
under the same hard rules:

- nothing is cut, and nothing is faster or slower than the caps;
- phrases of one speaker never overlap, and those of two speakers overlap only where their source did;
- nothing is said after the end of the video;
- a line that could not be spoken, or for which all this leaves no room, keeps the original's sound in its place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from dubline.domain.fit_items import Fit, Item
from dubline.domain.linear_program import Linear, Program, Solution, total
from dubline.domain.phrasing import PAUSE_MS
from dubline.domain.time import Span
from dubline.domain.timeline import EARLY_MS, LATE_MS, SMALL_STRETCH

_TIME_LIMIT_S = 20.0
_GAP = 1e-3
"""Relative distance to the optimum at which the choice of wordings is good enough."""
_EDGE_MS = 30
"""How sure the edge of speech is, in the source and in a clip: a detector's frame. What begins after a pause is kept so
far inside what is noticed, and never begins early: a lag is forgiven sooner than a voice from a closed mouth."""
_TYPICAL_MS, _MOST_OF_SHORT = 1500, 2.0
"""Phrases shorter than this are held to their source more closely, up to twice: the same misfit is more of them."""
_UNTOUCHED = 0.01
"""A smaller change of tempo is not worth the vocoder's trace."""


@dataclass(frozen=True, slots=True)
class Solved:
    fits: dict[tuple[int, int], Fit]
    wordings: dict[int, int] = field(default_factory=dict)
    """Line -> which of its wordings."""
    optimal: bool = True

    @property
    def reach(self) -> Span:
        """From the first start to the last end."""
        spans = [fit.span for fit in self.fits.values()]
        return Span(min(span.start_ms for span in spans), max(span.end_ms for span in spans))


@dataclass(frozen=True, slots=True)
class Costs:
    """What a millisecond of each fault is worth, against one of misfit between a phrase and its source."""

    misfit: float = 1.0
    """Of an end against the source's, and of a start: what is missed of the source plus what is said beside it. Their
    sum, the symmetric difference, is the linear stand-in for one minus intersection over union."""
    start: float = 0.2
    """Of a start, on top: where a phrase is too long or too short, it begins with the mouth."""
    onset: float = 6.0
    """Of an onset after a pause beyond EARLY_MS and LATE_MS, on top of the misfit: a mouth that opens is seen."""
    turn: float = 1.0
    """Of such an onset in the midst of speech."""
    pause: float = 5.0
    """Of a pause of PAUSE_MS and more, inside a line or between lines, that becomes shorter than that."""
    tempo: float = 0.15
    """Of a duration against the natural one."""
    bearable: float = 0.15
    """Share by which tempo may rise before that becomes dearer; as long a way down counts alike."""
    far_tempo: float = 0.75
    """Beyond it, on top: with that a phrase is hurried on, up to the cap, only where it gains as much overlap."""
    pace: float = 0.2
    """Of a change of tempo from one phrase of a speaker to his next, applied to the shorter."""
    wording: float = 40.0
    """For each place in the engine's order of preference."""
    beside_original: float = 100.0
    """Of speech over an original that stays."""
    past_end: float = 1000.0
    """Of speech after the video."""


PLANNED = Costs()
FINISHED = Costs(tempo=0.3, bearable=SMALL_STRETCH, far_tempo=3.5)
"""Finished speech is stretched: costlier, and beyond SMALL_STRETCH only where many phrases would be late otherwise."""


@dataclass(frozen=True, slots=True)
class _Variables:
    item: Item
    start: Linear
    end: Linear
    natural: Linear

    @property
    def change(self) -> Linear:
        """How much longer than natural, as a share of the duration of the first wording."""
        return (self.end - self.start - self.natural) * (1 / max(*self.item.lasts, 1.0))


def solve(items: Sequence[Item], duration_ms: int, costs: Costs) -> Solved:
    """The best places, tempos and wordings for the phrases of some lines."""
    ordered = sorted(items, key=lambda item: (item.slot.start_ms, item.key))
    program = Program()
    choices = _wordings(program, ordered, costs)
    variables = [_variables(program, item, choices[item.key[0]], duration_ms, costs) for item in ordered]
    _keep_order(program, variables, costs)
    _keep_pauses(program, variables, costs)
    _keep_pace(program, variables, costs)
    solution = program.solve(_TIME_LIMIT_S, _GAP)
    if solution is None:
        fits = {i.key: _fitted(i, i.slot.start_ms, i.slot.start_ms + i.lasts[0], 0) for i in ordered}
        return Solved(fits, dict.fromkeys(choices, 0), optimal=False)
    wordings = {line: _chosen(of, solution) for line, of in choices.items()}
    fits = {v.item.key: _fitted(v.item, solution(v.start), solution(v.end), wordings[v.item.key[0]]) for v in variables}
    return Solved(fits, wordings, solution.optimal)


def _chosen(options: Sequence[Linear], solution: Solution) -> int:
    return max(range(len(options)), key=lambda number: solution(options[number]))


def _wordings(program: Program, items: Sequence[Item], costs: Costs) -> dict[int, list[Linear]]:
    """For each line a choice among its wordings; what is later in the engine's order costs more."""
    choices: dict[int, list[Linear]] = {}
    for item in items:
        if item.key[0] in choices:
            continue
        if len(item.lasts) == 1:
            choices[item.key[0]] = [Linear(constant=1.0)]
            continue
        of = [program.choice() for _ in item.lasts]
        program.equal(total(of), 1.0)
        for rank, one in enumerate(of):
            program.cost(one, rank * costs.wording)
        choices[item.key[0]] = of
    return choices


def _variables(program: Program, item: Item, choice: Sequence[Linear], duration_ms: int, costs: Costs) -> _Variables:
    natural = total(one * lasts for one, lasts in zip(choice, item.lasts, strict=True))
    if item.fixed:
        return _Variables(item, Linear() + item.slot.start_ms, Linear() + item.slot.end_ms, natural)
    start, end = program.variable(), program.variable()
    length = end - start
    # Whole milliseconds where the duration is known: then what is rounded keeps the rules.
    known = len(item.lasts) == 1
    program.at_most(_shortest(item) if known else natural * (1 / item.fastest), length)
    program.at_most(length, _longest(item) if known else natural * (1 / item.slowest))
    misfit = costs.misfit * min(max(_TYPICAL_MS / max(item.slot.len_ms, 1), 1.0), _MOST_OF_SHORT)
    program.cost(program.apart(start, item.slot.start_ms), misfit + costs.start)
    program.cost(program.apart(end, item.slot.end_ms), misfit)
    change = program.apart(length, natural)
    program.cost(change, costs.tempo)
    bearable = natural * (costs.bearable / (1 + costs.bearable))
    program.cost(program.over(change, math.floor(bearable.constant) if known else bearable), costs.far_tempo)
    program.cost(program.over(end, duration_ms), costs.past_end)
    return _Variables(item, start, end, natural)


def _keep_order(program: Program, variables: Sequence[_Variables], costs: Costs) -> None:
    """No overlap that the source did not have: each phrase comes after those before it, speaker by speaker."""
    heard: dict[str, list[_Variables]] = {}
    for after in variables:
        for earlier in heard.values():
            for before in reversed(earlier):
                _part(program, before, after, costs)
                if not before.item.may_overlap(after.item):
                    break
        heard.setdefault(after.item.speaker, []).append(after)


def _part(program: Program, before: _Variables, after: _Variables, costs: Costs) -> None:
    if before.item.fixed or after.item.fixed:
        if not before.item.may_overlap(after.item):
            program.cost(program.over(before.end, after.start), costs.beside_original)
        return
    allowed = before.item.slot.end_ms - after.item.slot.start_ms if before.item.may_overlap(after.item) else 0
    program.at_most(before.end - after.start, allowed)


def _keep_pauses(program: Program, variables: Sequence[_Variables], costs: Costs) -> None:
    """Onsets on time, above all where speech begins after a silence, and that silence kept."""
    last: _Variables | None = None
    for one in variables:
        slot = one.item.slot
        opens = last is None or slot.start_ms - last.item.slot.end_ms >= PAUSE_MS
        if not one.item.fixed:
            weight = costs.onset if opens else costs.turn
            early, late = (0, LATE_MS - _EDGE_MS) if opens else (EARLY_MS, LATE_MS)
            program.cost(program.over(one.start, slot.start_ms + late), weight)
            program.cost(program.over(Linear() + (slot.start_ms - early), one.start), weight)
            if last and opens:
                program.cost(program.over(last.end + PAUSE_MS, one.start), costs.pause)
        if last is None or slot.end_ms > last.item.slot.end_ms:
            last = one


def _keep_pace(program: Program, variables: Sequence[_Variables], costs: Costs) -> None:
    last: dict[str, _Variables] = {}
    for one in variables:
        if one.item.fixed:
            continue
        before = last.get(one.item.speaker)
        if before:
            shorter = min(before.item.lasts[0], one.item.lasts[0])
            program.cost(program.apart(before.change, one.change), costs.pace * shorter)
        last[one.item.speaker] = one


def _shortest(item: Item) -> int:
    return math.ceil(item.lasts[0] / item.fastest)


def _longest(item: Item) -> int:
    return max(math.floor(item.lasts[0] / item.slowest), _shortest(item))


def _fitted(item: Item, start: float, end: float, wording: int) -> Fit:
    """The solver's values in whole milliseconds. Rounding half up keeps distances that are whole."""
    first, last = (max(0, math.floor(round(value, 6) + 0.5)) for value in (start, end))
    natural = item.lasts[wording]
    if item.fixed or not natural:
        return Fit(Span(first, last), 1.0)
    if 0 <= last - first - natural <= _UNTOUCHED * natural:
        return Fit(Span(first, first + math.ceil(natural)), 1.0)
    tempo = min(max(natural / max(last - first, 1), item.slowest), item.fastest)
    return Fit(Span(first, first + math.ceil(natural / tempo - 1e-6)), tempo)
