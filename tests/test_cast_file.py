"""Voices as a person chooses them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from dubline import cast_file
from dubline.cast_file import VoiceOverride
from dubline.domain.errors import InvalidRequest
from dubline.domain.time import Span
from dubline.domain.transcript import Segment, Speaker, Transcript
from dubline.request import TranslateRequest, accept

SCRIPT = Transcript(
    "en",
    (
        Segment("1", Span(0, 900), "Hello: who's there?", "S2"),
        Segment("2", Span(900, 1500), "Me!", "S1"),
        Segment("3", Span(1500, 2500), "Come in.", "S2"),
    ),
    (Speaker("S2", 203.123, 1900), Speaker("S1", None, 600)),
)
CHOSEN = {"es": {"S2": "ef_dora", "S1": "em_alex"}, "fr": {"S2": "ff_siwis", "S1": "em_alex"}}


def test_an_option_names_a_speaker_and_a_voice_and_maybe_a_language() -> None:
    assert cast_file.parse("S1=em_alex") == VoiceOverride(speaker="S1", voice="em_alex")
    assert cast_file.parse("S1=es:em_alex") == VoiceOverride(speaker="S1", voice="em_alex", language="es")


@pytest.mark.parametrize("option", ["S1", "S1=", "=em_alex", "", "S1=:em_alex", "S1=es:"])
def test_an_option_that_names_less_is_refused(option: str) -> None:
    with pytest.raises(InvalidRequest, match="write it as S1=em_alex"):
        cast_file.parse(option)


def test_a_written_cast_comes_back_with_all_its_voices(tmp_path: Path) -> None:
    path = tmp_path / "cast.yaml"
    path.write_text(cast_file.written(SCRIPT, CHOSEN), encoding="utf-8")
    back = cast_file.read(path)
    for language, voices in CHOSEN.items():
        assert cast_file.voices_for(back, language) == voices
    assert cast_file.voices_for(back, "it") == {}


def test_a_written_cast_says_who_is_who() -> None:
    found = yaml.safe_load(cast_file.written(SCRIPT, CHOSEN))["speakers"]
    assert list(found) == ["S2", "S1"]
    assert found["S2"] == {
        "register": "high",
        "median_f0_hz": 203.1,
        "speech_s": 1.9,
        "first_line": "Hello: who's there?",
        "voices": {"es": "ef_dora", "fr": "ff_siwis"},
    }
    assert found["S1"]["register"] is None


def test_the_later_of_two_choices_holds() -> None:
    choices = [VoiceOverride(speaker="S1", voice="a", language="es"), VoiceOverride(speaker="S1", voice="b")]
    assert cast_file.voices_for(choices, "es") == {"S1": "b"}
    assert cast_file.voices_for(reversed(choices), "es") == {"S1": "a"}
    assert cast_file.voices_for(reversed(choices), "fr") == {"S1": "b"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("speakers: [", "is not YAML"),
        ("", "is wrong at the file"),
        ("speakers: {S1: {voice: a}}", "is wrong at speakers.S1.voice"),
        ("speakers: {S1: {voices: {es: [a]}}}", "is wrong at speakers.S1.voices.es"),
    ],
)
def test_a_broken_cast_file_is_refused_with_its_place(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "cast.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InvalidRequest, match=message):
        cast_file.read(path)


def test_a_cast_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="cannot be read"):
        cast_file.read(tmp_path / "none.yaml")


def test_an_unknown_voice_is_refused_before_any_work(tmp_path: Path) -> None:
    choice = VoiceOverride(speaker="S1", voice="xx_nobody")
    request = TranslateRequest(video=tmp_path / "v.mp4", languages=("es",), out=tmp_path, voices=(choice,))
    with pytest.raises(InvalidRequest, match=r"no voice 'xx_nobody' for 'es'.*use one of: ef_dora"):
        accept(request)
    fine = TranslateRequest(
        video=tmp_path / "v.mp4",
        languages=("es",),
        out=tmp_path,
        voices=(VoiceOverride(speaker="S1", voice="em_santa"), choice.model_copy(update={"language": "fr"})),
    )
    assert accept(fine).speech.engine == "kokoro"
