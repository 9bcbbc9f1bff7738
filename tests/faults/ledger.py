"""What must be true of any run's ledger, whatever happened to it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Ledger:
    events: tuple[dict[str, Any], ...]

    @classmethod
    def read(cls, path: Path) -> Ledger:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return cls(tuple(map(json.loads, lines)))

    def engine_calls(self) -> Counter[str]:
        """How often each engine was called for each of its subjects."""
        calls = (event for event in self.events if event["event"] == "engine")
        return Counter(f"{call['capability']} {' '.join(call['subjects'])}" for call in calls)

    def computed_again(self) -> list[str]:
        """Stages that began once more after their checkpoint had been recorded."""
        committed: set[str] = set()
        again = []
        for event in self.events:
            key = event.get("key")
            if event["event"] == "committed":
                committed.add(key)
            elif event["event"] == "begun" and key in committed:
                again.append(f"{event['stage']} {key}")
        return again
