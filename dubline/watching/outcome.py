"""Put outcomes where the user looks: `done/clip/` beside `done/clip.mp4`, `failed/clip.mp4` beside its reason.

Each step can be done again by anybody after the one before was killed: where things go is in the ledger's row.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from pydantic import BaseModel, ValidationError

from dubline.domain.errors import InvalidRequest
from dubline.domain.file_names import folders_of, numbered
from dubline.media.inputs import printable
from dubline.publication import MANIFEST, Manifest
from dubline.watching.folder import (
    DONE,
    FAILED,
    NOTE,
    PARTIAL,
    REASON,
    SIDECAR,
    WORK,
    Folder,
    beside,
    is_video,
)
from dubline.watching.ledger import Identity, Row, State

TAKEN = "taken.json"
_OUT = re.compile(rf"(.*)/{re.escape(WORK)}/([0-9a-f]{{12}}-[0-9a-f]{{20}}-[0-9]+)/out", re.DOTALL)
"""Address of an `outgoing`, with the name of `Identity.work`."""


def incoming(row: Row) -> str:
    """Where a run's video lies while it runs. Equal videos that come later join it."""
    return f"{WORK}/{row.work}/in"


def outgoing(row: Row) -> str:
    """Where the run puts its results."""
    return f"{WORK}/{row.work}/out"


def watched(out: str) -> tuple[str, str] | None:
    """The watched folder and the working folder's name, where a run is to put its results at an `outgoing`."""
    found = _OUT.fullmatch(out)
    return (found[1], found[2]) if found else None


def videos(folder: Folder, row: Row) -> list[str]:
    """The videos that wait for the row's outcome, the one it was taken in for first."""
    found = [name for name in folder.files(incoming(row)) if is_video(name)]
    return sorted(found, key=lambda name: (name != row.name, name))


def holds_video(folder: Folder, work: str) -> bool:
    return any(map(is_video, folder.files(f"{WORK}/{work}/in")))


def places(folder: Folder, row: Row) -> Iterator[str]:
    """Where the row's outcome may be put: names that nothing in the folder has."""
    path = PurePosixPath(row.name)
    if row.state is State.DONE:
        candidates = folders_of(f"{DONE}/{path}")
        return (c for c in candidates if not folder.exists(c) and not folder.exists(c + path.suffix))
    return (c for c in numbered(f"{FAILED}/{path}") if not folder.exists(c) and not folder.exists(beside(c, REASON)))


def put_done(folder: Folder, row: Row) -> bool:
    """Results to the row's place, its video beside them; equal videos beside a note that says where.

    Returns whether anything was left to do.
    """
    assert row.result  # noqa: S101 - `settle` notes it in the ledger before anything moves; this tells mypy
    fetch_sidecar(folder, row)
    take_back(folder, row)  # another scanner, which knew of a failure only, may have been quicker
    finished, waiting = folder.exists(outgoing(row)), videos(folder, row)
    if finished:
        # The run has ended, so what a killed worker left beside the results is nobody's, whichever machine it was.
        for left in (name for name in folder.folders(outgoing(row)) if name.startswith(".")):
            folder.remove(f"{outgoing(row)}/{left}")
        folder.move(outgoing(row), row.result)
    _name_source(folder, row)
    note = f"It has the content and the options of {printable(row.name)}: the results are in {row.result}.\n"
    for name in waiting:
        source, target = f"{incoming(row)}/{name}", row.result + PurePosixPath(name).suffix
        if folder.exists(target):
            _put_beside(folder, source, f"{DONE}/{name}", NOTE, lambda _: note)
        else:
            _bring(folder, source, target)
    clear(folder, row.work)
    return finished or bool(waiting)


def put_failed(folder: Folder, row: Row) -> bool:
    """The video and its reason to the row's place. A link stays where the run looks for it, for a retry.

    Returns whether anything was left to do.
    """
    assert row.result  # noqa: S101 - `settle` notes it in the ledger before anything moves; this tells mypy

    def reason(place: str) -> str:
        return _reason(folder, place, row.reason or "", row.run)

    fetch_sidecar(folder, row)
    waiting = videos(folder, row)
    for name in waiting:
        source = f"{incoming(row)}/{name}"
        wanted = f"{FAILED}/{name}" if folder.exists(row.result) else row.result
        if place := _put_beside(folder, source, wanted, REASON, reason):
            folder.link(source, place)
    retire(folder, row)
    if not _retriable(folder, row):
        clear(folder, row.work)
    return bool(waiting)


