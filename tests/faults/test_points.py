"""A run that is killed in every stage, before, during and after it, ends as if nothing had happened."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from dubline import publication
from tests.faults import strikes
from tests.faults.invariants import Aftermath, violations
from tests.faults.ledger import Ledger
from tests.faults.rig import processes_of_ledger, published
from tests.pipeline.workshop import Workshop, make_video
from tests.waiting import until

pytestmark = pytest.mark.server
EDITS = "- {segment: 0002, source_text: Who is that}\n"


def made(root: Path, api: str) -> Workshop:
    root.mkdir()
    workshop = Workshop(root, api)
    workshop.profile()
    return workshop


@pytest.mark.parametrize(
    ("struck", "stages"),
    [
        (strikes.STAGES, strikes.PLAIN),
        (strikes.ASKED_FOR, (*strikes.PLAIN, *strikes.MENDED)),
    ],
    ids=["every video", "one that was edited"],
)
def test_a_run_killed_at_every_point_ends_as_if_nothing_had_happened(
    tmp_path: Path, prefect_server: str, struck: tuple[str, ...], stages: tuple[str, ...]
) -> None:
    video, edits = make_video(tmp_path / "clip.mp4"), tmp_path / "edits.yaml"
    edits.write_text(EDITS)
    asked = ("--edits", str(edits), "--burn-in") if struck == strikes.ASKED_FOR else ()
    calm, march = (made(tmp_path / name, prefect_server) for name in ("calm", "march"))
    assert calm.translate(video, *asked).returncode == 0

    # All faults lie in wait at once. A process dies at the first that it comes by, and takes that one away.
    for stage in struck:
        for moment in strikes.MOMENTS:
            strikes.place(march.strikes, stage, moment)
    ended = [march.translate(video, *asked)]
    while ended[-1].returncode == -signal.SIGKILL:
        assert publication.read(march.out) is None or published(march.out) == published(calm.out)
        until(lambda: not processes_of_ledger(march.ledger), left=lambda: processes_of_ledger(march.ledger))
        ended.append(march.translate(video, *asked))
    assert ended[-1].returncode == 0, ended[-1].stderr
    assert strikes.left(march.strikes) == []
    # Up to three stages are at work side by side, and one death may meet the strikes of all.
    assert len(struck) < len(ended) <= 1 + len(struck) * len(strikes.MOMENTS)

    ledger = Ledger.read(march.ledger)
    temporary = list((march.home / "artifacts" / "tmp").glob("*"))
    left = Aftermath(ledger, [march.out], {march.out.name: published(calm.out)}, stages=stages, temporary=temporary)
    assert violations(left) == []
    again = ledger.engine_calls() - Ledger.read(calm.ledger).engine_calls()
    assert not [call for call in again if call.startswith("speech")][1:], "one line was being spoken when a kill came"
