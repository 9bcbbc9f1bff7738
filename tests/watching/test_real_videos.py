"""ffprobe decides what is complete."""

from __future__ import annotations

import asyncio
from pathlib import Path

from dubline.watching.ledger import Ledger
from dubline.watching.local import LocalFolder
from dubline.watching.watcher import Watcher
from tests.pipeline.workshop import make_video
from tests.watching.shed import PATIENCE_S, STILL_S, Shed


def test_a_half_copied_mp4_is_waited_for_and_a_truncated_one_is_refused(shed: Shed, tmp_path: Path) -> None:
    whole = make_video(tmp_path / "whole.mp4").read_bytes()
    half, lost = shed.drop("half.mp4", whole[: len(whole) // 2]), shed.drop("lost.mp4", whole[:-2000])

    async def look() -> None:
        async with Ledger.opened(shed.database) as ledger:
            await Watcher(LocalFolder(shed.root), ledger, shed.runs, shed.looks, shed.defaults).tick()

    asyncio.run(look())
    shed.now += STILL_S
    asyncio.run(look())
    assert shed.listed() == ["half.mp4", "lost.mp4"]
    with half.open("ab") as copy:
        copy.write(whole[len(whole) // 2 :])
    asyncio.run(look())
    shed.now += PATIENCE_S
    asyncio.run(look())
    assert [run.submission.name for run in shed.runs.all] == ["half.mp4"]
    assert Path(shed.runs.all[0].submission.video).read_bytes() == whole
    assert not half.exists() and not lost.exists()
    assert "lost.mp4" in (shed.root / "failed/lost.mp4.reason.txt").read_text()