def retire(folder: Folder, row: Row) -> None:
    """Take away the reasons whose videos were taken out of failed/, and with the last of them the working folder: but
    not what a retry, of which nobody knows yet, may have left there."""
    if videos(folder, row):
        return  # somebody puts it away just now
    for name, place in folder.links(incoming(row)).items():
        if not folder.exists(place):
            folder.remove(beside(place, REASON))
            folder.remove(f"{incoming(row)}/{name}")
    if row.state is State.FAILED and row.result and not folder.exists(row.result):
        folder.remove(beside(row.result, REASON))
    if not _retriable(folder, row) and not folder.exists(outgoing(row)):
        clear(folder, row.work)


def unsettled(folder: Folder, row: Row) -> bool:
    """Whether a failed row's working folder holds anything but links that lead somewhere."""
    return bool(videos(folder, row)) or not _retriable(folder, row)


def gone(folder: Folder, row: Row) -> bool:
    """Whether what was put at a row's place was taken away since, and nothing more comes there."""
    coming = folder.exists(outgoing(row)) or videos(folder, row)
    return not coming and not (row.result and folder.exists(row.result))


def _retriable(folder: Folder, row: Row) -> dict[str, str]:
    """The failed videos that the row's run still finds: name in its working folder -> where they lie."""
    return {name: place for name, place in folder.links(incoming(row)).items() if folder.exists(place)}


def clear(folder: Folder, work: str) -> None:
    """Remove a working folder, but for a video that another scanner put there just now: a later look finds it."""
    inside = f"{WORK}/{work}/in"
    names = folder.files(inside)
    for name in names:
        if name.endswith(SIDECAR) and name.removesuffix(SIDECAR) not in names:
            folder.remove(f"{inside}/{name}")
    folder.remove(f"{WORK}/{work}/out")
    folder.remove(f"{WORK}/{work}/{TAKEN}")
    folder.remove_empty(f"{WORK}/{work}")


def take_back(folder: Folder, row: Row) -> None:
    """Fetch what `put_failed` put away: the failed run was retried and ended well. The video tells what is left to do,
    so it is the last."""
    for name, place in _retriable(folder, row).items():
        source = f"{incoming(row)}/{name}"
        _bring_sidecar(folder, place, source)
        folder.remove(beside(place, REASON))
        folder.move(place, source)
    if (
        row.state is State.FAILED and row.result and not folder.exists(row.result)
    ):  # its sidecar went there, and a kill kept the video
        _bring_sidecar(folder, row.result, f"{incoming(row)}/{row.name}")


class Taken(BaseModel):
    """What a working folder says of itself, should the ledger be lost or a scanner be killed."""

    identity: Identity
    attempt: int
    name: str
    coming: str
    """The video that was moved there last, or is just now."""
    sidecar: str | None
    """The stamp of its sidecar, which follows it."""


def note_taken(folder: Folder, row: Row, coming: str, sidecar: str | None) -> None:
    """Before a video is moved into the working folder."""
    taken = Taken(identity=row.identity, attempt=row.attempt, name=row.name, coming=coming, sidecar=sidecar)
    folder.write(f"{WORK}/{row.work}/{TAKEN}", taken.model_dump_json())


def taken(folder: Folder, work: str) -> Taken | None:
    """What was noted of a working folder, where that fits it."""
    try:
        found = Taken.model_validate_json(folder.read(f"{WORK}/{work}/{TAKEN}"))
    except (FileNotFoundError, ValidationError, InvalidRequest):
        return None
    ours = found.identity.folder == folder.key and found.identity.work(found.attempt) == work
    return found if ours else None


