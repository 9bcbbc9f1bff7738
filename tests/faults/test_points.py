"""A run that is killed in every stage, before, during and after it, ends as if nothing had happened."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.faults import strikes
from tests.faults.ledger import Ledger
from tests.faults.rig import Rig, published
from tests.pipeline.workshop import Workshop, make_video

pytestmark = pytest.mark.stack


def made(root: Path, api: str) -> Workshop:
    root.mkdir()
    workshop = Workshop(root, api)
    workshop.profile()
    return workshop


def test_a_run_killed_at_every_point_ends_as_if_nothing_had_happened(tmp_path: Path, rig: Rig) -> None:
    video, edits = make_video(tmp_path / "clip.mp4"), tmp_path / "edits.yaml"
    edits.write_text("- {segment: 0002, source_text: Who is that}\n")
    asked = ("--edits", str(edits), "--burn-in")
    calm, march = (made(tmp_path / name, f"{rig.stack.url}/api") for name in ("calm", "march"))
    assert calm.translate(video, *asked).returncode == 0

    # All faults lie in wait at once. A process dies at the first that it comes by, and takes that one away.
    for stage, moment in strikes.POINTS:
        strikes.place(march.strikes, stage, moment)
    ended = [march.translate(video, *asked)]
    while ended[-1].returncode == -signal.SIGKILL:
        assert bool(list(march.out.glob("*.mp4"))) == (march.out / "manifest.json").exists()
        ended.append(march.translate(video, *asked))
    assert ended[-1].returncode == 0, ended[-1].stderr
    assert strikes.left(march.strikes) == []

    ledger = Ledger.read(march.ledger)
    assert ledger.computed_again() == []
    assert published(march.out) == published(calm.out)
    again = ledger.engine_calls() - Ledger.read(calm.ledger).engine_calls()
    assert not [call for call in again if call.startswith("speech")][1:], "one line was being spoken when a kill came"
    assert not list((march.home / "artifacts" / "tmp").glob("*")), "workspaces of killed runs are cleared"
