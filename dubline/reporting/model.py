"""Everything that a report says of a run.

Times are integer milliseconds on the video's axis, durations of work are seconds. Files are named relative to the
folder that the report stands in, with forward slashes. All text may come from strangers: the page escapes it.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, NonNegativeInt

from dubline.domain.time import Span
from dubline.storage.value import Value


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or name in {"", "."}:
        raise ValueError("a report names files inside its own folder")
    return name


RelativeName = Annotated[str, AfterValidator(_inside)]
"""A file inside the report's folder; ValidationError for a path that leads out of it."""


class SourceFacts(Value):
    """The video that went in."""

    file_name: str
    sha256: str
    duration_ms: NonNegativeInt
    language: str
    """Code of the spoken language; empty where nobody speaks."""
    language_confidence: float = Field(ge=0, le=1)


class StageTiming(Value):
    stage: str
    seconds: float = Field(ge=0)
    cached: bool = False
    """Taken from an earlier run; `seconds` is then what looking it up took."""


class EngineUse(Value):
    """What did the work of a capability, and on which terms."""

    capability: str
    engine: str
    model: str
    licence: str
    note: str = ""
    """What a person should know, such as that the weights must not be used commercially."""


class DubFiles(Value):
    video: RelativeName
    srt: RelativeName | None = None
    vtt: RelativeName | None = None
    source_srt: RelativeName | None = None
    source_vtt: RelativeName | None = None


class CastMember(Value):
    speaker: str
    voice: str
    voice_register: Literal["low", "high"] | None = None
    """Of the voice: typically male or typically female pitch."""
    median_f0_hz: float | None = None
    """Of the speaker in the source."""


class _Placed(Value):
    """What has a time in the source and one in the dub."""

    start_ms: NonNegativeInt
    end_ms: NonNegativeInt
    placed_start_ms: NonNegativeInt
    placed_end_ms: NonNegativeInt

    @property
    def span(self) -> Span:
        return Span(self.start_ms, self.end_ms)

    @property
    def placed(self) -> Span:
        return Span(self.placed_start_ms, self.placed_end_ms)


class PhraseReport(_Placed):
    """What is said between two pauses of a line."""

    text: str
    speed: float = 1.0
    stretch: float = 1.0
    clip: RelativeName

    @property
    def rate(self) -> float:
        """Engine speed times stretch, against the voice's natural rate."""
        return self.speed * self.stretch


class LineReport(_Placed):
    """One line: what was said, what is said now, and when."""

    segment: str
    speaker: str
    source: str
    translation: str
    voice: str = ""
    """Empty where the original's sound was kept."""
    phrases: tuple[PhraseReport, ...] = ()
    """Empty where the original's sound was kept."""
    flags: tuple[str, ...] = ()
    edited: bool = False
    """Whether a person edited it."""

    @property
    def onset_lag_ms(self) -> int:
        return self.placed_start_ms - self.start_ms

    @property
    def rates(self) -> tuple[float, float]:
        """Slowest and fastest of the phrases, against the voice's natural rate; (1.0, 1.0) where none is spoken."""
        rates = [phrase.rate for phrase in self.phrases] or [1.0]
        return min(rates), max(rates)


class FindingReport(Value):
    """A quality rule that something broke."""

    suite: str
    rule: str
    severity: Literal["critical", "review"]
    subjects: tuple[str, ...] = ()
    """Ids of the segments it is about; empty where it is about the whole."""
    message: str


class Measure(Value):
    """A figure beside its goal and what others reach, all as they are to be read."""

    name: str
    value: str
    goal: str = ""
    reference: str = ""


class Dub(Value):
    """The outcome in one target language."""

    language: str
    language_name: str
    route: tuple[str, ...] = ()
    """Languages the text went through, source and target included."""
    files: DubFiles
    cast: tuple[CastMember, ...] = ()
    lines: tuple[LineReport, ...] = ()
    findings: tuple[FindingReport, ...] = ()
    measures: tuple[Measure, ...] = ()


class RunReport(Value):
    """A finished run."""

    dubline_version: str
    profile: str
    created_at: datetime
    source: SourceFacts
    stages: tuple[StageTiming, ...] = ()
    engines: tuple[EngineUse, ...] = ()
    warnings: tuple[str, ...] = ()
    dubs: tuple[Dub, ...] = ()
