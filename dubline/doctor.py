"""What this machine has and what it lacks, each with the command that mends it."""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any

from dubline import machine, profiles, proxies, server
from dubline.domain.errors import ModelMissing, ServiceUnavailable
from dubline.engines.models import ModelStore
from dubline.engines.registry import entry, models_of
from dubline.media import sandbox, virus_scan
from dubline.settings import settings

PROGRAMS = {
    "ffmpeg": "apt-get install ffmpeg",
    "ffprobe": "apt-get install ffmpeg",
    "setpriv": "apt-get install util-linux",
    "prlimit": "apt-get install util-linux",
    "apertium": "apt-get install apertium apertium-eng-spa apertium-fr-es apertium-es-pt apertium-spa-ita",
    "cg-proc": "apt-get install cg3",
}
_LOW_DISK = 5 * 10**9


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `required` things must be there for the offline profile to work."""

    what: str
    ok: bool
    detail: str
    remedy: str = ""
    required: bool = True

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        mark = "ok  " if self.ok else "MISS" if self.required else "-   "
        remedy = "" if self.ok or not self.remedy else f"  ->  {self.remedy}"
        return f"{mark}  {self.what:<28} {self.detail}{remedy}"


def examine() -> tuple[Finding, ...]:
    """Programs, their sandbox, Python packages, models of each profile, the server, and room on the disk."""
    programs = (_program(name, remedy) for name, remedy in PROGRAMS.items())
    return (*programs, _sandbox(), *_packages(), *_models(), at_once(), *_proxy(), _server(), *_clamd(), _disk())


def model_lines() -> list[dict[str, str]]:
    """A row for each model: name, state, size, licence, source."""
    store = ModelStore(settings().models)
    rows = []
    for name in store.names():
        model = store.describe(name)
        size = f"{'about ' if model.size_is_rough else ''}{model.size / 1e6:,.0f} MB"
        licence = f"{model.licence} ({model.licence_note})" if model.licence_note else model.licence
        rows.append(
            {
                "model": name,
                "state": model.state.status,
                "size": size,
                "licence": licence,
                "source": ", ".join(model.sources),
            }
        )
    return rows


def _program(name: str, remedy: str) -> Finding:
    path = shutil.which(name)
    return Finding(name, path is not None, path or "not on PATH", remedy)


def _sandbox() -> Finding:
    """Without it ffmpeg would open a person's file with the network at hand."""
    if settings().sandbox == "off":
        return Finding(
            "sandbox", False, "DUBLINE_SANDBOX=off: ffmpeg can reach the network", "unset it", required=False
        )
    try:
        sandbox.trial()
    except ModelMissing as error:
        return Finding("sandbox", False, str(error))
    return Finding("sandbox", True, "ffmpeg runs without network, with bounded memory and files")


def _packages() -> list[Finding]:
    names = {
        package for name in profiles.names() for spec in profiles.load(name).engines for package in entry(spec).packages
    }
    findings = []
    for name in sorted(names | {"prefect", "great-expectations"}):
        try:
            findings.append(Finding(name, True, metadata.version(name)))
        except metadata.PackageNotFoundError:
            findings.append(Finding(name, False, "not installed", "scripts/setup"))
    return findings


def _models() -> list[Finding]:
    store = ModelStore(settings().models)
    findings = []
    for profile in profiles.names():
        for model in dict.fromkeys(m for spec in profiles.load(profile).engines for m in models_of(spec)):
            state = store.state(model)
            ok = state.status == "present"
            remedy = f"dubline models pull {model}"
            findings.append(Finding(f"{profile}: {model}", ok, state.status, remedy, required=profile == "offline"))
    return findings


def at_once() -> Finding:
    """How many videos `dubline serve` works on at once, with how many cores each, and what that follows from."""
    known = settings()
    each = known.threads if os.environ.get("DUBLINE_THREADS") else machine.share(known.threads, known.runs_at_once)
    has = f"{machine.cores()} cores and {machine.memory() / 1e9:.0f} GB of memory"
    others = "DUBLINE_RUNS_AT_ONCE and DUBLINE_THREADS change it"
    return Finding("videos at once", True, f"{known.runs_at_once}, each on {each} of {has}; {others}", required=False)


def _proxy() -> list[Finding]:
    """Where one is named: what goes through it, and what does not."""
    named = ", ".join(f"{name}={proxies.shown(value)}" for name, value in sorted(proxies.named().items()))
    spared = os.environ.get("no_proxy", "")
    return [Finding("proxy", True, f"{named}; not for {spared}", required=False)] if named else []


def _server() -> Finding:
    named = os.environ.get("PREFECT_API_URL")
    if named:
        answers = server.healthy(named)
        detail = named if answers else f"{named} does not answer"
        return Finding("Prefect server", answers, detail, "start it, or correct PREFECT_API_URL")
    running = server.running()
    detail = running.url if running else "not running; the first `dubline translate` starts it"
    return Finding("Prefect server", running is not None, detail, "dubline up", required=False)


def _clamd() -> list[Finding]:
    """Only where it is to be asked: then no video is opened without it."""
    if not settings().clamd:
        return []
    try:
        return [Finding("clamd", True, f"{virus_scan.version()} at {settings().clamd}")]
    except ServiceUnavailable as error:
        return [Finding("clamd", False, str(error), "start clamd or correct DUBLINE_CLAMD")]


def _disk() -> Finding:
    place = next(path for path in (settings().home, *settings().home.parents) if path.exists())
    free = shutil.disk_usage(place).free
    return Finding("free disk", free > _LOW_DISK, f"{free / 1e9:.0f} GB at {place}", "make room or set DUBLINE_HOME")
