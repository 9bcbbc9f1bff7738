"""What is to be spoken how, and where it stands on the video's time line; and the limits of both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from dubline.domain.time import Span

MIN_RATE, MAX_RATE = 0.85, 1.25
"""Total rate against the voice's own; listeners rate 1.10 at MOS 4.37 and 1.25 at 3.45 (QoMEX 2019)."""
MAX_STRETCH = 1.15
"""Time-scaling of finished speech is audible sooner than an engine's own speaking rate."""
SMALL_STRETCH = 0.05
"""Change of tempo that listeners do not notice."""
EARLY_MS, LATE_MS = 40, 120
"""Onsets further off are noticed: sound leads detectably from 45 ms, lags from 125 ms (ITU-R BT.1359)."""


@dataclass(frozen=True, slots=True)
class PlannedPhrase:
    """What is to be spoken between two pauses, how fast."""

    id: str
    """The line's id, a dot, and the phrase's number in the line."""
    slot: Span
    """When the source says it."""
    text: str
    speed: float
    """Engine speed against the voice's natural rate."""
    names: tuple[str, ...] = ()
    """Words kept from the source, to be read as in its language."""


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """The wording of a line, in phrases; together they are the text."""

    segment: str
    text: str
    voice: str
    phrases: tuple[PlannedPhrase, ...]


@dataclass(frozen=True, slots=True)
class SpeechPlan:
    source: str
    """Language of the source."""
    language: str
    lines: tuple[PlannedLine, ...]

    @property
    def phrases(self) -> tuple[PlannedPhrase, ...]:
        return tuple(phrase for line in self.lines for phrase in line.phrases)

    def replacing(self, phrases: Iterable[PlannedPhrase]) -> SpeechPlan:
        """The plan with other versions of some of its phrases, which are found by their id."""
        others = {phrase.id: phrase for phrase in phrases}
        return replace(
            self,
            lines=tuple(
                replace(line, phrases=tuple(others.get(phrase.id, phrase) for phrase in line.phrases))
                for line in self.lines
            ),
        )


@dataclass(frozen=True, slots=True)
class PlacedPhrase:
    id: str
    span: Span
    """On the video's axis; after the stretch."""
    stretch: float = 1.0
    """Tempo applied to the finished clip: 1.1 plays it in 1/1.1 of its time."""
    flags: tuple[str, ...] = ()
    """Of: late, early."""


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """Where a line's phrases stand in the dub; a line without any keeps the original's place and sound."""

    segment: str
    span: Span
    phrases: tuple[PlacedPhrase, ...]
    silent: tuple[Span, ...] = ()
    """The source's phrases for which the translation has no words left."""

    @property
    def kept_original(self) -> bool:
        return not self.phrases

    @property
    def flags(self) -> tuple[str, ...]:
        """Of: kept-original, late, early, part-silent."""
        if self.kept_original:
            return ("kept-original",)
        timing = dict.fromkeys(flag for phrase in self.phrases for flag in phrase.flags)
        return (*timing, "part-silent") if self.silent else tuple(timing)


@dataclass(frozen=True, slots=True)
class FittedTimeline:
    language: str
    duration_ms: int
    lines: tuple[PlacedLine, ...]
    optimal: bool = True
    """False where the solver ran out of time: the best that it had found, or phrases one behind the other."""

    @property
    def phrases(self) -> tuple[PlacedPhrase, ...]:
        return tuple(phrase for line in self.lines for phrase in line.phrases)
