"""How many videos at once, and with how many cores each: by what a machine or a container has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dubline import machine
from tests.pipeline.workshop import ROOT

GB = 10**9


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with 16 cores and 64 GB."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(16)))
    write(tmp_path / "proc/meminfo", f"MemTotal:  {64 * GB // 1024} kB\nMemFree: 1 kB\n")
    return tmp_path


def write(file: Path, content: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)


def found(root: Path) -> tuple[int, float, int]:
    return machine.cores(root), round(machine.memory(root) / GB, 1), machine.runs_at_once(root)


def test_without_limits_the_machine_s_own_count(root: Path) -> None:
    assert found(root) == (16, 64.0, 8)
    write(root / "proc/self/cgroup", "0::/user.slice\n")
    write(root / "sys/fs/cgroup/user.slice/cpu.max", "max 100000\n")
    write(root / "sys/fs/cgroup/user.slice/memory.max", "max\n")
    assert found(root) == (16, 64.0, 8)


@pytest.mark.parametrize(
    ("quota", "limit", "expected"),
    [
        ("400000 100000", 64 * GB, (4, 64.0, 2)),
        ("150000 100000", 64 * GB, (1, 64.0, 1)),
        ("50000 100000", 2 * GB, (1, 2.0, 1)),
        ("max 100000", 8 * GB, (16, 8.0, 2)),
    ],
)
def test_a_container_s_limits_count(root: Path, quota: str, limit: int, expected: tuple[int, float, int]) -> None:
    write(root / "proc/self/cgroup", "0::/\n")
    write(root / "sys/fs/cgroup/cpu.max", quota)
    write(root / "sys/fs/cgroup/memory.max", str(limit))
    assert found(root) == expected


def test_the_narrowest_of_the_groups_above_counts(root: Path) -> None:
    write(root / "proc/self/cgroup", "0::/a.slice/b.scope\n")
    write(root / "sys/fs/cgroup/a.slice/cpu.max", "600000 100000")
    write(root / "sys/fs/cgroup/a.slice/b.scope/cpu.max", "800000 100000")
    write(root / "sys/fs/cgroup/a.slice/memory.max", str(9 * GB))
    assert found(root) == (6, 9.0, 3)


def test_the_older_kind_of_groups_seen_from_within_a_container(root: Path) -> None:
    write(root / "proc/self/cgroup", "4:memory:/docker/x\n3:cpuset:/docker/x\n2:cpu,cpuacct:/docker/x\n0::/\n")
    write(root / "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000")
    write(root / "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000")
    write(root / "sys/fs/cgroup/memory/memory.limit_in_bytes", str(4 * GB))
    assert found(root) == (2, 4.0, 1)
    write(root / "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1")
    write(root / "sys/fs/cgroup/memory/memory.limit_in_bytes", str(9223372036854771712))
    assert found(root) == (16, 64.0, 8)


SHARED = """
import os, sys
from dubline.settings import settings, share_threads
share_threads()
if sys.argv[1:]:
    share_threads(int(sys.argv[1]))
print(settings().threads, os.environ["OMP_NUM_THREADS"], settings().runs_at_once)
"""


def shared(*runs: str, **told: str) -> list[str]:
    names = ("DUBLINE_THREADS", "DUBLINE_RUNS_AT_ONCE", "OMP_NUM_THREADS")
    known = {name: value for name, value in os.environ.items() if name not in names}
    command = [sys.executable, "-c", SHARED, *runs]
    done = subprocess.run(command, env=known | told, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_runs_at_once_share_the_cores_unless_told_otherwise() -> None:
    whole, fit = str(machine.cores()), str(machine.runs_at_once())
    assert shared() == [whole, whole, fit]
    assert shared("1") == [whole, whole, fit]
    assert shared("1000") == ["1", "1", fit], "also what a process above had set for itself alone"
    assert shared("2", DUBLINE_THREADS="7", DUBLINE_RUNS_AT_ONCE="5") == ["7", "7", "5"]
    assert shared("1000", OMP_NUM_THREADS="77")[:2] == ["1", "77"]
