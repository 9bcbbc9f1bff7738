"""Runs on the real stack that are cancelled, in every stage and with an ffmpeg that hangs, leave nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import strikes
from tests.faults.rig import Rig, until

pytestmark = pytest.mark.stack
EDIT = {"segment": "0002", "source_text": "Who is that"}


def test_runs_cancelled_in_every_stage_leave_nothing_behind_and_lose_nothing(rig: Rig, tmp_path: Path) -> None:
    video, edits = rig.video("cancelled", 700), tmp_path / "edits.yaml"
    edits.write_text(f"- {EDIT}\n")
    asked = {"edits": [EDIT], "burn_in": True}
    for stage in (*strikes.STAGES, *strikes.ASKED_FOR):
        strikes.place(rig.strikes, stage, "before", "hang")
    # Every run goes on where the one before was cancelled, and the next stage holds it up, or the next that are side by
    # side.
    runs = []
    while ahead := strikes.left(rig.strikes):
        run = rig.submit(video, key=f"cancelled, {len(ahead)} ahead", asked=asked)
        until(lambda ahead=ahead: strikes.left(rig.strikes) != ahead)
        rig.set_state(run, "CANCELLING")
        rig.none_left()
        rig.wait(run, "Cancelled")
        assert not rig.leftovers()
        runs.append(run)
    told = rig.ledger.events
    rig.revive()
    assert {rig.state(run)["name"] for run in runs} == {"Cancelled"}, "nobody resumes what a person ended"
    assert rig.ledger.events == told
    runs.append(rig.submit(video, key="not cancelled", asked=asked))
    rig.wait(runs[-1], "Completed")
    every = (*strikes.PLAIN, *strikes.MENDED)
    rig.ended_well(video, runs=runs, asked=("--edits", str(edits), "--burn-in"), stages=every)


def test_an_ffmpeg_that_hangs_is_ended_and_its_stage_tried_again_and_ended_by_cancel(rig: Rig) -> None:
    video, unwanted = rig.video("hung", 350), rig.video("hung for ever", 355)
    hangs, runs = [], []
    for one in (video, unwanted):
        struck = rig.lain_in_wait(one.stem)
        hangs.append(Path(struck["DUBLINE_STRIKES"]) / "ffmpeg@hang")
        hangs[-1].touch()
        runs.append(rig.submit(one, **struck))
    until(lambda: not hangs[1].exists())
    rig.set_state(runs[1], "CANCELLING")
    until(lambda: not rig.processes_of(runs[1]))
    rig.wait(runs[1], "Cancelled")
    rig.wait(runs[0], "Completed")
    assert not hangs[0].exists()
    assert not rig.leftovers()
    rig.ended_well(video, runs=runs)


def test_a_run_that_somebody_deletes_ends(rig: Rig) -> None:
    strikes.place(rig.strikes, "translate-es", "before", "hang")
    run = rig.submit(rig.video("deleted", 360))
    until(lambda: not strikes.left(rig.strikes))
    rig.delete(run)
    rig.none_left()
    assert not rig.leftovers()
    rig.ended_well(runs=[])
