"""What must hold once everything has ended, whatever happened meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from dubline import publication
from dubline.publication import MANIFEST
from dubline.storage.artifacts import sha256_of
from tests.faults import strikes
from tests.faults.ledger import Ledger
from tests.files import files_below

TERMINAL = {"COMPLETED", "FAILED", "CANCELLED", "CRASHED"}
ENDS = TERMINAL - {"CRASHED"}
"""In which a run may be left: one that crashed is resumed or quarantined."""
RESUMED = {"FAILED", "CRASHED"}
"""From which a person's Retry, or whoever looks after lost runs, may start a run again."""


@dataclass(frozen=True)
class Aftermath:
    """All that is left."""

    ledger: Ledger
    outs: Sequence[Path]
    """A folder of results for each video, each of another content."""
    undisturbed: Mapping[str, Mapping[str, str]]
    """sha256 by file name of what a calm run publishes, by the folder's name."""
    histories: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """Every state that each run was in, as the Prefect server tells them."""
    inferences: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """The same of the runs that these had for their inference, lost ones among them."""
    unknown: Collection[str] = ()
    """Runs of these videos beside those of `histories`."""
    unwanted: Collection[Path] = ()
    """Folders in which only runs that were cancelled or deleted were to put results."""
    deleted: Mapping[str, float] = field(default_factory=dict)
    """When (epoch, s) each run was deleted."""
    stages: Collection[str] = strikes.PLAIN
    """Without languages, what each of the videos needed."""
    raced: bool = False
    """Whether two processes were at the same stage, as a frozen one and the one that took its place. Both may say that
    they completed the run."""
    processes: Sequence[str] = ()
    uploads: Sequence[str] = ()
    temporary: Sequence[Path] = ()


def violations(left: Aftermath) -> list[str]:
    """What does not hold, in words; nothing where all does."""
    return [
        *(f"recorded with different contents: {key}" for key in left.ledger.several_outputs()),
        *left.ledger.computed_again(left.raced),
        *_never_done(left),
        *(f"{run} is one run more than was asked for" for run in left.unknown),
        *(f"{run} {fault}" for run, states in left.histories.items() for fault in _unended(states, left.raced)),
        *_too_late(left),
        *(f"nobody wanted that any more: {path}" for out in left.unwanted for path in files_below(out)),
        *(f"{out.name}: {fault}" for out in left.outs for fault in _unlike(out, left.undisturbed[out.name])),
        *(f"a process is left: {one}" for one in left.processes),
        *(f"an upload is left: {one}" for one in left.uploads),
        *(f"a temporary file is left: {one}" for one in left.temporary),
    ]


def _never_done(left: Aftermath) -> Iterator[str]:
    """A ledger that tells of nothing proves nothing."""
    done = left.ledger.times_done()
    for stage in left.stages:
        if done[stage] < len(left.outs):
            yield f"{stage} was done {done[stage]} times for {len(left.outs)} videos"


def _unended(states: Sequence[Mapping[str, Any]], raced: bool) -> Iterator[str]:
    """What is wrong with a run's history: it ends once, or was started again by those who may."""
    for before, after in pairwise(states):
        types = before["type"], after["type"]
        taken_up = before["type"] in RESUMED and after["type"] == "SCHEDULED"
        # The worker of a cancelled run may first see that its process ended badly.
        told_again = types in (("CRASHED", "CRASHED"), ("CRASHED", "CANCELLED")) or (
            before["type"] == "CRASHED" and after["name"] == "Quarantined"
        )
        both_completed = raced and types == ("COMPLETED", "COMPLETED")
        if before["type"] in TERMINAL and not (taken_up or told_again or both_completed):
            yield f"was {before['name']} and then {after['name']}"
    if not states or states[-1]["type"] not in ENDS:
        yield f"never ended: {[state['name'] for state in states]}"


def _too_late(left: Aftermath) -> Iterator[str]:
    """What runs did that nobody wanted any more."""
    ended = dict(left.deleted)
    for run, states in (*left.histories.items(), *left.inferences.items()):
        if states and states[-1]["type"] == "CANCELLED":
            ended[run] = datetime.fromisoformat(states[-1]["timestamp"]).timestamp()
    for event in left.ledger.events:
        if event["run"] in ended and event["at"] > ended[event["run"]]:
            yield f"{event['run']} went on after its end: {event}"


def _unlike(out: Path, calm: Mapping[str, str]) -> Iterator[str]:
    """How a folder of results differs from its manifest, and that from an undisturbed run's."""
    manifest = publication.read(out)
    if manifest is None:
        yield "there is no manifest"
        return
    named = {file.path: file for file in manifest.files}
    there = {path.relative_to(out).as_posix(): sha256_of(path) for path in out.rglob("*") if path.is_file()}
    for name in sorted(there.keys() - named.keys() - {MANIFEST}):
        yield f"a file that no manifest names: {name}"
    for name, file in named.items():
        if there.get(name) != file.sha256:
            yield f"not what the manifest says: {name}"
    found = {name: there.get(name) for name, file in named.items() if not file.role.startswith("report")}
    for name in sorted(found.keys() | calm.keys()):
        if found.get(name) != calm.get(name):
            yield f"not what an undisturbed run publishes: {name}"
