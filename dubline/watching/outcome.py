"""Put outcomes where the user looks: `done/clip/` beside `done/clip.mp4`, `failed/clip.mp4` beside its reason.

Each step can be done again by anybody after the one before was killed: where things go is in the ledger's row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
    assert row.result  # noqa: S101 - `settle` notes it in the ledger before anything moves; this tells mypy
    if folder.exists(outgoing(row)):
        _name_source(folder, row)
        folder.move(outgoing(row), row.result)
    note = f"It has the content and the options of {printable(row.name)}: the results are in {row.result}.\n"
    for name in videos(folder, row):
        source, target = f"{incoming(row)}/{name}", row.result + PurePosixPath(name).suffix
        if folder.exists(target):
            _put_beside(folder, source, f"{DONE}/{name}", NOTE, lambda _: note)
        else:
            _bring(folder, source, target)
    folder.remove(f"{WORK}/{row.work}")


def put_failed(folder: Folder, row: Row) -> None:
    """The video and its reason to the row's place. A link stays where the run looks for it, for a retry."""
    assert row.result  # noqa: S101 - `settle` notes it in the ledger before anything moves; this tells mypy

    def reason(place: str) -> str:
        return _reason(folder, place, row.reason or "", row.run)

    waiting = videos(folder, row)
    for name in waiting:
        source = f"{incoming(row)}/{name}"
        wanted = f"{FAILED}/{name}" if folder.exists(row.result) else row.result
        if place := _put_beside(folder, source, wanted, REASON, reason):
            folder.link(source, place)
    if folder.links(incoming(row)):
        return
    if not waiting:  # it was deleted under way, or its link could not be left
        folder.claim(beside(row.result, REASON), reason(row.result))
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


def refuse(folder: Folder, name: str, why: str) -> None:
    """A file that cannot be taken in at all, to failed/ with its reason."""
    _put_beside(folder, name, f"{FAILED}/{name}", REASON, lambda place: _reason(folder, place, why, None))


def give_back(folder: Folder, work: str) -> None:
    """The videos of a working folder that no row knows, to where they were dropped: the ledger was lost or replaced."""
    inside = f"{WORK}/{work}/in"
    for name in folder.files(inside):
        if is_video(name) and (place := folder.move_aside(f"{inside}/{name}", name)):
            _bring_sidecar(folder, f"{inside}/{name}", place)
    folder.remove(f"{WORK}/{work}")


def _put_beside(folder: Folder, source: str, wanted: str, ending: str, text: Callable[[str], str]) -> str | None:
    """Move a file and its sidecar to a free name beside a text about it; that place, or None where the file is gone.

    The text is first, and keeps the name for this file alone: who is killed before the move finds it again by it.
    """
    for place in numbered(wanted):
        if folder.stamp(source) is None:
            return None  # somebody else has put it away
        if not folder.exists(place) and folder.claim(beside(place, ending), text(place)):
            return place if _bring(folder, source, place) else None
    raise AssertionError("numbers do not end")


def _bring(folder: Folder, video: str, target: str) -> bool:
    """Move a video; its sidecar goes first, for what is left to do is told by the video."""
    _bring_sidecar(folder, video, target)
    return folder.move(video, target)


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
