"""What a run's ledger tells of it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dubline.stages import STAGES

RACE_S = 10.0
"""Between one run's record of a stage and another's beginning it, where that one had looked for the record before."""


@dataclass(frozen=True)
class Ledger:
    events: tuple[dict[str, Any], ...]

    @classmethod
    def read(cls, path: Path) -> Ledger:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return cls(tuple(map(json.loads, lines)))

    def of(self, *events: str) -> Iterator[dict[str, Any]]:
        return (event for event in self.events if event["event"] in events)

    def engine_calls(self) -> Counter[str]:
        """How often each engine was called for each of its subjects."""
        return Counter(f"{call['capability']} {' '.join(call['subjects'])}" for call in self.of("engine"))

    def several_outputs(self) -> Iterator[str]:
        """Checkpoints that were not always recorded with the same content."""
        outputs = defaultdict(set)
        for event in self.of("recording", "committed"):
            outputs[event["key"]].add(event["output"])
        return (key for key, found in outputs.items() if len(found) > 1)

    def computed_again(self, raced: bool = False) -> Iterator[str]:
        """Stages that began, and checkpoints that were recorded, once more after they had been recorded.

        With `raced`, two processes may have been at one stage: the later one may record what it began before, and two
        runs may do the same within RACE_S.
        """
        began: dict[tuple[int, str], int] = {}
        committed: dict[str, tuple[int, str | None, float]] = {}
        for number, event in enumerate(self.of("begun", "committed")):
            key = event["key"]
            first, by, at = committed.get(key, (number, None, event["at"]))
            others = raced and event["run"] != by and event["at"] - at < RACE_S
            if event["event"] == "begun":
                began[event["pid"], key] = number
                if key in committed and not others:
                    yield f"{event['stage']} began again, though recorded: {key}"
            elif key not in committed:
                committed[key] = number, event["run"], event["at"]
            elif not others and not (raced and began.get((event["pid"], key), 0) < first):
                yield f"recorded twice: {key}"

    def times_done(self) -> Counter[str]:
        """How many different results of each stage there are, without its language.

        A process may die between a record and its line, or when a stage that has no checkpoint has done all.
        """
        keys = {event["key"] for event in self.of("recording", "committed")}
        done = Counter(key.partition("/")[0] for key in keys)
        done.update(event["stage"] for event in self.of("begun") if event["key"] is None)
        return Counter({stage: times for stage, times in done.items() if stage in STAGES})
