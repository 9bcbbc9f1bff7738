"""Runs on the real stack that are cancelled, in every stage and with an ffmpeg that hangs, leave nothing behind."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.faults import strikes
from tests.faults.rig import Rig
from tests.waiting import until

pytestmark = pytest.mark.stack
EDIT = {"segment": "0002", "source_text": "Who is that"}
ASKED = {"edits": [EDIT], "burn_in": True}
AT_ONCE = 3
"""Videos that are walked through the stages side by side, each cancelled in its share of them."""


def test_runs_cancelled_in_every_stage_leave_nothing_behind_and_lose_nothing(rig: Rig, tmp_path: Path) -> None:
    edits = tmp_path / "edits.yaml"
    edits.write_text(f"- {EDIT}\n")
    third = -(-len(strikes.EVERY) // AT_ONCE)
    batches = [strikes.EVERY[start : start + third] for start in range(0, len(strikes.EVERY), third)]
    videos = [rig.video(f"cancelled {number}") for number in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as walkers:
        walks = list(walkers.map(partial(cancelled_in, rig), videos, batches))
    cancelled = [run for runs in walks for run in runs]
    told = rig.ledger.events
    rig.revive()
    assert {rig.state(run)["name"] for run in cancelled} == {"Cancelled"}, "nobody resumes what a person ended"
    assert rig.ledger.events == told
    last = [rig.submit(video, key=f"{video.stem}, not", asked=ASKED) for video in videos]
    for run in last:
        rig.wait(run, "Completed")
    asked = ("--edits", str(edits), "--burn-in")
    every = (*strikes.PLAIN, *strikes.MENDED)
    rig.ended_well(*videos, runs=[*cancelled, *last], asked=asked, stages=every)


def cancelled_in(rig: Rig, video: Path, stages: Sequence[str]) -> list[str]:
    """Runs of a video, one cancelled in each of the stages; only those side by side share one.

    Every run goes on where the one before was cancelled, and the next stage holds it up.
    """
    struck = rig.lain_in_wait(video.stem, *((stage, "before") for stage in stages), action="hang")
    folder, runs = Path(struck["DUBLINE_STRIKES"]), []
    while ahead := strikes.left(folder):
        run = rig.submit(video, key=f"{video.stem}, {len(ahead)} ahead", asked=ASKED, **struck)
        until(lambda ahead=ahead: strikes.left(folder) != ahead)
        processes = [process.pid for process in rig.processes_of(run)]
        rig.set_state(run, "CANCELLING")
        until(lambda run=run: not rig.processes_of(run))
        rig.wait(run, "Cancelled")
        assert not rig.leftovers_of(processes)
        runs.append(run)
    return runs


def test_an_ffmpeg_that_hangs_is_ended_and_its_stage_tried_again_and_ended_by_cancel(rig: Rig) -> None:
    video, unwanted = rig.video("hung"), rig.video("hung for ever")
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
    # A stage that nothing is done beside: it would go on until the run looks after itself.
    strikes.place(rig.strikes, "synthesize-es", "before", "hang")
    run = rig.submit(rig.video("deleted"))
    until(lambda: not strikes.left(rig.strikes))
    rig.delete(run)
    rig.none_left()
    assert not rig.leftovers()
    rig.ended_well(runs=[])
