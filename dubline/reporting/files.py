"""Write a report where people and programs look for it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from dubline.domain.errors import OutputUnavailable
from dubline.reporting.model import RunReport
from dubline.reporting.page import render_html


def write_json(report: RunReport, path: Path) -> None:
    """The report for programs. Raises OutputUnavailable; no half-written file is ever seen under `path`."""
    _write(report.model_dump_json(indent=2) + "\n", path)


def write_html(report: RunReport, path: Path) -> None:
    """The report for people. Raises OutputUnavailable; no half-written file is ever seen under `path`."""
    _write(render_html(report), path)


def _write(text: str, path: Path) -> None:
    unfinished: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=".report-", dir=path.parent)
        unfinished = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        unfinished.chmod(0o644)
        unfinished.replace(path)
    except OSError as problem:
        if unfinished is not None:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
        reason = problem.strerror or str(problem)
        raise OutputUnavailable(
            f"The report cannot be written to '{path}' ({reason}); choose another folder."
        ) from None
