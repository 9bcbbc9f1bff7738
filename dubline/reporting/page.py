"""The report as one HTML page that needs no other host and works from a disk."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from statistics import median
from urllib.parse import quote

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from dubline.domain.languages import LANGUAGES
from dubline.domain.timeline import EARLY_MS, LATE_MS
from dubline.reporting.chart import Chart, chart
from dubline.reporting.model import Dub, LineReport, RunReport

FLAG_MEANINGS = {
    "kept-original": "The line could not be spoken, has no room, or is meant to stay: the original voice is heard.",
    "late": "Starts noticeably after the original.",
    "early": "Starts noticeably before the original.",
    "part-silent": "The translation has fewer words than the original has phrases: during some the dub is silent.",
}


@dataclass(frozen=True, slots=True)
class _Tile:
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class _Section:
    """What the page shows of one dub, beside the dub itself."""

    dub: Dub
    chart: Chart
    tiles: tuple[_Tile, ...]
    numbers: dict[str, int]
    """Number of each line by the id of its segment."""


def render_html(report: RunReport) -> str:
    """The page. Every text of the report is escaped, every file name is quoted as a relative URL."""
    script = _resource("report.js")
    return _template().render(
        report=report,
        sections=[_section(dub, report.source.duration_ms) for dub in report.dubs],
        slowest=max((stage.seconds for stage in report.stages), default=0) or 1,
        total=sum(stage.seconds for stage in report.stages),
        style=Markup(_resource("report.css")),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _section(dub: Dub, duration_ms: int) -> _Section:
    numbers = {line.segment: number for number, line in enumerate(dub.lines, 1)}
    return _Section(dub, chart(dub.lines, duration_ms), _tiles(dub), numbers)


def _tiles(dub: Dub) -> tuple[_Tile, ...]:
    spoken = [line for line in dub.lines if "kept-original" not in line.flags]
    if not spoken:
        return (_Tile("0", "lines spoken"),)
    return (
        _Tile(f"{len(spoken)} of {len(dub.lines)}", "lines spoken"),
        _Tile(_share(spoken), "onsets on time"),
        _Tile(f"{median(phrase.rate for line in spoken for phrase in line.phrases):.2f}×", "median rate"),
        _Tile(str(_to_review(dub)), "lines to review"),
    )


def _share(lines: Sequence[LineReport]) -> str:
    lags = [p.placed_start_ms - p.start_ms for line in lines for p in line.phrases]
    return f"{100 * sum(-EARLY_MS <= lag <= LATE_MS for lag in lags) // len(lags)}%"


def _to_review(dub: Dub) -> int:
    found = {subject for finding in dub.findings for subject in finding.subjects}
    return sum(bool(line.flags) or line.segment in {_line_of(subject) for subject in found} for line in dub.lines)


def _line_of(subject: str) -> str:
    """A finding's subject is a line, or a phrase: the line's id, a dot and a number."""
    return subject.partition(".")[0]


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "clock": clock,
        "language": _language,
        "line": _line_of,
        "lag": lambda ms: f"{ms:+d} ms" if ms else "0 ms",
        "moment": _moment,
        "meaning": lambda flag: FLAG_MEANINGS.get(flag, ""),
        "seconds": lambda ms: f"{ms / 1000:.3f}",
        "took": _took,
        "url": relative_url,
    }
    return environment.from_string(_resource("report.html.j2"))


def _resource(name: str) -> str:
    return files("dubline.reporting").joinpath(name).read_text(encoding="utf-8")


def clock(instant_ms: int, decimals: int = 1) -> str:
    """83,450 ms as 1:23.4, hours only where there are any; cut, not rounded, so that it never shows 60 seconds."""
    minutes, ms = divmod(instant_ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{ms // 1000:02}" + (f".{ms % 1000:03}"[: decimals + 1] if decimals else "")
    return f"{hours}:{minutes:02}:{seconds}" if hours else f"{minutes}:{seconds}"


def relative_url(name: str) -> str:
    """A file beside the report as a URL: also for names with spaces, quotes, colons and letters of any script."""
    return quote(name, safe="/")


def _language(code: str) -> str:
    known = LANGUAGES.get(code)
    return known.name if known else code


def _moment(instant: datetime) -> str:
    """In UTC; a time without a zone is taken to be in it."""
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return aware.astimezone(UTC).strftime("%d %B %Y, %H:%M UTC").lstrip("0")


def _took(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.2f} s"
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} min"
