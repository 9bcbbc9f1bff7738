"""Where the spoken phrases stand: measured clips on the video's time line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dubline.domain.fit_items import Fit, Item, passages, settled, spoken_items
from dubline.domain.fitting import FINISHED, HOPELESS, solve
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


def place(
    transcript: Transcript, speech_plan: SpeechPlan, clip_ms: Mapping[str, int], duration_ms: int
) -> FittedTimeline:
    """Put every clip near its source's phrase, as the costs and rules above say.

    `clip_ms` has the measured duration of every phrase that could be spoken, by its id. A line with a phrase that could
    not be spoken keeps the original's sound whole: half a sentence in each language helps nobody.
    """
    lines = list(zip(transcript.segments, speech_plan.lines, strict=True))
    items = [spoken_items(number, segment, line, clip_ms, _stretches) for number, (segment, line) in enumerate(lines)]
    fits, optimal = _best_places(items, duration_ms)
    placed = tuple(
        _placed_line(segment, line, own, fits, duration_ms) for (segment, line), own in zip(lines, items, strict=True)
    )
    return FittedTimeline(speech_plan.language, duration_ms, placed, optimal)


def _best_places(lines: Sequence[tuple[Item, ...]], duration_ms: int) -> tuple[dict[tuple[int, int], Fit], bool]:
    """Passages apart; all together where speech must be pulled back from the end; with some of it after the end where
    even that does not make room: one hopeless line is not to move all others away from their mouths."""
    whole = [item for line in lines for item in line]
    attempts = (
        ([[item for line in block for item in line] for block in passages(lines)], FINISHED),
        ([whole], FINISHED),
        ([whole], HOPELESS),
    )
    for parts, costs in attempts:
        solved = [solve(passage, duration_ms, costs) for passage in parts]
        fits = settled(lines, {key: fit for one in solved for key, fit in one.fits.items()})
        if all(fit.span.end_ms <= duration_ms for fit in fits.values()):
            break
    return fits, all(one.optimal for one in solved)


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
    duration_ms: int,
) -> PlacedLine:
    if any(item.fixed for item in items) or not line.phrases:
        return PlacedLine(segment.id, segment.span, ())
    phrases = tuple(
        PlacedPhrase(
            phrase.id, fits[item.key].span, fits[item.key].tempo, _flags(fits[item.key].span, phrase.slot, duration_ms)
        )
        for phrase, item in zip(line.phrases, items, strict=True)
    )
    return PlacedLine(segment.id, phrases[0].span | phrases[-1].span, phrases)


def _flags(span: Span, slot: Span, duration_ms: int) -> tuple[str, ...]:
    lag = span.start_ms - slot.start_ms
    checks = {"late": lag > LATE_MS, "early": lag < -EARLY_MS, "past-end": span.end_ms > duration_ms}
    return tuple(name for name, holds in checks.items() if holds)
