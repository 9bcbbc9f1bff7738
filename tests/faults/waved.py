"""Gates that let everything pass, in their own process as always.

Great Expectations takes four seconds of a core to import, in each of a hundred runs of the fault tests. What it finds
has its own tests; what is proved here is that its process, too, ends with its run. Where a test asks for real gates,
that process comes by strikes.
"""

from __future__ import annotations

import os
from pathlib import Path

from dubline.storage.results import Verdict
from quality_suites import validate as real
from quality_suites.catalogue import suite
from quality_suites.rules import Frames
from tests.faults import strikes

_judge = real.validate


def warm_up() -> None:
    """Nothing has to be imported."""


def validate(suite_name: str, frames: Frames) -> Verdict:
    found = suite(suite_name)
    return Verdict(suite=found.name, rules=len(found.rules), findings=())


def everything() -> None:
    """Before `quality_suites.host` is imported in this process."""
    real.warm_up, real.validate = warm_up, validate


def struck(suite_name: str, frames: Frames) -> Verdict:
    """The real check, and a strike before its verdict is told."""
    verdict = _judge(suite_name, frames)
    strikes.come_by(Path(os.environ["DUBLINE_STRIKES"]), f"check-{suite_name}", "checking")
    return verdict


def nothing() -> None:
    """As `everything`, but the gates are real."""
    real.validate = struck
