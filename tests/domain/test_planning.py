"""What is planned before synthesis, and planned again after the first take."""

from hypothesis import given, settings
from hypothesis import strategies as st

from dubline.domain.placing import place
from dubline.domain.planning import RETAKE, plan, retake
from dubline.domain.time import Span
from dubline.domain.timeline import MAX_RATE, MIN_RATE
from dubline.domain.transcript import Line, Segment, Transcript, Translation, Word

RATES = (MIN_RATE, MAX_RATE)


def said(number, speaker, *phrases):
    """A segment of phrases (start, end), a word each."""
    words = tuple(Word("word", Span(*phrase), 0.9) for phrase in phrases)
    return Segment(f"{number:04d}", words[0].span | words[-1].span, "Some words.", speaker, words)


def planned(segments, lines, predict=lambda text, _: 60.0 * len(text), rates=RATES, duration=60_000):
    transcript = Transcript("en", tuple(segments))
    rendered = (
        Line(s.id, text, alternatives=tuple(others)) for s, (text, *others) in zip(segments, lines, strict=True)
    )
    voices = {segment.speaker: "voice" for segment in segments}
    return transcript, plan(transcript, Translation("en", "es", tuple(rendered)), voices, predict, rates, duration)


def test_the_wording_that_lasts_as_long_as_the_source_is_chosen():
    _, chosen = planned([said(1, "A", (0, 1200))], [["x" * 60, "y" * 20, "z" * 5]])
    assert chosen.lines[0].text == "y" * 20


def test_the_engines_first_wording_is_kept_where_another_gains_little():
    _, chosen = planned([said(1, "A", (0, 1200))], [["x" * 20, "y" * 21]])
    assert chosen.lines[0].text == "x" * 20


def test_a_crowded_line_gets_a_shorter_wording_where_a_line_with_room_keeps_its_own():
    segments = [said(1, "A", (0, 1000)), said(2, "A", (1000, 2000)), said(3, "A", (9000, 10_800))]
    long, short = "x" * 30, "y" * 17
    _, chosen = planned(segments, [[long, short]] * 3)
    assert [line.text for line in chosen.lines] == [short, short, long]


def test_a_pause_inside_a_line_is_kept():
    segment = said(1, "A", (1000, 2000), (2600, 4000))
    transcript, chosen = planned([segment], [["Bueno, no lo habría dicho así"]])
    assert [phrase.slot for phrase in chosen.phrases] == [Span(1000, 2000), Span(2600, 4000)]
    assert " ".join(phrase.text for phrase in chosen.phrases) == "Bueno, no lo habría dicho así"
    clips = {phrase.id: round(phrase.slot.len_ms * 1.1) for phrase in chosen.phrases}
    first, second = place(transcript, chosen, clips, 10_000).phrases
    assert second.span.start_ms - first.span.end_ms >= 300


def test_a_line_without_words_is_planned_and_keeps_the_original():
    transcript, chosen = planned([said(1, "A", (0, 1000))], [[""]])
    (line,) = place(transcript, chosen, {}, 10_000).lines
    assert line.kept_original
    assert line.span == Span(0, 1000)


def test_a_half_spoken_line_keeps_the_original_whole():
    transcript, chosen = planned([said(1, "A", (0, 1000), (1500, 2500))], [["uno dos tres cuatro"]])
    first, *_ = chosen.phrases
    (line,) = place(transcript, chosen, {first.id: 900}, 10_000).lines
    assert line.kept_original


def test_a_phrase_that_came_out_long_is_spoken_again_faster_and_the_others_are_left():
    segments = [said(1, "A", (0, 1200)), said(2, "A", (1500, 2700))]
    transcript, first = planned(segments, [["x" * 20], ["y" * 20]])
    measured = {first.phrases[0].id: 1450, first.phrases[1].id: 1200}
    (again,) = retake(transcript, first, measured, RATES, 60_000)
    assert again.id == first.phrases[0].id
    assert again.speed > first.phrases[0].speed + RETAKE
    assert first.replacing([again]).phrases == (again, first.phrases[1])


def test_a_line_that_could_not_be_spoken_is_not_planned_anew():
    transcript, first = planned([said(1, "A", (0, 1200))], [["x" * 20]])
    assert retake(transcript, first, {}, RATES, 60_000) == ()


@st.composite
def talks(draw):
    cursor, segments, lines = 0, [], []
    for number in range(draw(st.integers(1, 8))):
        phrases = []
        for _ in range(draw(st.integers(1, 3))):
            cursor += draw(st.integers(300, 1500))
            phrases.append((cursor, cursor + draw(st.integers(50, 3000))))
            cursor = phrases[-1][1]
        segments.append(said(number, draw(st.sampled_from("AB")), *phrases))
        words = st.lists(st.sampled_from(["sí", "palabra", "inimaginablemente"]), min_size=0, max_size=30)
        lines.append([" ".join(draw(words)) for _ in range(draw(st.integers(1, 3)))])
    return segments, lines


@settings(max_examples=40)
@given(talks(), st.sampled_from([RATES, (1.0, 1.0)]))
def test_every_word_of_the_chosen_wording_is_planned_once_at_a_bearable_speed(talk, rates):
    segments, lines = talk
    _, chosen = planned(segments, lines, rates=rates)
    assert [line.segment for line in chosen.lines] == [segment.id for segment in segments]
    for line, wordings in zip(chosen.lines, lines, strict=True):
        assert line.text in wordings
        assert " ".join(phrase.text for phrase in line.phrases) == line.text
        assert all(max(MIN_RATE, rates[0]) <= phrase.speed <= min(MAX_RATE, rates[1]) for phrase in line.phrases)
