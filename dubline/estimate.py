"""How long a run will take, and how far it is: from what past runs did when, corrected by how this one gets on.

Where nothing is known yet, figures measured on two cores stand in.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median

from dubline.domain.languages import LANGUAGES
from dubline.domain.past_run import PastRun
from dubline.stages import ONCE
from dubline.telemetry.progress import Event, StageProgress, VideoLength

# Seconds a stage takes on two cores with the offline profile: a fixed part (imports, loading) and a part for each
# second of video.
COST: dict[str, tuple[float, float]] = {
    "ingest": (0.3, 0.002),
    "extract-audio": (0.3, 0.005),
    "transcribe": (3.0, 0.12),
    "diarize": (16.0, 0.1),
    "separate": (1.0, 0.05),
    "attribute": (0.1, 0.0),
    "translate": (0.3, 0.002),
    "plan-speech": (0.1, 0.0),
    "synthesize": (1.8, 0.46),
    "place": (0.1, 0.0),
    "mix": (0.3, 0.02),
    "subtitle-source": (0.1, 0.0),
    "subtitle": (0.1, 0.0),
    "mux": (0.4, 0.01),
    "publish": (0.5, 0.01),
}


SIDE_BY_SIDE = 0.65
"""Of the stages' sum, what a run takes, as some work side by side: 0.6 with half a minute of video (`python -m
bench.service`), 0.76 with ten (`python -m bench.edit`)."""
AGAIN_SHARE = 0.2
"""Of a whole run, what one after an edit takes, as long as none was seen here: a minute of video, where starting the
process and loading a voice weigh as much as the line (`python -m bench.edit` has ten minutes)."""
LEAST_LEFT = 0.1
"""Of what is still to be done, what is told to be left when a stage takes longer than ever."""


@dataclass
class Estimate:
    """Follows a run's progress. `remaining_s` and `fraction` may be asked at any time."""

    video_s: float
    languages: tuple[str, ...]
    past: Sequence[PastRun] = ()
    again: bool = False
    """Whether it is a run after an edit, which finds most of the work done."""
    stages: Collection[str] = tuple(COST)
    """What the run consists of, without languages; the table has no time for some, and they do not count."""
    started: float = field(default_factory=time.monotonic)
    spans: dict[str, tuple[float, float]] = field(default_factory=dict)
    """As those of a past run, of the stages that were done in this one."""
    fraction: float = 0.0
    """Finished share of the run, 0..1: of its time, where past runs tell it, else of its work."""
    _done: dict[str, float] = field(default_factory=dict)
    """Stage -> finished share."""
    _began: dict[str, float] = field(default_factory=dict)
    _moved_s: float = 0.0
    """Second of the run at which `fraction` changed last."""
    _found: float = 0.0
    """The fraction that was found done: it says nothing of this run's speed."""

    def __post_init__(self) -> None:
        alike = [run for run in self.past if run.again == self.again]
        self._when = _when(alike)
        known = alike or self.past
        self._slower = (
            median(run.seconds / _work_s(run.video_s, run.languages) for run in known) if known else SIDE_BY_SIDE
        )
        if self.again and not alike:
            self._slower *= AGAIN_SHARE

    def observe(self, event: Event) -> None:
        """Take in whatever the run tells."""
        if isinstance(event, VideoLength):
            self.video_s = event.seconds
            self.fraction = self._finished()
        elif isinstance(event, StageProgress) and _base(event.stage):
            self._take(event)

    def _take(self, event: StageProgress) -> None:
        second = time.monotonic() - self.started
        self._done[event.stage] = 1.0 if event.state in ("done", "cached") else event.fraction
        began = self._began.setdefault(event.stage, second)
        if event.state == "done":
            self.spans[event.stage] = began, second
        if (fraction := self._finished()) > self.fraction:
            self.fraction, self._moved_s = fraction, second
        if event.state == "cached":
            self._found = self.fraction

    @property
    def remaining_s(self) -> float:
        """Seconds left. The further this run got by itself, the more its own speed counts against that of past ones."""
        usual = self._slower * _work_s(self.video_s, len(self.languages))
        gone = self.fraction - self._found
        whole = usual * (1 - gone) + self._moved_s  # that is `gone` times the whole at this run's speed
        left = whole * (1 - self.fraction)
        return max(left - (time.monotonic() - self.started - self._moved_s), LEAST_LEFT * left)

    def _finished(self) -> float:
        shares: dict[str, float] = {}
        for base in COST.keys() & self.stages:
            if names := [base] if base in ONCE else [f"{base}-{language}" for language in self.languages]:
                shares[base] = fmean(self._done.get(name, 0.0) for name in names)
        if self._when:
            reached = [
                begin + shares[base] * (end - begin) for base, (begin, end) in self._when.items() if shares.get(base)
            ]
            return max(reached, default=0.0)
        work = {base: _cost(base, self.video_s) * (1 if base in ONCE else len(self.languages)) for base in shares}
        return sum(work[base] * share for base, share in shares.items()) / (sum(work.values()) or 1.0)


def _when(runs: Iterable[PastRun]) -> dict[str, tuple[float, float]]:
    """Stage without language -> the shares of a run's time at which it usually begins and ends."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for run in runs:
        for name, (begin, end) in run.spans.items():
            if base := _base(name):
                found[base].append((begin / run.seconds, end / run.seconds))
    return {base: (median(b for b, _ in spans), median(e for _, e in spans)) for base, spans in found.items()}


def _base(name: str) -> str | None:
    """The stage without its language; None for one that is not in the table."""
    return next((stage for stage in COST if name.removeprefix(stage).removeprefix("-") in ("", *LANGUAGES)), None)


def _work_s(video_s: float, languages: int) -> float:
    """What all stages of a run take together, by the table."""
    return sum(_cost(base, video_s) * (1 if base in ONCE else languages) for base in COST)


def _cost(base: str, video_s: float) -> float:
    fixed, per_second = COST[base]
    return fixed + per_second * video_s
