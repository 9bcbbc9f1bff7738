"""Thousands of files, and more than one scanner."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from dubline.watching.ledger import Ledger, State

FILES = 500
ROOT = Path(__file__).parent.parent.parent


def test_500_files_dropped_at_once_are_each_taken_in_once_by_two_processes(tmp_path: Path) -> None:
    folder, runs, database = tmp_path / "videos", tmp_path / "runs", f"sqlite:///{tmp_path / 'ledger.db'}"
    folder.mkdir()
    runs.mkdir()
    for number in range(FILES):
        (folder / f"{number}.mp4").write_bytes(b"video %d" % number)
    command = [sys.executable, "-m", "tests.watching.scanner", str(folder), database, str(runs)]
    scanners = [subprocess.Popen(command, cwd=ROOT) for _ in range(2)]
    try:
        assert [scanner.wait(timeout=300) for scanner in scanners] == [0, 0]
    finally:
        for scanner in scanners:
            scanner.kill()

    async def ledger_rows() -> list[str]:
        async with Ledger.opened(database) as ledger:
            rows = await ledger.open_rows(str(folder))
        assert {row.state for row in rows} == {State.SUBMITTED}
        assert {row.attempt for row in rows} == {1}
        return sorted(row.key for row in rows)

    keys = asyncio.run(ledger_rows())
    assert len(keys) == FILES
    assert sorted(path.name for path in runs.iterdir()) == keys
    submitted = (tmp_path / "submissions").read_text(encoding="utf-8").split()
    assert set(submitted) == {f"{number}.mp4" for number in range(FILES)}
    taken = [path.name for path in (folder / ".dubline").glob("*/in/*")]
    assert sorted(taken) == sorted(f"{number}.mp4" for number in range(FILES))
