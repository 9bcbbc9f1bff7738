"""Where the spoken phrases stand: measured clips on the video's time line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dubline.domain.fit_items import Fit, Item, original, passages, settled, spoken_items, unheard_item
from dubline.domain.fitting import FINISHED, Solved, solve
from dubline.domain.phrasing import slots
from dubline.domain.time import Span
from dubline.domain.timeline import (
    EARLY_MS,
    LATE_MS,
    MAX_RATE,
    MAX_STRETCH,
    MIN_RATE,
    FittedTimeline,
    PlacedLine,
    PlacedPhrase,
    PlannedLine,
    PlannedPhrase,
    SpeechPlan,
)
from dubline.domain.transcript import Segment, Transcript
from dubline.domain.unheard import unheard


def place(
    transcript: Transcript, speech_plan: SpeechPlan, clip_ms: Mapping[str, int], duration_ms: int
) -> FittedTimeline:
    """Put every clip near its source's phrase, as the costs and rules above say.

    `clip_ms` has the measured duration of every phrase that could be spoken, by its id. A line with a phrase that could
    not be spoken keeps the original's sound whole: half a sentence in each language helps nobody. Clear speech that is
    in no line stays where it is, and phrases keep off it where they can.
    """
    lines = list(zip(transcript.segments, speech_plan.lines, strict=True))
    items = [spoken_items(number, segment, line, clip_ms, _stretches) for number, (segment, line) in enumerate(lines)]
    walls = [(unheard_item(number, span),) for number, span in enumerate(unheard(transcript), len(lines))]
    items, fits, optimal = _best_places(sorted([*items, *walls], key=_by_start), duration_ms)
    own = [line for line in items if not line[0].unheard]
    placed = tuple(_placed_line(segment, line, its, fits) for (segment, line), its in zip(lines, own, strict=True))
    return FittedTimeline(speech_plan.language, duration_ms, placed, optimal)


def _by_start(line: tuple[Item, ...]) -> tuple[int, tuple[int, int]]:
    return line[0].slot.start_ms, line[0].key


def _best_places(
    lines: list[tuple[Item, ...]], duration_ms: int
) -> tuple[list[tuple[Item, ...]], dict[tuple[int, int], Fit], bool]:
    """The lines as they were placed, their places, and whether those are optimal.

    All together where speech must be pulled back from the end. Where even that does not make room, the lines that are
    furthest too long keep the original's sound, until the others fit.
    """
    solved = _placed_apart(lines, duration_ms)
    fits = settled(lines, {key: fit for one in solved for key, fit in one.fits.items()})
    while (excess_ms := _latest(lines, fits) - duration_ms) > 0:
        if len(solved) == 1:
            lines = _given_up(lines, excess_ms)
        solved = [solve(_flat(lines), duration_ms, FINISHED)]
        fits = settled(lines, solved[0].fits)
    return lines, fits, all(one.optimal for one in solved)


def _placed_apart(lines: Sequence[tuple[Item, ...]], duration_ms: int) -> list[Solved]:
    """Passages placed apart; where one runs into the next, the two as one."""
    done: list[tuple[list[tuple[Item, ...]], Solved]] = []
    for passage in passages(lines):
        block = list(passage)
        solved = solve(_flat(block), duration_ms, FINISHED)
        while done and done[-1][1].reach.end_ms > solved.reach.start_ms:
            block = [*done.pop()[0], *block]
            solved = solve(_flat(block), duration_ms, FINISHED)
        done.append((block, solved))
    return [solved for _, solved in done]


def _latest(lines: Sequence[tuple[Item, ...]], fits: Mapping[tuple[int, int], Fit]) -> int:
    """When the last spoken phrase ends; an original that stays may be longer than the picture."""
    return max((fits[item.key].span.end_ms for item in _flat(lines) if not item.fixed), default=0)


def _flat(lines: Sequence[tuple[Item, ...]]) -> list[Item]:
    return [item for line in lines for item in line]


def _given_up(lines: list[tuple[Item, ...]], excess_ms: int) -> list[tuple[Item, ...]]:
    """The lines with as many of them turned back into their original as it takes to win `excess_ms`."""

    def too_long_ms(number: int) -> float:
        return sum(item.lasts[0] / item.fastest - item.slot.len_ms for item in lines[number])

    result = list(lines)
    spoken = [number for number, line in enumerate(lines) if not any(item.fixed for item in line)]
    for number in sorted(spoken, key=too_long_ms, reverse=True):
        if excess_ms <= 0:
            break
        excess_ms -= max(round(too_long_ms(number)), 1)
        result[number] = (original(lines[number]),)
    return result


def _stretches(phrase: PlannedPhrase) -> tuple[float, float]:
    """Least and most tempo for the finished clip: its own limit, and what the speed leaves of the total rate."""
    return (
        min(1.0, max(1 / MAX_STRETCH, MIN_RATE / phrase.speed)),
        max(1.0, min(MAX_STRETCH, MAX_RATE / phrase.speed)),
    )


def _placed_line(
    segment: Segment,
    line: PlannedLine,
    items: Sequence[Item],
    fits: Mapping[tuple[int, int], Fit],
) -> PlacedLine:
    if any(item.fixed for item in items) or not line.phrases:
        return PlacedLine(segment.id, segment.span, ())
    phrases = tuple(
        PlacedPhrase(phrase.id, fits[item.key].span, fits[item.key].tempo, _flags(fits[item.key].span, phrase.slot))
        for phrase, item in zip(line.phrases, items, strict=True)
    )
    said = {phrase.slot for phrase in line.phrases}
    silent = tuple(slot for slot in slots(segment) if slot not in said)
    return PlacedLine(segment.id, phrases[0].span | phrases[-1].span, phrases, silent)


def _flags(span: Span, slot: Span) -> tuple[str, ...]:
    lag = span.start_ms - slot.start_ms
    checks = {"late": lag > LATE_MS, "early": lag < -EARLY_MS}
    return tuple(name for name, holds in checks.items() if holds)
