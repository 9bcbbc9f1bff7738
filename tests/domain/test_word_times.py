"""Word times against detected speech."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubline.domain.time import Span
from dubline.domain.transcript import Word
from dubline.domain.word_times import REACH_MS, corrected


def times(spans, speech):
    words = [Word(f"w{number}", Span(*span), 0.9) for number, span in enumerate(spans)]
    return [(w.span.start_ms, w.span.end_ms) for w in corrected(words, [Span(*run) for run in speech])]


def test_a_word_that_begins_in_silence_begins_with_the_speech():
    assert times([(6380, 6940)], [(6750, 7100)]) == [(6750, 7100)]


def test_speech_goes_on_until_the_next_word():
    assert times([(0, 300), (500, 900)], [(0, 900)]) == [(0, 500), (500, 900)]


def test_speech_between_two_words_belongs_to_the_first():
    assert times([(0, 300), (500, 900)], [(0, 450), (500, 900)]) == [(0, 450), (500, 900)]


def test_a_word_that_the_recognizer_stretched_over_a_pause_ends_before_it():
    assert times([(1000, 2250), (2250, 2600)], [(900, 1700), (2200, 2700)]) == [(900, 1700), (2200, 2700)]


def length(text, spans, number=1):
    """Of a word with this text, at these times among words of usual length, in speech all over."""
    words = [Word(text if n == number else "word", Span(*span), 0.9) for n, span in enumerate(spans)]
    return corrected(words, [Span(0, 10_000)])[number].span


def test_a_word_that_stands_for_a_sentence_is_cut_to_what_its_letters_take():
    found = length("Bueno,", [(1000, 1300), (1300, 3100), (3150, 3400)])
    assert (found.start_ms, found.end_ms) == (1300, 1300 + round(1.5 * 350))


def test_such_a_word_is_cut_at_its_start_where_it_leads_into_the_next_and_follows_none():
    found = length("Bueno,", [(1000, 1300), (2300, 4100), (4100, 4400)])
    assert (found.start_ms, found.end_ms) == (4100 - round(1.5 * 350), 4100)


@pytest.mark.parametrize(
    ("text", "lasts_ms"),
    [
        ("well,", 800),
        ("extraordinary", 1800),
        ("1995", 1900),
        ("USA", 1200),
        ("250.000", 3000),
        ("$5", 1500),
        ("東京", 900),
    ],
)
def test_a_word_that_is_drawn_out_or_written_shorter_than_it_is_said_keeps_its_length(text, lasts_ms):
    assert length(text, [(0, 500), (1000, 1000 + lasts_ms), (9000, 9100)]).len_ms >= lasts_ms


def test_speech_behind_a_word_that_could_be_another_word_is_not_given_to_it():
    assert times([(0, 300), (700, 900)], [(0, 900)]) == [(0, 300), (700, 900)]
    assert times([(0, 300), (699, 900)], [(0, 900)]) == [(0, 699), (699, 900)]


def test_the_last_word_of_a_sentence_is_drawn_out_by_what_its_letters_take():
    ended = [Word("there.", Span(0, 300), 0.9), Word("word", Span(1000, 1300), 0.9)]
    assert [w.span.end_ms for w in corrected(ended, [Span(0, 1300)])] == [500, 1300]


def test_a_word_in_undetected_speech_stays():
    assert times([(0, 300), (5000, 5300)], [(0, 300)]) == [(0, 300), (5000, 5300)]


def test_an_edge_far_from_the_word_is_another_matter():
    assert times([(2000, 2300)], [(2000 - REACH_MS - 1, 2300 + REACH_MS + 1)]) == [(2000, 2300)]


@st.composite
def recordings(draw):
    cursor, words, speech = 0, [], []
    for _ in range(draw(st.integers(1, 12))):
        start = cursor + draw(st.integers(0, 800))
        cursor = start + draw(st.integers(0, 700))
        words.append((start, cursor))
    cursor = 0
    for _ in range(draw(st.integers(0, 8))):
        start = cursor + draw(st.integers(1, 900))
        cursor = start + draw(st.integers(1, 1500))
        speech.append((start, cursor))
    return words, speech


@given(recordings())
def test_words_keep_their_order_and_do_not_run_into_each_other(recording):
    words, speech = recording
    found = times(words, speech)
    for (start, end), (old_start, old_end) in zip(found, words, strict=True):
        assert start <= end
        assert old_start - start <= REACH_MS
        assert end - old_end <= REACH_MS
    for (_, end), (start, _) in pairwise(found):
        assert end <= start
