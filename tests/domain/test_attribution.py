"""Words and turns become sentences with speakers."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dubline.domain.attribution import LONGEST_MS, attribute, ends_sentence, join
from dubline.domain.time import Span
from dubline.domain.transcript import Speaker, Turn, Word


def word(text: str, start: int, end: int, confidence: float = 0.9) -> Word:
    return Word(text, Span(start, end), confidence)


def spoken(text: str, start: int = 0, each: int = 300, gap: int = 50) -> list[Word]:
    """The words of a text, one after the other."""
    return [word(t, start + i * (each + gap), start + i * (each + gap) + each) for i, t in enumerate(text.split())]


def turn(start: int, end: int, speaker: str) -> Turn:
    return Turn(Span(start, end), speaker)


A, B = Speaker("S1", 200.0, 5000), Speaker("S2", 110.0, 4000)


def said(words, turns, language="en"):
    return [(s.speaker, s.text) for s in attribute(words, turns, [A, B], language).segments]


def test_each_word_goes_to_the_speaker_whose_turn_overlaps_it_most():
    words = [word("Hello?", 0, 500), word("Hello!", 600, 1000)]
    assert said(words, [turn(0, 650, "S1"), turn(640, 1100, "S2")]) == [("S1", "Hello?"), ("S2", "Hello!")]


def test_turns_of_one_speaker_add_up():
    words = [word("Hello.", 0, 1000)]
    turns = [turn(0, 300, "S1"), turn(300, 700, "S2"), turn(700, 1000, "S1")]
    assert said(words, turns) == [("S1", "Hello.")]


def test_where_two_talk_at_once_the_one_already_speaking_keeps_the_word():
    words = [word("I", 0, 200), word("think", 200, 600), word("so.", 600, 900)]
    assert said(words, [turn(0, 900, "S2"), turn(150, 1000, "S1")]) == [("S2", "I think so.")]


def test_who_takes_the_floor_talks_into_the_last_words_of_the_other():
    words = [*spoken("Neither did I."), *spoken("Okay, then I thought", start=1050)]
    turns = [turn(0, 1400, "S1"), turn(1000, 2600, "S2")]
    assert said(words, turns) == [("S1", "Neither did I."), ("S2", "Okay, then I thought")]


def test_a_short_interjection_does_not_take_over_a_sentence_that_begins_under_it():
    words = spoken("It rained. We stayed at home.")
    assert said(words, [turn(0, 2200, "S1"), turn(600, 1100, "S2")])[1] == ("S1", "We stayed at home.")


def test_a_word_outside_all_turns_goes_to_the_nearest():
    turns = [turn(0, 10_000, "S1"), turn(1000, 1100, "S2"), turn(20_000, 21_000, "S2")]
    assert said([word("Late.", 11_000, 11_500)], turns) == [("S1", "Late.")]
    assert said([word("Later.", 19_000, 19_400)], turns) == [("S2", "Later.")]


def test_without_turns_one_speaker_says_everything():
    transcript = attribute(spoken("One thing. Another thing."), [], [], "en")
    assert [s.speaker for s in transcript.segments] == ["S1", "S1"]
    assert [(s.id, s.median_f0_hz) for s in transcript.speakers] == [("S1", None)]
    assert transcript.speakers[0].speech_ms == sum(s.span.len_ms for s in transcript.segments)


def test_nothing_said_is_an_empty_transcript():
    transcript = attribute([], [turn(0, 500, "S1")], [A], "en")
    assert (transcript.segments, transcript.speakers) == ((), ())


def test_a_lone_word_in_mid_sentence_is_taken_back():
    words = spoken("I was born in Chicago.")
    turns = [turn(0, 690, "S1"), turn(700, 1000, "S2"), turn(1050, 2000, "S1")]
    assert said(words, turns) == [("S1", "I was born in Chicago.")]


def test_a_lone_word_after_a_pause_stays_with_its_speaker():
    words = [word("I", 0, 300), word("mean", 350, 650), word("yes", 1000, 1300), word("we", 1650, 1900)]
    turns = [turn(0, 700, "S1"), turn(950, 1400, "S2"), turn(1600, 2000, "S1")]
    assert said(words, turns) == [("S1", "I mean"), ("S2", "yes"), ("S1", "we")]


def test_a_turn_of_one_word_in_a_quick_exchange_is_not_taken_back():
    """Whatever stands between them: a recognizer may write commas."""
    words = spoken("no, yes, why tomorrow", each=400, gap=200)
    turns = [turn(i * 600, i * 600 + 400, ("S1", "S2")[i % 2]) for i in range(4)]
    assert [speaker for speaker, _ in said(words, turns)] == ["S1", "S2", "S1", "S2"]


def test_a_sentence_keeps_its_first_word_when_the_turn_begins_late():
    words = spoken("Hello there. Neither did I.")
    assert said(words, [turn(0, 1000, "S1"), turn(1050, 2000, "S2")])[1] == ("S2", "Neither did I.")


def test_a_sentence_keeps_its_last_word_when_the_turn_ends_early():
    words = spoken("At least you know. Oh really.")
    turns = [turn(0, 1000, "S1"), turn(1030, 2200, "S2")]
    assert said(words, turns) == [("S1", "At least you know."), ("S2", "Oh really.")]


def test_a_word_of_the_other_speaker_far_from_the_sentence_owner_is_believed():
    words = [word("so", 0, 300), word("it", 350, 650), word("goes", 700, 1000), word("right", 1250, 1500)]
    turns = [turn(0, 650, "S1"), turn(1240, 1500, "S2")]
    assert said(words, turns)[-1] == ("S2", "right")


def test_sentences_end_at_final_punctuation_and_long_pauses():
    words = [*spoken("Well, it is late."), *spoken("I go home", start=1500), *spoken("now", start=4000)]
    assert [text for _, text in said(words, [turn(0, 5000, "S1")])] == ["Well, it is late.", "I go home", "now"]


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("late.", True),
        ("what?”", True),
        ("(yes!)", True),
        ("I.", True),
        ("No.", True),
        ("です。", True),
        ("है।", True),
        ("Mr.", False),
        ("J.", False),
        ("3.5", False),
        ("well...", False),
        ("hmm…", False),
        ("but,", False),
        ("", False),
    ],
)
def test_what_ends_a_sentence(text, ends):
    assert ends_sentence(text) is ends


def test_a_long_sentence_is_parted_at_a_clause():
    words = spoken("one two three four five six, seven eight nine ten eleven twelve", each=1100)
    texts = [text for _, text in said(words, [turn(0, 20_000, "S1")])]
    assert texts == ["one two three four five six,", "seven eight nine ten eleven twelve"]


def test_a_long_sentence_without_clauses_is_parted_at_its_largest_pause():
    words = spoken("a b c d e", each=1400) + spoken("f g h i j", start=5 * 1450 + 400, each=1400)
    assert [text for _, text in said(words, [turn(0, 20_000, "S1")])] == ["a b c d e", "f g h i j"]


def test_many_characters_are_parted_too():
    words = spoken("characters " * 30, each=100, gap=10)
    texts = [text for _, text in said(words, [turn(0, 20_000, "S1")])]
    assert len(texts) == 2 and max(map(len, texts)) <= 200


def test_a_language_without_spaces_is_written_without_them():
    assert join(["私", "は", "学生", "です。"], "ja") == "私は学生です。"
    assert join(["我", "用", "Python", "3", "写"], "zh") == "我用Python 3写"
    assert join(["yo", "soy"], "es") == "yo soy"


def test_speakers_are_listed_by_first_segment_and_those_without_words_are_dropped():
    words = spoken("Hi there.") + spoken("Hello you.", start=3000)
    turns = [turn(0, 900, "S2"), turn(1000, 1500, "S3"), turn(2900, 4000, "S1")]
    transcript = attribute(words, turns, [A, B, Speaker("S3")], "en")
    assert transcript.speakers == (B, A)


def test_confidence_is_the_mean_of_the_words():
    transcript = attribute([word("Good", 0, 300, 0.5), word("day.", 300, 600, 1.0)], [], [], "en")
    assert transcript.segments[0].confidence == pytest.approx(0.75)


def test_times_of_neighbouring_words_are_trimmed_no_more_than_needed():
    words = [word("One.", 0, 520), word("Two.", 500, 900)]
    first, second = attribute(words, [], [], "en").segments
    assert (first.span, second.span) == (Span(0, 500), Span(500, 900))


texts = st.sampled_from(["a", "bb,", "ccc.", "Dr.", "why?", "well…", "で", "す。", "x" * 40])
spans = st.tuples(st.integers(0, 40_000), st.integers(0, 3_000)).map(lambda p: Span(p[0], p[0] + p[1]))
any_words = st.lists(st.builds(Word, texts, spans, st.floats(0, 1)), max_size=40)
fluent = st.lists(st.tuples(texts, st.integers(0, 900), st.integers(-30, 1500)), max_size=60).map(
    lambda rows: _in_sequence(rows)
)
any_turns = st.lists(st.builds(Turn, spans, st.sampled_from(["S1", "S2", "S3"])), max_size=12)


def _in_sequence(rows):
    at, result = 0, []
    for text, length, gap in rows:
        at = max(at + gap, 0)
        result.append(word(text, at, at + length))
        at += length
    return result


@settings(max_examples=150)
@given(st.one_of(any_words, fluent), any_turns, st.sampled_from(["en", "ja"]))
def test_attribution_keeps_every_word_in_order_and_nobody_overlaps_himself(words, turns, language):
    transcript = attribute(words, turns, [A, B], language)
    kept = [w for segment in transcript.segments for w in segment.words]
    assert [(w.text, w.confidence) for w in kept] == [(w.text, w.confidence) for w in words]
    assert [s.id for s in transcript.segments] == [f"{n:04d}" for n in range(1, len(transcript.segments) + 1)]
    starts = [s.span.start_ms for s in transcript.segments]
    assert starts == sorted(starts)
    for name in {s.speaker for s in transcript.segments}:
        own = [s for s in transcript.segments if s.speaker == name]
        assert all(a.span.end_ms <= b.span.start_ms for a, b in pairwise(own))
    for segment in transcript.segments:
        assert segment.span.len_ms >= 1
        assert all(w.span.len_ms >= 1 and w.span & segment.span == w.span for w in segment.words)
    assert [s.id for s in transcript.speakers] == list(dict.fromkeys(s.speaker for s in transcript.segments))
    assert transcript == attribute(words, turns, [A, B], language)


@settings(max_examples=80)
@given(fluent)
def test_no_long_segment_is_left_that_could_be_parted(words):
    for segment in attribute(words, [], [], "en").segments:
        assert len(segment.words) == 1 or (segment.span.len_ms <= LONGEST_MS and len(segment.text) <= 200)
