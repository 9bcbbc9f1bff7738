"""Two watchers look at the same moment, as `watch-folder` and `reconcile-folder` do; each case many times over."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from dubline.publication import MANIFEST, Manifest
from dubline.watching.following import OWNER_S
from tests.watching.shed import STILL_S, Shed

TIMES = 10


@pytest.fixture
def sheds(tmp_path: Path) -> list[Shed]:
    made = [Shed(tmp_path / str(number)) for number in range(TIMES)]
    for shed in made:
        shed.owner_s = OWNER_S  # what another does just now is left to it
    return made


def manifest(source: str) -> Manifest:
    return Manifest(
        key="key",
        source=source,
        source_sha256="0" * 64,
        source_language="en",
        duration_ms=1,
        dubbed_track=None,
        dubs=(),
        files=(),
    )


def both(shed: Shed) -> None:
    """Both look twice, all at once: what one left because the other was at it a later look finds."""

    async def look() -> None:
        others = shed.new_looks()
        for _ in range(2):
            await asyncio.gather(
                shed.tick(thorough=True), shed.tick(thorough=True, looks=others), shed.tick(thorough=True)
            )
            shed.now += STILL_S

    asyncio.run(look())


def test_results_are_put_away_once_with_all_videos_that_joined(sheds: list[Shed]) -> None:
    for shed in sheds:
        for name in ("clip.mp4", "copy.mp4", "third.mp4"):
            shed.drop(name, languages=["fr"])
        asyncio.run(shed.take_in())
        (run,) = shed.runs.all
        shed.runs.succeed(run)
        (Path(run.submission.out) / MANIFEST).write_text(manifest(run.submission.video).model_dump_json())
        both(shed)
        (published,) = (shed.root / "done").glob(f"*/{MANIFEST}")
        source = Manifest.model_validate_json(published.read_bytes()).source
        assert Path(source) == published.parent.with_suffix(".mp4")
        names = [name for name in shed.listed("done") if name.endswith(".mp4")]
        assert names == ["clip.mp4", "copy.mp4", "third.mp4"]
        assert sum((shed.root / "done" / name).is_dir() for name in shed.listed("done")) == 1
        assert all(f"{name}.yaml" in shed.listed("done") for name in names)
        assert not list((shed.root / ".dubline").iterdir())


def test_a_failure_is_put_away_once_and_a_retry_fetched_back(sheds: list[Shed]) -> None:
    for shed in sheds:
        shed.drop("clip.mp4", languages=["fr"])
        asyncio.run(shed.take_in())
        shed.runs.fail(shed.runs.all[0])
        both(shed)
        assert shed.listed("failed") == ["clip.mp4", "clip.mp4.reason.txt", "clip.mp4.yaml"]
        shed.runs.succeed(shed.runs.all[0])
        both(shed)
        assert shed.listed("failed") == []
        assert shed.listed("done") == ["clip", "clip.mp4", "clip.mp4.yaml"]
        assert not list((shed.root / ".dubline").iterdir())


def test_a_ledger_that_was_lost_is_made_anew_once(sheds: list[Shed]) -> None:
    for shed in sheds:
        shed.drop("clip.mp4", languages=["fr"])
        asyncio.run(shed.take_in())
        shed.runs.succeed(shed.runs.all[0])
        shed.database = shed.database.replace("ledger.db", "another.db")
        both(shed)
        assert shed.listed("done") == ["clip", "clip.mp4", "clip.mp4.yaml"]
        assert shed.listed("failed") == []
        assert len(shed.runs.all) == 1
