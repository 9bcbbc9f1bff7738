"""How well the time that is left is told, in simulated runs: `python -m bench.eta` writes bench/results/eta.json.

Stages take what `dubline.estimate.COST` says, each times a random factor of its own that an estimate cannot know
(sigma 0.25, in logarithms), on a machine whose pace changes after a quarter of the work: as before, twice as fast,
three times slower. Some engines tell how far they are, some do not. `error` is what was said to be left over what
was, less one, a quarter, half and three quarters through the run; medians of its absolute value. `jump` is the
largest growth of what is left within a second while the pace was steady, over the whole. `before` is what was
measured with the estimate that followed a run's place in past runs.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from dubline import estimate
from dubline.domain.past_run import PastRun
from dubline.estimate import AFTER, COST
from dubline.stages import ONCE
from dubline.telemetry.progress import StageProgress, VideoLength

RESULTS = Path(__file__).parent / "results" / "eta.json"
TELLING = ("transcribe", "diarize", "separate", "synthesize", "mix", "mux")
PACES = {"as before": 1.0, "twice as fast": 0.5, "three times slower": 3.0}
PLACES = (0.25, 0.5, 0.75)
RUNS, STEPS, LOADING_S = 40, 30, 3.0
Estimator = Callable[..., Any]


def main() -> None:
    found = measured(estimate.Estimate, estimate)
    before = json.loads(RESULTS.read_text(encoding="utf-8"))["before"] if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps({"before": before, "now": found}, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


def measured(estimator: Estimator, module: Any) -> dict[str, Any]:
    rows = {}
    for past in (0, 5):
        for telling in (True, False):
            for name, pace in PACES.items():
                rng = random.Random(7)  # noqa: S311 - a simulation
                runs = [simulated(estimator, module, rng, past, telling, pace) for _ in range(RUNS)]
                key = f"{past} past runs, progress {'told' if telling else 'not told'}, {name} after a quarter"
                rows[key] = {
                    **{f"error at {at:.0%}": round(median(abs(run[at]) for run in runs), 3) for at in PLACES},
                    "jump": round(max(run["jump"] for run in runs), 3),
                }
    return rows


def simulated(estimator: Estimator, module: Any, rng: random.Random, past: int, telling: bool, pace: float) -> Any:
    video_s, slower = rng.uniform(30, 600), rng.uniform(0.7, 1.5)
    languages = ("es",) if rng.random() < 0.7 else ("es", "fr")
    known = [past_run(rng, rng.uniform(30, 600), languages, slower) for _ in range(past)]
    work = works(rng, video_s, languages, slower)
    middle = max(end for _, end in scheduled(work, lambda _: 1.0).values()) / 4
    spans = scheduled(work, lambda second: 1.0 if second < middle else pace)
    whole = max(end for _, end in spans.values())
    clock = _Clock()
    kept, module.time = module.time, clock
    try:
        return followed(estimator(60.0, languages, known, started=0.0), clock, spans, telling, video_s, whole, middle)
    finally:
        module.time = kept


class _Clock:
    second = 0.0

    def monotonic(self) -> float:
        return self.second


def followed(
    made: Any, clock: _Clock, spans: dict[str, tuple[float, float]], telling: bool, video_s: float, whole: float,
    middle: float,
) -> dict[Any, float]:  # fmt: skip
    events = sorted(told(spans, telling, video_s), key=lambda one: one[0])
    found: dict[Any, float] = {"jump": 0.0}
    second, before = 0.0, None
    while second < whole:
        while events and events[0][0] <= second:
            clock.second, event = events.pop(0)
            made.observe(event)
        clock.second = second
        left = made.remaining_s
        for place in PLACES:
            if place not in found and second >= place * whole:
                found[place] = left / (whole - second) - 1
        if getattr(made, "known", True):
            steady = second < middle or second > middle + 0.25 * (whole - middle)
            if before is not None and steady:
                found["jump"] = max(found["jump"], (left - before) / whole)
            before = left
        second += 1.0
    return found


def told(spans: dict[str, tuple[float, float]], telling: bool, video_s: float) -> Iterator[tuple[float, Any]]:
    for name, (begin, end) in spans.items():
        yield begin, StageProgress(name, "running", 0.0)
        if telling and name.removesuffix("-es").removesuffix("-fr") in TELLING:
            loaded = begin + min(LOADING_S, 0.5 * (end - begin))
            for step in range(1, STEPS):
                share = step / STEPS
                yield loaded + (end - loaded) * share, StageProgress(name, "running", share)
        yield end, StageProgress(name, "done", 1.0)
        if name == "ingest":
            yield end + 1e-6, VideoLength(video_s)


def past_run(rng: random.Random, video_s: float, languages: tuple[str, ...], slower: float) -> PastRun:
    spans = scheduled(works(rng, video_s, languages, slower), lambda _: 1.0)
    return PastRun(video_s, len(languages), max(end for _, end in spans.values()) + 0.5, spans)


def works(rng: random.Random, video_s: float, languages: tuple[str, ...], slower: float) -> dict[str, float]:
    found = {}
    for base in AFTER:
        fixed, each = COST[base]
        for name in [base] if base in ONCE else [f"{base}-{language}" for language in languages]:
            crowd = 1.0 if base in ONCE else 1 + 0.8 * (len(languages) - 1)
            found[name] = (fixed + each * video_s) * slower * crowd * rng.lognormvariate(0, 0.25)
    return found


def scheduled(work: dict[str, float], pace: Callable[[float], float]) -> dict[str, tuple[float, float]]:
    """When each stage begins and ends, where the pace says how many seconds one of work takes at a time."""
    spans: dict[str, tuple[float, float]] = {}
    for name, seconds in work.items():
        base = next(base for base in AFTER if name == base or name.rpartition("-")[0] == base)
        suffix = name.removeprefix(base)
        before = [end for other, (_, end) in spans.items() if _waits(base, suffix, other)]
        begin = second = max(before, default=0.0) + 0.1
        while seconds > 1e-9:
            step = min(seconds * pace(second), 0.25)
            seconds -= step / pace(second)
            second += step
        spans[name] = begin, second
    return spans


def _waits(base: str, suffix: str, other: str) -> bool:
    own = other if other in AFTER else other.rpartition("-")[0]
    return own in AFTER[base] and (not suffix or own in ONCE or other.endswith(suffix))


if __name__ == "__main__":
    main()
