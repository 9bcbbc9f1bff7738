"""What the watcher asks of the orchestrator: create a run, and tell how runs stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from dubline.watching.options import Options


@dataclass(frozen=True, slots=True)
class Submission:
    """One run to be created. Equal `key`s are one run, however often it is submitted."""

    key: str
    name: str
    """The video's file name."""
    video: str
    """Absolute path or URI."""
    out: str
    """Absolute path or URI of the folder for its results."""
    options: Options


@dataclass(frozen=True, slots=True)
class Standing:
    """How a run stands. `succeeded` is None while it may still end either way."""

    succeeded: bool | None
    message: str = ""
    """One sentence that says why it failed."""


@dataclass(frozen=True, slots=True)
class Submitted:
    run: str
    """Its id."""
    standing: Standing = Standing(None)
    """One that was there already may have ended."""


class Runs(Protocol):
    async def submit(self, submission: Submission) -> Submitted:
        """Create the run, or find the one with this key.

        Raises InvalidRequest when it is refused for good, ServiceUnavailable when it can be tried again.
        """

    async def standings(self, runs: Sequence[str]) -> Mapping[str, Standing]:
        """Run id -> how it stands; a run that was deleted is left out. Raises ServiceUnavailable."""
