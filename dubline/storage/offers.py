"""What the profiles offer where videos are translated: the machines that do it tell, the gateway reads it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping, delete, insert, select, update

from dubline.storage.database import Database, now
from dubline.storage.tables import offers

FRESH = timedelta(minutes=10)
"""A machine tells again twice in this time. What one said that is silent for longer, or has ended, counts only while
none is heard of."""
FORGOTTEN = timedelta(days=30)


class VoiceOffered(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True, serialize_by_alias=True)

    id: str
    register_: str = Field(alias="register")
    native: bool


class ProfileOffered(BaseModel):
    """What one profile can do."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True)

    name: str
    description: str
    engines: dict[str, str]
    """Capability -> engine."""
    licences: dict[str, str]
    """Model -> licence."""
    pairs: dict[str, list[str]]
    """Source language -> target languages. A source that is not in it has none."""
    voices: dict[str, list[VoiceOffered]]
    """Target language -> voices."""


class Offer(BaseModel):
    """A profile on one machine, and what it lacks there."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True)

    profile: ProfileOffered
    missing: tuple[str, ...] = ()
    """Models and packages; none where it works."""


@dataclass(frozen=True, slots=True)
class Known:
    """What all machines that were heard of lately can do."""

    offered: tuple[ProfileOffered, ...]
    missing: dict[str, tuple[str, ...]]
    """Profile that does not work everywhere -> what it lacks."""


async def tell(database: Database, machine: str, told: Iterable[Offer]) -> None:
    """What a machine has, in place of what it said before."""
    row = {"machine": machine, "at": now(), "profiles": [offer.model_dump(mode="json") for offer in told]}
    async with database.begin() as connection:
        await connection.execute(
            delete(offers).where((offers.c.machine == machine) | (offers.c.at < now() - FORGOTTEN))
        )
        await connection.execute(insert(offers).values(row))


async def leave(database: Database, machine: str) -> None:
    """What the machine said is as old as that of one that fell silent. While it is the last that was heard of, gateways
    still know better from it than from what is shipped."""
    async with database.begin() as connection:
        await connection.execute(
            update(offers).where(offers.c.machine == machine, offers.c.at > now() - FRESH).values(at=now() - FRESH)
        )


async def known(database: Database) -> Known | None:
    """None where no machine has ever told anything."""
    rows = await database.rows(select(offers).order_by(offers.c.machine))
    if not rows:
        return None
    machines = [[Offer.model_validate(one) for one in row["profiles"]] for row in _heard_of(rows, now())]
    return _everywhere(machines)


def _heard_of(rows: Sequence[RowMapping], at: datetime) -> Sequence[RowMapping]:
    """Those that were heard of lately; where there are none, those heard of as long as the last one."""
    fresh = [row for row in rows if row["at"] > at - FRESH]
    return fresh or _heard_of(rows, max(row["at"] for row in rows))


def _everywhere(machines: Sequence[Sequence[Offer]]) -> Known:
    """A run may come to any of them, so what counts is what all can do."""
    names = sorted({offer.profile.name for machine in machines for offer in machine})
    offered, missing = [], {}
    for name in names:
        found = [offer for machine in machines for offer in machine if offer.profile.name == name]
        lacks = tuple(dict.fromkeys(what for offer in found for what in offer.missing))
        if lacks or len(found) < len(machines):
            missing[name] = lacks
            continue
        both = reduce(_common, (offer.profile for offer in found))
        if both.pairs:
            offered.append(both)
        else:
            missing[name] = ()
    return Known(tuple(offered), missing)


def _common(one: ProfileOffered, other: ProfileOffered) -> ProfileOffered:
    pairs = {source: [t for t in targets if t in other.pairs.get(source, ())] for source, targets in one.pairs.items()}
    voices = {code: [v for v in found if v in other.voices.get(code, ())] for code, found in one.voices.items()}
    return one.model_copy(update={"pairs": {s: t for s, t in pairs.items() if t}, "voices": voices})
