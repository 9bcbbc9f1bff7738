"""What a quality suite is: plain data about the rules between two stages, and the function that derives their columns.

Nothing here imports Great Expectations, so that a suite's digest (a part of every gate's checkpoint key) costs nothing.
A rule names a core expectation over one derived column. A cell that is None means "does not apply here" and passes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

Severity = Literal["critical", "review"]
"""`critical`: the structure is wrong and the run must stop. `review`: a person should look at the line."""

Cell = str | int | float | bool | None
Row = dict[str, Cell]
Frames = dict[str, list[Row]]
"""Rows by frame. WHOLE has exactly one row; the rows of other frames have a `subject`: a segment's id, or a cue's."""

WHOLE, LINES, CUES = "whole", "lines", "cues"

BETWEEN = "ExpectColumnValuesToBeBetween"
IN_SET = "ExpectColumnValuesToBeInSet"
UNIQUE = "ExpectColumnValuesToBeUnique"
ROW_COUNT = "ExpectTableRowCountToEqual"


@dataclass(frozen=True, slots=True)
class Rule:
    """One expectation. `message` is a template over the columns of the row that broke it."""

    name: str
    """Kebab-case, unique in its suite."""
    frame: str
    column: str | None
    """None for a rule about the table itself."""
    expectation: str
    """Name of a class of `great_expectations.expectations`."""
    arguments: Mapping[str, object]
    severity: Severity
    message: str
    source: str
    """Where the threshold comes from."""


@dataclass(frozen=True, slots=True)
class Suite:
    """The rules at one stage boundary and `rows`, which turns domain values into frames for them."""

    name: str
    version: int
    """Raised when `rows` begins to derive a column differently."""
    rules: tuple[Rule, ...]
    rows: Callable[..., Frames]
    remedy: str
    """What a person can do about a critical finding."""

    @property
    def frames(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(rule.frame for rule in self.rules))

    def rules_of(self, frame: str) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.frame == frame)

    def digest(self) -> str:
        """Hex digest of everything that decides a verdict, beside the rows. Wording is no part of it."""
        judged = [
            [rule.name, rule.frame, rule.column, rule.expectation, dict(rule.arguments), rule.severity]
            for rule in self.rules
        ]
        payload = json.dumps([self.name, self.version, judged], sort_keys=True)
        return hashlib.sha256(payload.encode()).hexdigest()


def bounded(
    name: str,
    frame: str,
    column: str,
    severity: Severity,
    message: str,
    source: str,
    *,
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
) -> Rule:
    """A number that is at least `least` (or greater than `above`) and at most `most`."""
    limits = {
        "min_value": least if above is None else above,
        "max_value": most,
        "strict_min": True if above is not None else None,
    }
    arguments = {key: value for key, value in limits.items() if value is not None}
    return Rule(name, frame, column, BETWEEN, arguments, severity, message, source)


def holds(name: str, frame: str, column: str, severity: Severity, message: str, source: str) -> Rule:
    """A truth value that must be true."""
    return Rule(name, frame, column, IN_SET, {"value_set": [True]}, severity, message, source)


def never(name: str, frame: str, column: str, severity: Severity, message: str, source: str) -> Rule:
    """A truth value that must be false."""
    return Rule(name, frame, column, IN_SET, {"value_set": [False]}, severity, message, source)


def one_whole() -> Rule:
    """WHOLE has one row: column rules pass on an empty table, so that alone would prove nothing."""
    message = "the facts about the whole came {observed} times"
    return Rule("whole-rows", WHOLE, None, ROW_COUNT, {"value": 1}, "critical", message, "by construction")


def all_rows(frame: str) -> Rule:
    """The frame has as many rows as WHOLE says in its column named after the frame."""
    message = f"the gate saw {{observed}} {frame} instead of {{{frame}}}"
    arguments = {"value": {"$PARAMETER": frame}}
    return Rule(f"{frame}-rows", frame, None, ROW_COUNT, arguments, "critical", message, "by construction")
