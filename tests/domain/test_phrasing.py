"""Phrases between pauses, and a translation shared out over them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubline.domain.phrasing import PAUSE_MS, phrased, slots
from dubline.domain.time import Span
from dubline.domain.transcript import Segment, Word


def said(*spans):
    words = tuple(Word("word", Span(start, end), 0.9) for start, end in spans)
    return Segment("s1", words[0].span | words[-1].span, "words", "A", words)


def test_a_pause_parts_phrases_and_a_shorter_silence_does_not():
    segment = said((0, 500), (500 + PAUSE_MS - 1, 1000), (1000 + PAUSE_MS, 2000))
    assert slots(segment) == (Span(0, 1000), Span(1000 + PAUSE_MS, 2000))


def test_a_segment_without_words_is_one_phrase():
    assert slots(Segment("s1", Span(100, 900), "words", "A")) == (Span(100, 900),)


def test_a_text_is_parted_where_its_pieces_last_as_long_as_the_source():
    spans = [Span(0, 500), Span(1000, 3000)]
    assert phrased("Well, I would never have said anything like it", spans, "en", 2500) == (
        "Well,",
        "I would never have said anything like it",
    )


def test_a_text_is_not_parted_behind_an_article_for_some_milliseconds():
    spans = [Span(0, 1150), Span(1500, 2500)]
    first, second = phrased("Mi hermano trabaja en la empresa grande de la ciudad", spans, "es", 2200)
    assert not first.endswith((" la", " en", " de"))
    assert f"{first} {second}" == "Mi hermano trabaja en la empresa grande de la ciudad"


def test_chinese_is_parted_between_characters():
    pieces = phrased("我们昨天去了公园然后回家吃饭", [Span(0, 1000), Span(1500, 2500)], "zh", 2000)
    assert "".join(pieces) == "我们昨天去了公园然后回家吃饭"
    assert all(pieces)


def test_fewer_words_than_phrases_leave_phrases_empty():
    pieces = phrased("Sí", [Span(0, 300), Span(700, 1500), Span(2000, 2200)], "es", 400)
    assert pieces == ("Sí", "", "")


def test_too_long_a_text_is_shared_out_over_all_phrases():
    text = " ".join(["palabra"] * 30)
    pieces = phrased(text, [Span(0, 1000), Span(1400, 2400), Span(2800, 3800)], "es", 12_000)
    assert max(map(len, pieces)) < 2 * min(map(len, pieces))


@given(
    st.lists(st.text("abcñ.,¿?", min_size=1, max_size=8), max_size=25),
    st.lists(st.integers(50, 4000), min_size=1, max_size=6),
    st.floats(0, 30_000),
)
def test_no_character_is_lost_or_moved(words, lengths, spoken_ms):
    cursor, spans = 0, []
    for length in lengths:
        spans.append(Span(cursor, cursor + length))
        cursor += length + PAUSE_MS
    text = " ".join(words)
    pieces = phrased(text, spans, "es", spoken_ms)
    assert len(pieces) == len(spans)
    assert "".join("".join(pieces).split()) == "".join(text.split())


@pytest.mark.parametrize("text", ["", "   "])
def test_nothing_to_say_is_parted_into_nothing(text):
    assert phrased(text, [Span(0, 500), Span(900, 1500)], "es", 0) == ("", "")
