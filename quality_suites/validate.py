"""Check frames against a suite with Great Expectations. Slow to import: `host` runs this in a process of its own."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from dubline.domain.errors import EngineFailed, InvalidRequest
from dubline.storage.results import Finding, Verdict
from quality_suites.catalogue import suite as suite_named
from quality_suites.rules import LINES, WHOLE, Cell, Frames, Row, Rule, Suite

_GX_SEVERITY = {"critical": "critical", "review": "warning"}
_NAMED = 3
"""How many further subjects a message spells out; the finding has them all."""


def warm_up() -> None:
    """Import Great Expectations and pandas, about 8 s."""
    _great_expectations()


def validate(suite_name: str, frames: Frames) -> Verdict:
    """Check every rule of the suite.

    Raises InvalidRequest when the frames are not of the suite's shape, and EngineFailed when a rule cannot be checked.
    """
    suite = suite_named(suite_name)
    _require_shape(suite, frames)
    findings = [finding for frame in suite.frames for finding in _findings(suite, frame, frames)]
    return Verdict(suite=suite.name, rules=len(suite.rules), findings=tuple(findings))


def _require_shape(suite: Suite, frames: Frames) -> None:
    """A missing column or a NaN would count as "does not apply" and pass in silence."""
    if set(frames) != set(suite.frames) or not frames[WHOLE]:
        raise InvalidRequest(f"Suite '{suite.name}' needs the frames {', '.join(suite.frames)}, '{WHOLE}' not empty.")
    for frame in suite.frames:
        for row in frames[frame]:
            for column in _columns(suite, frame):
                if column not in row or _is_nan(row[column]):
                    raise InvalidRequest(f"Suite '{suite.name}' needs column '{column}' in each row of '{frame}'.")


def _is_nan(cell: Cell) -> bool:
    return isinstance(cell, float) and math.isnan(cell)


def _columns(suite: Suite, frame: str) -> tuple[str, ...]:
    wanted = [rule.column for rule in suite.rules_of(frame) if rule.column]
    return tuple(dict.fromkeys(wanted if frame == WHOLE else ["subject", *wanted]))


def _findings(suite: Suite, frame: str, frames: Frames) -> Iterator[Finding]:
    rules = suite.rules_of(frame)
    results = _run(rules, _columns(suite, frame), frames[frame], frames[WHOLE][0])
    for rule in rules:
        result = results[rule.name]
        if result.exception_info.get("raised_exception"):
            reason = result.exception_info.get("exception_message")
            raise EngineFailed(f"Rule '{rule.name}' of suite '{suite.name}' could not be checked: {reason}.")
        if not result.success:
            yield _finding(suite, rule, result.result, frames)


def _run(rules: Sequence[Rule], columns: Sequence[str], rows: list[Row], whole: Row) -> dict[str, Any]:
    """Results by rule. One context for each call: threads that share one get each other's answers."""
    gx, pd = _great_expectations()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    # The type is given because an empty table has none to infer, and a column of None and numbers would become floats.
    table = pd.DataFrame(
        [[*(row[c] for c in columns), at] for at, row in enumerate(rows)], columns=[*columns, "at"], dtype=object
    )
    asset = context.data_sources.add_pandas("pandas").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch(batch_parameters={"dataframe": table})
    suite = gx.ExpectationSuite(name="rules", expectations=[_expectation(gx, rule) for rule in rules])
    outcome = batch.validate(
        suite,
        result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["at"]},
        expectation_parameters={name: cell for name, cell in whole.items() if cell is not None},
    )
    return {result.expectation_config.meta["rule"]: result for result in outcome.results}


def _expectation(gx: ModuleType, rule: Rule) -> object:
    kind = getattr(gx.expectations, rule.expectation)
    column = {"column": rule.column} if rule.column else {}
    return kind(**column, **rule.arguments, severity=_GX_SEVERITY[rule.severity], meta={"rule": rule.name})


def _finding(suite: Suite, rule: Rule, result: Mapping[str, Any], frames: Frames) -> Finding:
    rows = frames[rule.frame]
    if rule.column is None:
        broken = [frames[WHOLE][0] | {"observed": result["observed_value"]}]
    else:
        broken = [rows[case["at"]] for case in result["unexpected_index_list"]]
    subjects = tuple(dict.fromkeys(str(row["subject"]) for row in broken if "subject" in row))
    return Finding(
        suite=suite.name,
        rule=rule.name,
        severity=rule.severity,
        subjects=subjects,
        message=f"{rule.message.format_map(broken[0])}{_others(rule, subjects[1:])} (rule {rule.name})",
    )


def _others(rule: Rule, subjects: Sequence[str]) -> str:
    if not subjects:
        return ""
    named = ", ".join(subjects[:_NAMED])
    more = f" and {len(subjects) - _NAMED} more" if len(subjects) > _NAMED else ""
    return f"; so do {'segments' if rule.frame == LINES else rule.frame} {named}{more}"


def _great_expectations() -> tuple[ModuleType, ModuleType]:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when it is imported
    import great_expectations
    import great_expectations.expectations
    import pandas

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    return great_expectations, pandas
