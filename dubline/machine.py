"""What this process may use of the machine, and how many videos at once that is enough for.

Limits of a container count: those of its control group (cpu.max and memory.max, in the older kind cpu.cfs_quota_us and
memory.limit_in_bytes) and of all groups above it; a cpuset shows in the cores that the scheduler gives.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

RUN_BYTES = 2_500_000_000
"""What a video takes with the `offline` profile: its process, and the one that checks the gates (bench/at_once.py)."""
REST_BYTES = 1_500_000_000
"""For all else that `dubline serve` starts: Prefect's server, two workers, the gateway, a watcher."""
CORES_A_RUN = 2
"""A run alone uses about so many; with more runs at once all of them would end later."""


def cores(root: Path = Path("/")) -> int:
    """How many this process may use, at least 1. A limit of one and a half is one."""
    quotas = [quota for folder in _groups(root, "cpu") if (quota := _quota(folder)) is not None]
    return max(1, int(min([len(os.sched_getaffinity(0)), *quotas])))


def memory(root: Path = Path("/")) -> int:
    """Bytes that this process and those beside it may use."""
    lines = (root / "proc/meminfo").read_text(encoding="utf-8").splitlines()
    whole = next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemTotal:"))
    names = ("memory.max", "memory.limit_in_bytes")
    limits = [limit for folder in _groups(root, "memory") for name in names if (limit := _number(folder / name))]
    return min([whole, *limits])


def runs_at_once(root: Path = Path("/")) -> int:
    """How many videos this machine works on at once without any of them waiting for memory or a core, at least 1."""
    by_memory = (memory(root) - REST_BYTES) // RUN_BYTES
    return max(1, min(cores(root) // CORES_A_RUN, by_memory))


def share(whole: int, runs: int) -> int:
    """The cores of each of so many runs at once, at least 1."""
    return max(1, whole // runs)


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """Folders of the control groups that this process is in, from its own up, where the controller has files.

    Within a container a group's path may be that of the host; what can be seen then is the mount's own folder.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        mount = root / "sys/fs/cgroup" / (controller if controllers else "")
        below = Path(path.lstrip("/"))
        yield from (mount / one for one in (below, *below.parents) if ".." not in one.parts)


def _quota(folder: Path) -> float | None:
    """Cores; None where there is no limit."""
    try:
        quota, period = (folder / "cpu.max").read_text(encoding="utf-8").split()
    except (OSError, ValueError):
        limit, per = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
        return limit / per if limit and per else None
    return int(quota) / int(period) if quota != "max" else None


def _number(file: Path) -> int | None:
    """None where there is no such file, or it says that there is no limit (`max`, -1)."""
    try:
        found = int(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if found > 0 else None
