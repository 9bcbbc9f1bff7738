"""Speech that does not fit: no line is dropped, cut, hurried beyond the cap or said over another of its speaker."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from dubline.domain.timeline import MAX_RATE, MAX_STRETCH, MIN_RATE
from tests.pipeline.workshop import Workshop, make_video

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def minute(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("minute") / "minute.mp4", seconds=60)


def dubbed(workshop: Workshop, video: Path) -> list[dict]:
    """The lines of the dub, held to what must be true of any."""
    result = workshop.translate(video)
    assert result.returncode == 0, result.stderr
    lines: list[dict] = workshop.manifest()["dubs"][0]["lines"]
    for line in lines:
        spoken = " ".join(phrase["text"] for phrase in line["phrases"])
        assert spoken == line["text"] or line["flags"] == ["kept-original"]
        for phrase in line["phrases"]:
            assert phrase["stretch"] <= MAX_STRETCH + 1e-6
            assert MIN_RATE - 1e-6 <= phrase["speed"] * phrase["stretch"] <= MAX_RATE + 1e-6
    for speaker in {line["speaker"] for line in lines}:
        own = [phrase for line in lines if line["speaker"] == speaker for phrase in line["phrases"]]
        assert all(one["end_ms"] <= other["start_ms"] for one, other in pairwise(own))
    return lines


def test_a_translation_three_times_longer_than_its_slot(workshop: Workshop, video: Path) -> None:
    workshop.profile(asr={"text": "One two three. Four five."}, translation={"times": 3})
    lines = dubbed(workshop, video)
    assert [len(line["text"].split()) for line in lines] == [10, 7]
    assert any(line["flags"] == ["kept-original"] for line in lines)
    assert all(phrase["end_ms"] <= 2000 for line in lines for phrase in line["phrases"])


def test_two_hundred_lines_in_a_minute(workshop: Workshop, minute: Path) -> None:
    workshop.profile(asr={"text": " ".join(f"W{number}." for number in range(200))})
    lines = dubbed(workshop, minute)
    assert len(lines) == 200
    assert all(line["phrases"] for line in lines)


def test_one_line_of_a_minute_without_a_stop(workshop: Workshop, minute: Path) -> None:
    workshop.profile(asr={"text": " ".join(["word"] * 240)})
    lines = dubbed(workshop, minute)
    assert sum(len(line["source_text"].split()) for line in lines) == 240
    assert all(line["phrases"] for line in lines)


def test_an_empty_translation_keeps_the_original_and_is_flagged(workshop: Workshop, video: Path) -> None:
    workshop.profile(asr={"text": "Fine. Quiet. Fine."}, translation={"mute": "Quiet."})
    first, second, third = dubbed(workshop, video)
    assert first["phrases"]
    assert third["phrases"]
    assert second["flags"] == ["kept-original"]
    assert (second["start_ms"], second["end_ms"]) == (second["source_start_ms"], second["source_end_ms"])
