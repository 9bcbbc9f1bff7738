"""A voice for each speaker."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubline.domain.casting import VoiceChoice, cast, register_of
from dubline.domain.errors import InvalidRequest, UnsupportedLanguage
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


def like(*values: float, space: str = "ear") -> dict[str, object]:
    return {"embedding": values, "embedding_space": space}


def test_of_equal_voices_the_one_that_sounds_alike_is_taken():
    voices = [VoiceChoice("dark", "low", **like(1, 0)), VoiceChoice("bright", "low", **like(0, 1))]
    assert cast([Speaker("S1", 110.0, 5, **like(0.1, 0.9))], voices) == {"S1": "bright"}
    assert cast([Speaker("S1", 110.0, 5, **like(0.1, 0.9, space="other"))], voices) == {"S1": "dark"}


def test_all_speakers_together_sound_as_much_alike_as_they_can():
    """Each would take the same voice; the one who loses less by it takes the other."""
    voices = [VoiceChoice("dark", "low", **like(1, 0)), VoiceChoice("bright", "low", **like(0.6, 0.8))]
    first, second = Speaker("S1", 110.0, 10, **like(0.9, 0.44)), Speaker("S2", 110.0, 10, **like(1, 0))
    assert cast([first, second], voices) == {"S1": "bright", "S2": "dark"}


def test_a_speaker_keeps_a_voice_of_like_character_in_every_language():
    speakers = [Speaker("S1", 110.0, 9, **like(1, 0)), Speaker("S2", 112.0, 8, **like(0, 1))]
    spanish = [VoiceChoice("es1", "low", **like(0.1, 1)), VoiceChoice("es2", "low", **like(1, 0.1))]
    french = [VoiceChoice("fr1", "low", **like(1, 0.2)), VoiceChoice("fr2", "low", **like(0.2, 1))]
    assert cast(speakers, spanish) == {"S1": "es2", "S2": "es1"}
    assert cast(speakers, french) == {"S1": "fr1", "S2": "fr2"}


def test_a_persons_choice_holds_and_nobody_else_gets_that_voice():
    assert cast([BOB, DIANE], SPANISH, {"S1": "em_alex"}) == {"S3": "em_santa", "S1": "em_alex"}
    both = {"S1": "if_sara", "S3": "if_sara"}
    assert cast([BOB, DIANE], SPANISH, both) == {"S3": "if_sara", "S1": "if_sara"}


def test_a_choice_for_nobody_or_of_no_voice_is_refused_by_name():
    with pytest.raises(InvalidRequest, match=r"'S9', but the video has S3, S1"):
        cast([BOB, DIANE], SPANISH, {"S9": "em_alex"})
    with pytest.raises(InvalidRequest, match=r"no voice 'xx_nobody'.*use one of: ef_dora, em_alex"):
        cast([BOB, DIANE], SPANISH, {"S1": "xx_nobody"})


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
