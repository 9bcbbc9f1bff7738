"""A voice for each speaker."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubline.domain.casting import VoiceChoice, cast, register_of
from dubline.domain.errors import UnsupportedLanguage
from dubline.domain.transcript import Speaker

SPANISH = [
    VoiceChoice("ef_dora", "high"),
    VoiceChoice("em_alex", "low"),
    VoiceChoice("em_santa", "low"),
    VoiceChoice("if_sara", "high", native=False),
    VoiceChoice("im_nicola", "low", native=False),
]
DIANE, SHEILA, BOB = Speaker("S1", 203.0, 9_000), Speaker("S2", 194.0, 12_000), Speaker("S3", 110.0, 30_000)


def test_register_follows_the_pitch():
    assert [register_of(s) for s in (DIANE, BOB, Speaker("S4"))] == ["high", "low", None]


def test_a_man_gets_a_low_voice_and_a_woman_a_high_one():
    assert cast([DIANE, BOB], SPANISH) == {"S1": "ef_dora", "S3": "em_alex"}


def test_of_two_women_the_one_who_speaks_more_gets_the_native_voice_and_the_other_a_foreign_one():
    assert cast([DIANE, SHEILA], SPANISH) == {"S1": "if_sara", "S2": "ef_dora"}


def test_the_wrong_register_comes_after_the_right_one_and_before_sharing():
    third = Speaker("S5", 220.0, 1_000)
    assert cast([DIANE, SHEILA, third], SPANISH)["S5"] == "em_alex"


def test_a_speaker_of_unknown_pitch_takes_the_first_free_native_voice():
    assert cast([SHEILA, Speaker("S9")], SPANISH) == {"S2": "ef_dora", "S9": "em_alex"}


def test_sharing_begins_with_the_right_register_when_all_voices_are_taken():
    voices = [VoiceChoice("low", "low"), VoiceChoice("high", "high")]
    women = [Speaker(f"S{n}", 200.0, 100 - n) for n in range(3)]
    assert cast(women, voices) == {"S0": "high", "S1": "low", "S2": "high"}


def test_a_clearly_nearer_pitch_is_preferred_among_equals():
    voices = [VoiceChoice("bass", "low", median_f0_hz=80.0), VoiceChoice("tenor", "low", median_f0_hz=150.0)]
    assert cast([Speaker("S1", 152.0)], voices) == {"S1": "tenor"}
    near = [VoiceChoice("best", "low", median_f0_hz=118.0), VoiceChoice("next", "low", median_f0_hz=110.0)]
    assert cast([BOB], near) == {"S3": "best"}


def test_no_voice_is_an_unsupported_language():
    with pytest.raises(UnsupportedLanguage, match="No voice"):
        cast([DIANE], [])
    assert cast([], []) == {}


speakers = st.lists(
    st.builds(Speaker, st.uuids().map(str), st.none() | st.floats(60, 400), st.integers(0, 99)), max_size=8
)
voices = st.lists(
    st.builds(
        VoiceChoice,
        st.sampled_from([f"v{n}" for n in range(12)]),
        st.sampled_from(["low", "high"]),
        st.booleans(),
        st.none() | st.floats(60, 400),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda voice: voice.id,
)


@given(speakers, voices)
def test_everybody_is_cast_and_voices_are_shared_only_when_none_is_left(people, choices):
    result = cast(people, choices)
    assert list(result) == [speaker.id for speaker in people]
    counts = [list(result.values()).count(voice.id) for voice in choices]
    assert max(counts) - min(counts) <= 1
    assert result == cast(people, choices)


@given(speakers, voices)
def test_the_right_register_is_given_while_it_lasts(people, choices):
    result = cast(people, choices)
    register = {voice.id: voice.register for voice in choices}
    for wanted in ("low", "high"):
        known = [s for s in people if register_of(s) == wanted]
        others = [s for s in people if register_of(s) != wanted]
        if len(people) <= len(choices) and not others:
            right = sum(register[result[s.id]] == wanted for s in known)
            assert right == min(len(known), sum(voice.register == wanted for voice in choices))
