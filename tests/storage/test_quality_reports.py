"""The quality report lies in the store, so whoever reaches the store can read it."""

from __future__ import annotations

from pathlib import Path

from dubline.storage.chosen import shared
from dubline.storage.locations import BucketFile
from dubline.storage.places import LocalPlace, Place
from dubline.storage.s3 import BucketPlace
from tasks.report_on_runs import INDEX, RunFacts, publish

FILES = {INDEX, "runs.csv", "dubs.csv", "data_docs.html"}


def test_a_report_replaces_that_of_the_same_day(place_kind: str) -> None:
    folder = shared("quality") / "2026-01-02"
    assert isinstance(folder, BucketFile) == (place_kind == "s3")
    place: Place = LocalPlace(folder) if isinstance(folder, Path) else BucketPlace(folder)
    for name in ("one.mp4", "<b>.mp4"):
        publish([RunFacts(name, "Failed", 0.5, "It was broken.", None)], folder, "Dubs of a day")
        assert {entry.key for entry in place.entries()} == FILES
    index = (place.read(INDEX) or b"").decode()
    assert "&lt;b&gt;.mp4" in index and "one.mp4" not in index
    assert (place.read("runs.csv") or b"").decode() == "run,state,minutes,reason\n<b>.mp4,Failed,0.5,It was broken.\n"
