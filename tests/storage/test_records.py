"""Prefect's task results in either place: read by whoever has the key, or not at all."""

from __future__ import annotations

import asyncio

import pytest
from prefect.results import ResultStore
from prefect.serializers import JSONSerializer

from dubline.storage.chosen import checkpoint_place
from dubline.storage.results import ArtifactRef, Turns
from tasks.records import RecordFiles

KEY = "diarize/ab/abcdef"


@pytest.fixture
def records(place_kind: str) -> ResultStore:
    return ResultStore(result_storage=RecordFiles(), serializer=JSONSerializer(), cache_result_in_memory=False)


@pytest.fixture
def turns() -> Turns:
    return Turns(artifact=ArtifactRef(uri="file:///a", sha256="0" * 64, size=1), speakers=2)


def test_a_result_is_read_back_under_its_key(records: ResultStore, turns: Turns) -> None:
    assert not records.exists(KEY)
    records.write(turns, key=KEY)
    assert records.exists(KEY)
    assert records.read(KEY).result == turns
    assert [entry.key for entry in checkpoint_place().entries()] == [KEY]


def test_it_is_read_back_in_an_event_loop(records: ResultStore, turns: Turns) -> None:
    asyncio.run(records.awrite(turns, key=KEY))
    assert asyncio.run(records.aread(KEY)).result == turns


@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_a_damaged_record_counts_as_none(records: ResultStore, turns: Turns, damage: str) -> None:
    records.write(turns, key=KEY)
    stored = checkpoint_place().read(KEY)
    assert stored is not None
    place = stored.index(b"speakers")
    flipped = stored[:place] + b"S" + stored[place + 1 :]
    checkpoint_place().write(KEY, {"flip": flipped, "cut": stored[:-1], "empty": b""}[damage])
    assert not records.exists(KEY)
    with pytest.raises(ValueError, match="not what was written"):
        records.read(KEY)