def fetch_sidecar(folder: Folder, row: Row) -> None:
    """The sidecar that a killed scanner left when it had moved the video: it is not for the next video of that name."""
    noted = taken(folder, row.work)
    if noted is None or noted.sidecar is None or folder.stamp(noted.coming + SIDECAR) != noted.sidecar:
        return
    if folder.stamp(noted.coming) is None and folder.stamp(f"{incoming(row)}/{noted.coming}") is not None:
        _bring_sidecar(folder, noted.coming, f"{incoming(row)}/{noted.coming}")


def carry_over(folder: Folder, row: Row, later: Row) -> None:
    """The videos of one attempt to the next."""
    note_taken(folder, later, later.name, None)
    for name in videos(folder, row):
        source = f"{incoming(row)}/{name}"
        if place := folder.move_aside(source, f"{incoming(later)}/{name}"):
            _bring_sidecar(folder, source, place)
    clear(folder, row.work)


def refuse(folder: Folder, name: str, stamp: str, why: str) -> None:
    """A file that cannot be taken in at all, to failed/ with its reason."""
    _put_beside(folder, name, f"{FAILED}/{name}", REASON, lambda place: _reason(folder, place, why, None), stamp)


def give_back(folder: Folder, work: str) -> None:
    """The videos of a working folder of which nothing is known, to where they were dropped."""
    inside = f"{WORK}/{work}/in"
    for name in folder.files(inside):
        if is_video(name) and (place := folder.move_aside(f"{inside}/{name}", name)):
            _bring_sidecar(folder, f"{inside}/{name}", place)
    clear(folder, work)


def tidy(folder: Folder, age_s: float) -> None:
    """Remove texts whose video was taken away, and those of which a killed process wrote a part. One that is younger
    than `age_s` may wait for its video still."""
    for place, ending in ((FAILED, REASON), (DONE, NOTE), (WORK, PARTIAL)):
        entries = folder.entries(place)
        needed = {beside(entry.name, ending) for entry in entries}
        for entry in entries:
            if entry.name.endswith(ending) and entry.name not in needed and time.time() - entry.changed > age_s:
                folder.remove(f"{place}/{entry.name}")


def _put_beside(
    folder: Folder, source: str, wanted: str, ending: str, text: Callable[[str], str], stamp: str | None = None
) -> str | None:
    """Move a file and its sidecar to a free name beside a text about it; that place, or None where the file is gone, or
    is not any more what `stamp` says.

    The text is first, and keeps the name for this file alone: who is killed before the move finds it again by it.
    """
    for place in numbered(wanted):
        now = folder.stamp(source)
        if now is None or stamp not in (None, now):
            return None  # somebody else has put it away, or dropped another
        if not folder.exists(place) and folder.claim(beside(place, ending), text(place)):
            return place if _bring(folder, source, place, stamp) else None
    raise AssertionError("numbers do not end")


def _bring(folder: Folder, video: str, target: str, stamp: str | None = None) -> bool:
    """Move a video; its sidecar goes first, for what is left to do is told by the video."""
    _bring_sidecar(folder, video, target)
    return folder.move_video(video, target, stamp)


def _bring_sidecar(folder: Folder, video: str, target: str) -> None:
    if folder.exists(video + SIDECAR):
        folder.move(video + SIDECAR, target + SIDECAR)


def _name_source(folder: Folder, row: Row) -> None:
    """The manifest says where the source is, and that has changed: `dubline evaluate` looks there."""
    path = f"{row.result}/{MANIFEST}"
    try:
        manifest = Manifest.model_validate_json(folder.read(path))
    except (FileNotFoundError, ValidationError, InvalidRequest):
        return  # not a run of ours; there is nothing to correct
    corrected = manifest.model_copy(update={"source": folder.address(f"{row.result}{PurePosixPath(row.name).suffix}")})
    if corrected != manifest:
        folder.write(path, corrected.model_dump_json(indent=1))


def _reason(folder: Folder, place: str, reason: str, run: str | None) -> str:
    name = printable(PurePosixPath(place).name)
    lines = [
        f"{name} was not translated.",
        f"Why: {reason}",
        f"What to do: correct that, then move {name} (and {name}{SIDECAR} beside it, if there is one) back into "
        f"{folder.key}; it is tried once more.",
    ]
    return "\n".join([*lines, *([f"Flow run: {run}"] if run else [])]) + "\n"
