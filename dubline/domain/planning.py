"""What is to be spoken: each line's wording, its phrases and their speeds, from predicted durations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from dubline.domain.fit_items import Fit, Item, passages, spoken_items
from dubline.domain.fitting import PLANNED, solve
from dubline.domain.names import kept_names
from dubline.domain.phrasing import phrased, slots
from dubline.domain.timeline import MAX_RATE, MIN_RATE, SMALL_STRETCH, PlannedLine, PlannedPhrase, SpeechPlan
from dubline.domain.transcript import Line, Segment, Transcript, Translation

SPEED_STEP = 0.05
"""Planned speeds are multiples of it, so that a clip that was spoken once is found again."""
RETAKE = 0.075
"""Change of speed that is worth speaking a phrase again: more than stretching hides (SMALL_STRETCH)."""
_MOST_LINES = 24
"""Lines among whose wordings one search chooses; longer passages are parted at their largest silence."""


def plan(
    transcript: Transcript,
    translation: Translation,
    voices: Mapping[str, str],
    predict_ms: Callable[[str, str], float],
    rates: tuple[float, float],
    duration_ms: int,
) -> SpeechPlan:
    """Choose each line's wording and each phrase's speed so that predicted durations meet the source's phrases.

    `voices` maps a speaker to a voice, `predict_ms` gives the duration of a text in a voice at speed 1, `rates` is what
    the engine can do. Speeds stay inside both that and MIN_RATE..MAX_RATE.
    """
    target = translation.target
    worded = [
        _worded(number, segment, (line.text, *line.alternatives), voices[segment.speaker], target, predict_ms, rates)
        for number, (segment, line) in enumerate(zip(transcript.segments, translation.lines, strict=True))
    ]
    fits: dict[tuple[int, int], Fit] = {}
    chosen: dict[int, int] = {}
    for block in passages([line.items for line in worded], _MOST_LINES):
        solved = solve([item for items in block for item in items], duration_ms, PLANNED)
        fits |= solved.fits
        chosen |= solved.wordings
    return SpeechPlan(
        translation.source,
        target,
        tuple(
            _planned_line(segment, line, voices[segment.speaker], worded[number], chosen[number], fits, rates)
            for number, (segment, line) in enumerate(zip(transcript.segments, translation.lines, strict=True))
        ),
    )


def retake(
    transcript: Transcript,
    speech_plan: SpeechPlan,
    clip_ms: Mapping[str, int],
    rates: tuple[float, float],
    duration_ms: int,
) -> tuple[PlannedPhrase, ...]:
    """The phrases to be spoken again, at another speed: those whose first take is much longer or shorter than foreseen.

    An engine's own rate sounds better than stretching what it has spoken, so speeds are chosen anew from the measured
    durations; a phrase whose speed would change by no more than RETAKE is left to the few percent of stretching.
    """
    slowest, fastest = max(MIN_RATE, rates[0]), min(MAX_RATE, rates[1])
    natural = {p.id: clip_ms[p.id] * p.speed for p in speech_plan.phrases if p.id in clip_ms}
    lines = list(zip(transcript.segments, speech_plan.lines, strict=True))
    items = [
        spoken_items(number, segment, line, natural, lambda _: (slowest, fastest))
        for number, (segment, line) in enumerate(lines)
    ]
    fits: dict[tuple[int, int], Fit] = {}
    for block in passages(items):
        fits |= solve([item for line in block for item in line], duration_ms, PLANNED).fits
    chosen = (
        replace(phrase, speed=_speed(natural[phrase.id], fits[number, place].span.len_ms, slowest, fastest))
        for number, (_, line) in enumerate(lines)
        for place, phrase in enumerate(line.phrases)
        if all(one.id in natural for one in line.phrases)
    )
    before = {phrase.id: phrase.speed for phrase in speech_plan.phrases}
    return tuple(phrase for phrase in chosen if abs(phrase.speed - before[phrase.id]) > RETAKE)


def _planned_line(
    segment: Segment,
    line: Line,
    voice: str,
    worded: _Worded,
    wording: int,
    fits: Mapping[tuple[int, int], Fit],
    rates: tuple[float, float],
) -> PlannedLine:
    slowest, fastest = max(MIN_RATE, rates[0]), min(MAX_RATE, rates[1])
    pieces, text = worded.wordings[wording], worded.texts[wording]
    phrases = tuple(
        PlannedPhrase(
            f"{segment.id}.{place + 1}",
            item.slot,
            pieces[place],
            _speed(item.lasts[wording], fits[item.key].span.len_ms, slowest, fastest),
            kept_names(segment.text, pieces[place], line.unknown),
        )
        for place, item in enumerate(worded.items)
        if pieces[place]
    )
    return PlannedLine(segment.id, text, voice, phrases or _silent(segment, worded))


def _silent(segment: Segment, worded: _Worded) -> tuple[PlannedPhrase, ...]:
    """A line without words is planned all the same, so that it is found not to be spoken."""
    return (PlannedPhrase(f"{segment.id}.1", worded.items[0].slot, "", 1.0),)


@dataclass(frozen=True, slots=True)
class _Worded:
    texts: tuple[str, ...]
    wordings: tuple[tuple[str, ...], ...]
    """For each text its pieces, one a slot."""
    items: tuple[Item, ...]


def _worded(
    number: int,
    segment: Segment,
    texts: tuple[str, ...],
    voice: str,
    language: str,
    predict_ms: Callable[[str, str], float],
    rates: tuple[float, float],
) -> _Worded:
    spans = slots(segment)
    wordings = tuple(phrased(text, spans, language, predict_ms(text, voice)) for text in texts)
    slowest = max(MIN_RATE, rates[0] * (1 - SMALL_STRETCH))
    fastest = min(MAX_RATE, rates[1] * (1 + SMALL_STRETCH))
    items = tuple(
        Item(
            (number, place),
            span,
            segment.speaker,
            tuple(predict_ms(pieces[place], voice) if pieces[place] else 0.0 for pieces in wordings),
            slowest,
            fastest,
        )
        for place, span in enumerate(spans)
    )
    return _Worded(texts, wordings, items)


def _speed(natural_ms: float, room_ms: int, slowest: float, fastest: float) -> float:
    wanted = round(natural_ms / max(room_ms, 1) / SPEED_STEP) * SPEED_STEP
    return round(min(max(wanted, slowest), fastest), 3)
