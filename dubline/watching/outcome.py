"""Put outcomes where the user looks: `done/clip/` beside `done/clip.mp4`, `failed/clip.mp4` beside its reason.

Each step can be done again by anybody after the one before was killed: where things go is in the ledger's row.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from pydantic import ValidationError

from dubline.media.inputs import printable
from dubline.publication import MANIFEST, Manifest
from dubline.watching.folder import DONE, FAILED, NOTE, REASON, SIDECAR, WORK, Folder, beside, is_video, numbered
from dubline.watching.ledger import Row, State


def incoming(row: Row) -> str:
    """Where a run's video lies while it runs. Equal videos that come later join it."""
    return f"{WORK}/{row.work}/in"


def outgoing(row: Row) -> str:
    """Where the run puts its results."""
    return f"{WORK}/{row.work}/out"


def videos(folder: Folder, row: Row) -> list[str]:
    """The videos that wait for the row's outcome, the one it was taken in for first."""
    found = [name for name in folder.files(incoming(row)) if is_video(name)]
    return sorted(found, key=lambda name: (name != row.name, name))


def places(folder: Folder, row: Row) -> Iterator[str]:
    """Where the row's outcome may be put: names that nothing in the folder has."""
    path = PurePosixPath(row.name)
    if row.state is State.DONE:
        candidates = (place.removesuffix(path.suffix) for place in numbered(f"{DONE}/{path}"))
        return (c for c in candidates if not folder.exists(c) and not folder.exists(c + path.suffix))
    return (c for c in numbered(f"{FAILED}/{path}") if not folder.exists(c) and not folder.exists(beside(c, REASON)))


def put_done(folder: Folder, row: Row) -> None:
    """Results to the row's place, its video beside them; equal videos beside a note that says where."""
    assert row.result  # noqa: S101 - decided before
    if folder.exists(outgoing(row)):
        _name_source(folder, row)
        folder.move(outgoing(row), row.result)
    for name in videos(folder, row):
        target = row.result + PurePosixPath(name).suffix
        if not folder.exists(target):
            folder.move(f"{incoming(row)}/{name}", target)
            _bring_sidecar(folder, f"{incoming(row)}/{name}", target)
        elif place := folder.move_aside(f"{incoming(row)}/{name}", f"{DONE}/{name}"):
            _bring_sidecar(folder, f"{incoming(row)}/{name}", place)
            note = f"{name} has the content and the options of {row.name}: its results are in {row.result}.\n"
            folder.write(beside(place, NOTE), note)
    folder.remove(f"{WORK}/{row.work}")


def put_failed(folder: Folder, row: Row) -> None:
    """The video and its reason to the row's place. A link stays where the run looks for it, for a retry."""
    assert row.result  # noqa: S101 - decided before
    waiting = videos(folder, row)
    for name in waiting:
        source = f"{incoming(row)}/{name}"
        place = row.result
        if folder.exists(place) or not folder.move(source, place):
            place = folder.move_aside(source, f"{FAILED}/{name}") or ""
        if place:
            _bring_sidecar(folder, source, place)
            folder.write(beside(place, REASON), _reason(folder, place, row.reason or "", row.run))
            folder.link(source, place)
    if folder.links(incoming(row)):
        return
    if not waiting and not folder.exists(beside(row.result, REASON)):
        folder.write(beside(row.result, REASON), _reason(folder, row.result, row.reason or "", row.run))
    folder.remove(f"{WORK}/{row.work}")


def unsettled(folder: Folder, row: Row) -> bool:
    """Whether a failed row's working folder holds anything but links that lead somewhere."""
    return bool(videos(folder, row)) or not folder.links(incoming(row))


def take_back(folder: Folder, row: Row) -> None:
    """Fetch what `put_failed` put away: the failed run was retried and ended well."""
    for name, place in folder.links(incoming(row)).items():
        source = f"{incoming(row)}/{name}"
        folder.move(place, source)
        folder.move(place + SIDECAR, source + SIDECAR)
        folder.remove(beside(place, REASON))


def refuse(folder: Folder, name: str, reason: str) -> None:
    """A file that cannot be taken in at all, to failed/ with its reason."""
    if place := folder.move_aside(name, f"{FAILED}/{name}"):
        _bring_sidecar(folder, name, place)
        folder.write(beside(place, REASON), _reason(folder, place, reason, None))


def give_back(folder: Folder, work: str) -> None:
    """The videos of a working folder that no row knows, to where they were dropped: the ledger was lost or replaced."""
    inside = f"{WORK}/{work}/in"
    for name in folder.files(inside):
        if is_video(name) and (place := folder.move_aside(f"{inside}/{name}", name)):
            _bring_sidecar(folder, f"{inside}/{name}", place)
    folder.remove(f"{WORK}/{work}")


def _bring_sidecar(folder: Folder, video: str, target: str) -> None:
    if folder.exists(video + SIDECAR):
        folder.move(video + SIDECAR, target + SIDECAR)


def _name_source(folder: Folder, row: Row) -> None:
    """The manifest says where the source is, and that changes now: `dubline evaluate` looks there."""
    path = f"{outgoing(row)}/{MANIFEST}"
    try:
        manifest = Manifest.model_validate_json(folder.read(path))
    except (FileNotFoundError, ValidationError):
        return  # not a run of ours; there is nothing to correct
    source = folder.address(f"{row.result}{PurePosixPath(row.name).suffix}")
    folder.write(path, manifest.model_copy(update={"source": source}).model_dump_json(indent=1))


def _reason(folder: Folder, place: str, reason: str, run: str | None) -> str:
    name = printable(PurePosixPath(place).name)
    lines = [
        f"{name} was not translated.",
        f"Why: {reason}",
        f"What to do: correct that, then move {name} (and {name}{SIDECAR} beside it, if there is one) back into "
        f"{folder.key}; it is tried once more.",
    ]
    return "\n".join([*lines, *([f"Flow run: {run}"] if run else [])]) + "\n"
