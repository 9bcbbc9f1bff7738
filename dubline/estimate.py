"""How long a run will take: a share for each stage, from figures measured on two cores, corrected as stages finish."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from dubline.stages import ONCE
from dubline.telemetry.progress import StageProgress

# Seconds a stage takes on two cores with the offline profile: a fixed part (imports, loading) and a part for each
# second of video. They only weigh the stages against each other; the run's own speed scales them.
COST: dict[str, tuple[float, float]] = {
    "ingest": (0.3, 0.002),
    "extract-audio": (0.3, 0.005),
    "transcribe": (3.0, 0.12),
    "diarize": (16.0, 0.1),
    "separate": (1.0, 0.05),
    "attribute": (0.1, 0.0),
    "translate": (0.3, 0.002),
    "plan-speech": (0.1, 0.0),
    "synthesize": (1.5, 0.4),
    "retake": (0.3, 0.06),
    "place": (0.1, 0.0),
    "mix": (0.3, 0.02),
    "subtitle-source": (0.1, 0.0),
    "subtitle": (0.1, 0.0),
    "mux": (0.4, 0.01),
    "publish": (0.5, 0.01),
}


@dataclass
class Estimate:
    """Follows a run's progress. `remaining_s` and `fraction` may be asked at any time."""

    video_s: float
    languages: tuple[str, ...]
    started: float = field(default_factory=time.monotonic)
    done: dict[str, float] = field(default_factory=dict)
    """Stage -> finished share."""

    def __post_init__(self) -> None:
        self.resize(self.video_s)

    def resize(self, video_s: float) -> None:
        """Weigh the stages for a video of this length."""
        each = [name for name in COST if name not in ONCE]
        once = [name for name in COST if name in ONCE]
        names = [*once, *(f"{name}-{language}" for language in self.languages for name in each)]
        self.cost = {name: _cost(name, video_s) for name in names}

    def observe(self, event: StageProgress) -> None:
        if event.stage in self.cost:
            self.done[event.stage] = 1.0 if event.state in ("done", "cached") else event.fraction

    @property
    def fraction(self) -> float:
        """Finished share of the whole run, 0..1."""
        finished = sum(cost * self.done.get(name, 0.0) for name, cost in self.cost.items())
        return finished / sum(self.cost.values())

    @property
    def remaining_s(self) -> float:
        """Seconds left, at the speed seen so far; the table's own figures until a tenth is done."""
        left = sum(cost * (1 - self.done.get(name, 0.0)) for name, cost in self.cost.items())
        if self.fraction < 0.1:
            return left
        elapsed = time.monotonic() - self.started
        return elapsed * (1 - self.fraction) / self.fraction


def _cost(name: str, video_s: float) -> float:
    base = next(stage for stage in sorted(COST, key=len, reverse=True) if name.startswith(stage))
    fixed, per_second = COST[base]
    return fixed + per_second * video_s
