"""Where results go: a folder of this machine, or a prefix of a bucket. The manifest comes last in either.

A bucket's output is filled as a folder of this machine and then put object by object. As long as that goes on there is
no manifest, so no reader takes the prefix for finished.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from dubline import publication
from dubline.publication import MANIFEST, Folder, Manifest
from dubline.settings import settings
from dubline.storage.locations import BucketFile
from dubline.storage.places import LocalPlace

if TYPE_CHECKING:
    from dubline.storage.s3 import BucketPlace

PROBE = ".dubline-probe"


def require_writable(out: BucketFile | Path) -> None:
    """Find out before any work starts. Raises OutputUnavailable, and StoreUnavailable for a bucket."""
    if isinstance(out, Path):
        publication.require_writable(out)
        return
    place = _place(out)
    place.write(PROBE, b"")
    place.remove(PROBE)


def in_place(out: BucketFile | Path, key: str) -> Manifest | None:
    """The manifest, when it answers this very request and every file it names is there, unchanged.

    Files of this machine are compared byte for byte. In a bucket one counts as unchanged when it is no younger than the
    manifest, which was put last, to the second.
    """
    if isinstance(out, Path):
        return publication.in_place(out, key)
    place = _place(out)
    manifest, written = _manifest(place), place.stat(MANIFEST)
    if manifest is None or written is None or manifest.key != key:
        return None
    found = {entry.key: entry for entry in place.entries()}
    there = [found.get(file.path) for file in manifest.files]
    return manifest if all(entry and entry.modified <= written.modified for entry in there) else None


def exists(out: BucketFile | Path) -> bool:
    """Whether there is a manifest that can be read."""
    return (publication.read(out) if isinstance(out, Path) else _manifest(_place(out))) is not None


@contextmanager
def filled(out: BucketFile | Path) -> Iterator[Folder]:
    """The folder to fill. Once it was committed, what it holds is put in the bucket, where that is asked for."""
    if isinstance(out, Path):
        with Folder(out) as folder:
            yield folder
        return
    with LocalPlace(settings().cache).workspace() as staged:
        with Folder(staged) as folder:
            yield folder
        _put(staged, [file.path for file in folder.files], _place(out))


def _put(folder: Path, names: list[str], place: BucketPlace) -> None:
    """Replace what the prefix holds of an earlier run."""
    place.remove(MANIFEST)
    for entry in list(place.entries()):
        if entry.key.startswith("clips/") and entry.key not in names:
            place.remove(entry.key)
    for name in (*names, MANIFEST):
        place.upload(folder / name, name)


def _manifest(place: BucketPlace) -> Manifest | None:
    try:
        return Manifest.model_validate_json(place.read(MANIFEST) or b"")
    except ValidationError:
        return None


def _place(out: BucketFile) -> BucketPlace:
    from dubline.storage.s3 import BucketPlace  # s3fs takes a second to import

    return BucketPlace(out)
