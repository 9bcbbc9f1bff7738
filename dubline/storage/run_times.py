"""What runs that are done took, and their stages, so that the time that is left can be told."""

from __future__ import annotations

from sqlalchemy import delete, func, insert, select

from dubline.domain.past_run import PastRun
from dubline.storage.database import Database, now
from dubline.storage.tables import run_times

REMEMBERED = 100
"""Runs that are looked at."""


async def note(database: Database, profile: str, run: PastRun) -> None:
    row = {
        "profile": profile,
        "video_s": run.video_s,
        "languages": run.languages,
        "again": run.again,
        "seconds": run.seconds,
        "spans": dict(run.spans),
        "at": now(),
    }
    await database.change(insert(run_times).values(row))


async def known(database: Database, profile: str) -> list[PastRun]:
    """The latest runs with that profile."""
    latest = select(run_times).where(run_times.c.profile == profile).order_by(run_times.c.id.desc())
    return [
        PastRun(
            video_s=row["video_s"],
            languages=row["languages"],
            seconds=row["seconds"],
            spans={name: (begin, end) for name, (begin, end) in row["spans"].items()},
            again=row["again"],
        )
        for row in await database.rows(latest.limit(REMEMBERED))
    ]


async def forget(database: Database) -> int:
    """Remove those that `known` does not look at any more; returns how many there were."""
    newest_first = func.row_number().over(partition_by=run_times.c.profile, order_by=run_times.c.id.desc())
    placed = select(run_times.c.id, newest_first.label("place")).subquery()
    past = select(placed.c.id).where(placed.c.place > REMEMBERED)
    return await database.change(delete(run_times).where(run_times.c.id.in_(past)))
