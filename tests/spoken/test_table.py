"""The tables of expressions and their readings have the form that whoever measures by them relies on."""

from __future__ import annotations

import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

TABLES = sorted(Path(__file__).parent.glob("*.yaml"))
HELD_OUT = sorted(Path(__file__).parent.glob("held_out/*.yaml"))
KINDS = (
    "integer thousands decimal negative currency percent range date year time ordinal roman decade fraction unit "
    "multiplication hash number-sign abbreviation email web phone symbol score version plain"
)
FEWEST, FEWEST_OF_A_KIND = 150, 5


def rows(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return found


@pytest.fixture(params=[*TABLES, *HELD_OUT], ids=lambda path: f"{path.parent.name}-{path.stem}")
def table(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return rows(request.param)


def is_plain(reading: str) -> bool:
    """Words in lower case: letters and their marks, with single spaces, hyphens and apostrophes between them."""
    letters = all(sign in " -'" or unicodedata.category(sign)[0] in "LM" for sign in reading)
    return letters and reading == reading.lower() and reading.split(" ") == reading.split() != []


def test_each_language_has_a_table() -> None:
    assert [path.stem for path in TABLES] == [path.stem for path in HELD_OUT] == ["en", "es", "fr", "hi", "it", "pt"]


def test_an_entry_has_what_is_written_its_readings_and_its_kind(table: list[dict[str, Any]]) -> None:
    assert [one for one in table if one.keys() != {"written", "spoken", "kind"} or not one["written"]] == []


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_kind_has_its_share(path: Path) -> None:
    found = Counter(one["kind"] for one in rows(path))
    assert found.keys() == set(KINDS.split())
    assert found.total() >= FEWEST
    assert min(found.values()) >= FEWEST_OF_A_KIND, found


def test_what_is_held_out_is_of_the_same_kinds_and_stands_in_no_other_table() -> None:
    for path in HELD_OUT:
        found = rows(path)
        assert {one["kind"] for one in found} <= set(KINDS.split())
        assert len(found) >= FEWEST
        assert {one["written"] for one in found} & {
            one["written"] for one in rows(path.parent.parent / path.name)
        } == set()


def test_readings_are_plain_words(table: list[dict[str, Any]]) -> None:
    assert [one["written"] for one in table if not one["spoken"]] == []
    assert [reading for one in table for reading in one["spoken"] if not is_plain(reading)] == []


def test_nothing_stands_twice(table: list[dict[str, Any]]) -> None:
    assert [written for written, n in Counter(one["written"] for one in table).items() if n > 1] == []
    assert [one["written"] for one in table if len(set(one["spoken"])) < len(one["spoken"])] == []
