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
    """A minute and a half."""
    return make_video(tmp_path_factory.mktemp("minute") / "minute.mp4", seconds=90)


def sounding(workshop: Workshop, until_s: float) -> Path:
    """Two seconds whose sound ends with the last word, which would take some of what goes on behind it."""
    tone = f"aevalsrc=0.3*sin(2*PI*300*t)*lt(t\\,{until_s}):d=2"
    return make_video(workshop.root / "clip.mp4", "-f", "lavfi", "-i", tone)


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


def test_one_line_of_ninety_seconds_without_a_stop(workshop: Workshop, minute: Path) -> None:
    workshop.profile(asr={"text": " ".join(["word"] * 360)})
    lines = dubbed(workshop, minute)
    assert sum(len(line["source_text"].split()) for line in lines) == 360
    assert all(line["phrases"] for line in lines)


def test_lines_of_fifty_milliseconds(workshop: Workshop) -> None:
    video = sounding(workshop, until_s=0.38)
    workshop.profile(asr={"text": "Ah. Oh. Um. Er. Hm. Eh. Aw. Uh.", "word_ms": 50}, translation={"says": "Y"})
    lines = dubbed(workshop, video)
    assert len(lines) == 8
    assert all(line["source_end_ms"] - line["source_start_ms"] <= 50 for line in lines)
    assert all(line["phrases"] for line in lines)


def test_of_several_wordings_the_one_that_fits_is_spoken(workshop: Workshop, video: Path) -> None:
    workshop.profile(
        {"translation": "FakeTranslatorOfSeveral"}, asr={"text": "One two three. Four five."}, translation={"times": 3}
    )
    lines = dubbed(workshop, video)
    assert [line["text"] for line in lines] == [".eerht owt enO es", ".evif ruoF es"]
    assert all(line["phrases"] for line in lines)


@pytest.mark.parametrize(("once", "speeds"), [(False, [1.2, 1.25]), (True, [1.0, 1.1])])
def test_what_is_spoken_slower_than_foreseen_is_spoken_again_and_a_failed_second_take_leaves_the_first(
    workshop: Workshop, minute: Path, once: bool, speeds: list[float]
) -> None:
    workshop.profile(asr={"text": "One two three four five six."}, speech={"slower": 1.2, "once": once})
    lines = dubbed(workshop, minute)
    spoken = sum(count for call, count in workshop.engine_calls().items() if call.startswith("speech"))
    assert spoken == 2 * len(lines)
    assert [line["phrases"][0]["speed"] for line in lines] == speeds


def test_fewer_words_than_phrases_begin_with_the_first_and_are_told(workshop: Workshop) -> None:
    paused = "aevalsrc=0.3*sin(2*PI*300*t)*(lt(t\\,0.75)+gt(t\\,1.25)):d=2"
    video = make_video(workshop.root / "clip.mp4", "-f", "lavfi", "-i", paused)
    workshop.profile(asr={"text": "Oh no. Well | I know."}, translation={"says": "Sí."})
    line = dubbed(workshop, video)[-1]
    assert [phrase["text"] for phrase in line["phrases"]] == ["Sí."]
    assert line["start_ms"] < 750
    assert "part-silent" in line["flags"]


def test_an_empty_translation_keeps_the_original_and_is_flagged(workshop: Workshop, video: Path) -> None:
    workshop.profile(asr={"text": "Fine. Quiet. Fine."}, translation={"mute": "Quiet."})
    first, second, third = dubbed(workshop, video)
    assert first["phrases"]
    assert third["phrases"]
    assert second["flags"] == ["kept-original"]
    assert (second["start_ms"], second["end_ms"]) == (second["source_start_ms"], second["source_end_ms"])
