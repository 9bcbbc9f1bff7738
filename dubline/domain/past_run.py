"""What is kept of a run that is done, so that the next one can be foretold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run that is done, and found nothing done before it but what an edit leaves as it was."""

    video_s: float
    languages: int
    seconds: float
    """What all of it took."""
    spans: Mapping[str, tuple[float, float]]
    """Stage, with its language where it has one -> seconds of the run at which it began and ended."""
    again: bool = False
    """Whether it came after an edit."""
