"""Where results go: a folder of this machine, a prefix of a bucket, or a sealed session's files.

The manifest comes last. Where the output is no plain folder, one is filled on this machine and then put file by file;
as long as that goes on there is no manifest, so no reader takes what is there for finished.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import ValidationError

from dubline import claims, publication
from dubline.claims import CLAIM, Claim
from dubline.domain.errors import DublineError, InvalidRequest
from dubline.publication import MANIFEST, Folder, Manifest
from dubline.settings import settings
from dubline.storage import sealed
from dubline.storage.locations import BucketFile
from dubline.storage.places import LocalPlace
from dubline.storage.sealed import RemotePlace

PROBE = ".dubline-probe"


def require_writable(out: BucketFile | Path) -> None:
    """Find out before any work starts. Raises OutputUnavailable, and StoreUnavailable for a bucket."""
    place = _place(out)
    if isinstance(place, Path):
        publication.require_writable(place)
        return
    place.write(PROBE, b"")
    place.remove(PROBE)


def in_place(out: BucketFile | Path, key: str) -> Manifest | None:
    """The manifest, when it answers this very request and every file it names is there, unchanged.

    Files of this machine are compared byte for byte. Elsewhere one counts as unchanged when it is no younger than the
    manifest, which was put last, to the second.
    """
    place = _place(out)
    if isinstance(place, Path):
        return publication.in_place(place, key)
    manifest, written = _manifest(place), place.stat(MANIFEST)
    if manifest is None or written is None or manifest.key != key:
        return None
    found = {entry.key: entry for entry in place.entries()}
    there = [found.get(file.path) for file in manifest.files]
    return manifest if all(entry and entry.modified <= written.modified for entry in there) else None


def read(out: BucketFile | Path) -> Manifest | None:
    """The manifest; None where there is none that can be read."""
    place = _place(out)
    return publication.read(place) if isinstance(place, Path) else _manifest(place)


def held(out: BucketFile | Path) -> bool:
    """Whether a video's results are there, or come."""
    place = _place(out)
    if isinstance(place, Path):
        return (publication.read(place) or claims.read(place)) is not None
    return (_manifest(place) or claims.parsed(place.read(CLAIM))) is not None


def require_own(out: BucketFile | Path, mine: Claim) -> None:
    """Raises InvalidRequest where another video's results are, or come."""
    place = _place(out)
    if isinstance(place, Path):
        publication.require_own(place, mine)
        return
    manifest = _manifest(place)
    there = manifest.claim if manifest else claims.parsed(place.read(CLAIM))
    mine.require(out, there, finished=manifest is not None)


@contextmanager
def filled(out: BucketFile | Path, *, of_one_video: bool = True) -> Iterator[Folder]:
    """The folder to fill. Once it was committed, what it holds is put in the bucket, where that is asked for.

    `of_one_video`: whether another video's results there are refused, with InvalidRequest.
    """
    place = _place(out)
    if isinstance(place, Path):
        with Folder(place, of_one_video=of_one_video) as folder:
            yield folder
        return
    with LocalPlace(settings().cache).workspace() as staged:
        with Folder(staged) as folder:
            yield folder
        manifest = publication.read(staged)
        if manifest is None:
            return  # nothing was committed
        if of_one_video and isinstance(out, BucketFile):
            _claim(out, manifest.claim)
        _put(staged, [file.path for file in folder.files], place)
        place.remove(CLAIM)


def _claim(out: BucketFile, mine: Claim) -> None:
    """Keep the prefix for a video's results until they are there. Raises InvalidRequest where it is another's."""
    from dubline.storage.s3 import BucketPlace  # s3fs takes a second to import

    place, kept = BucketPlace(out), None
    while kept is None:  # else one that had come first has given it back
        require_own(out, mine)
        made = place.write_new(CLAIM, mine.model_dump_json().encode())
        try:
            require_own(out, mine)
        except InvalidRequest:  # another was quicker
            if made:
                place.remove(CLAIM)
            raise
        kept = place.read(CLAIM)


def _put(folder: Path, names: list[str], place: RemotePlace) -> None:
    """Replace what the prefix holds of an earlier run."""
    began = time.time()
    place.remove(MANIFEST)
    for entry in list(place.entries()):
        if entry.key.startswith("clips/") and entry.key not in names:
            place.remove(entry.key)
    for name in (*names, MANIFEST):
        place.upload(folder / name, name)
    with suppress(DublineError):  # the results are there, and not everybody may list what was begun
        place.abort_uploads(began)


def _manifest(place: RemotePlace) -> Manifest | None:
    try:
        return Manifest.model_validate_json(place.read(MANIFEST) or b"")
    except ValidationError:
        return None


def _place(out: BucketFile | Path) -> RemotePlace | Path:
    """What is to be filled from a staged folder, or the folder itself."""
    own = sealed.used()
    if own and (folder := own.key_of(out)):
        return own.below(folder)
    if isinstance(out, Path):
        return out
    from dubline.storage.s3 import BucketPlace  # s3fs takes a second to import

    return BucketPlace(out)
