"""Whose results an output folder holds: those of one video, known by its content, whatever it is called.

The manifest says it of results that are there; while they come, a file of its own. Of two that come at the same moment
one makes that file, and what a killed run left there stays its video's.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pydantic import ValidationError

from dubline.domain.errors import InvalidRequest, OutputUnavailable
from dubline.storage.places import put_new
from dubline.storage.value import Value

CLAIM = ".source.json"
"""In the output folder until the manifest is there."""


class Claim(Value):
    source_sha256: str
    source: str
    """Where the video is, to be shown."""

    def require(self, out: object, there: Claim | None, *, finished: bool) -> None:
        """Raises InvalidRequest where `there`, what is known of the folder `out`, names another video."""
        if there is None or there.source_sha256 == self.source_sha256:
            return
        has = "has the results" if finished else "is being filled, or was by a run that was killed, with the results"
        raise InvalidRequest(
            f"{out} {has} of another video, {there.source}; choose another folder with --out, or remove that one."
        )


def parsed(content: bytes | None) -> Claim | None:
    """What the file says. Where there is only half of it, it is nobody's any more."""
    if content is None:
        return None
    try:
        return Claim.model_validate_json(content)
    except ValidationError:
        return Claim(source_sha256="", source="of which nothing is known")


def read(folder: Path) -> Claim | None:
    """Raises OutputUnavailable for one that is there and cannot be read: whose the folder is nobody knows then."""
    path = folder / CLAIM
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise _unreadable(path, "it is no file")
        return parsed(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unreadable(path, os.strerror(error.errno or 0)) from error


def _unreadable(path: Path, why: str) -> OutputUnavailable:
    return OutputUnavailable(
        f"Cannot read {path}, which says whose results come there ({why}); remove it, or choose another folder with "
        "--out."
    )


def make(folder: Path, private: Path, claim: Claim) -> None:
    """Put it there unless one is; `private` is a folder beside it for what is being written. Raises OSError."""
    partial = private / CLAIM
    partial.write_text(claim.model_dump_json(), encoding="utf-8")
    try:
        put_new(partial, folder / CLAIM)
    except FileExistsError:
        return
    finally:
        partial.unlink()


def release(folder: Path, claim: Claim) -> None:
    """Take it back where nothing came of it. Another's stays."""
    there = read(folder)
    if there and there.source_sha256 == claim.source_sha256:
        (folder / CLAIM).unlink(missing_ok=True)
