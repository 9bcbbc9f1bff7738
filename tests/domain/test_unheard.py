"""Clear speech that no line has: what is told of it, and where the original's sound stays."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubline.domain.original_sound import MARGIN_MS, replaced, stays
from dubline.domain.placing import place
from dubline.domain.time import Span, intersection, total_ms
from dubline.domain.timeline import FittedTimeline, PlacedLine, PlacedPhrase, PlannedLine, PlannedPhrase, SpeechPlan
from dubline.domain.transcript import NOBODY, Segment, Transcript, Turn, Word
from dubline.domain.unheard import UNHEARD_MS, by_speaker, talked_over, unheard


def said(number, *words, speaker="A"):
    """A line whose words stand at the given times."""
    spoken = tuple(Word("word", Span(*word), 0.9) for word in words)
    return Segment(f"{number:04d}", spoken[0].span | spoken[-1].span, "words", speaker, spoken)


def heard(*segments, speech=(), **speakers):
    """A transcript over clear speech of nobody known, and of the speakers named."""
    turns = [(NOBODY, span) for span in speech] + [(name, span) for name, spans in speakers.items() for span in spans]
    return Transcript("en", segments, speech=tuple(Turn(Span(*span), name) for name, span in turns))


def times(spans):
    return [(span.start_ms, span.end_ms) for span in spans]


def test_a_sentence_that_was_not_written_down_is_told_with_its_times():
    one, two = said(1, (0, 400), (450, 1000)), said(2, (4000, 5000))
    assert times(unheard(heard(one, two, speech=[(0, 1000), (1500, 3500), (4000, 5000)]))) == [(1500, 3500)]


def test_speech_in_the_midst_of_a_run_and_at_both_ends_of_a_file_is_told():
    found = unheard(heard(said(1, (900, 1500)), said(2, (2500, 3000)), speech=[(0, 4200)]))
    assert times(found) == [(0, 900), (1500, 2500), (3000, 4200)]


@pytest.mark.parametrize(("length_ms", "told"), [(UNHEARD_MS - 1, False), (UNHEARD_MS, True)])
def test_less_than_a_short_word_is_an_edge(length_ms, told):
    assert bool(unheard(heard(said(1, (0, 1000)), speech=[(0, 1000 + length_ms)]))) is told


def test_the_short_pauses_of_a_line_are_its_own():
    assert not unheard(heard(said(1, (0, 400), (690, 1000)), speech=[(0, 1000)]))


def test_silence_in_which_nobody_speaks_is_not_told():
    assert not unheard(heard(said(1, (0, 400)), said(2, (5000, 6000)), speech=[(0, 400), (5000, 6000)]))


def test_a_turn_that_only_anothers_words_cover_is_told_with_its_speaker():
    script = heard(said(1, (0, 5000)), A=[(0, 5000)], B=[(2000, 3000)])
    assert unheard(script) == ()
    assert talked_over(script) == (Turn(Span(2000, 3000), "B"),)


def test_two_who_talk_at_once_and_were_both_written_down_are_not_told():
    both = (said(1, (0, 5000)), said(2, (2000, 3000), speaker="B"))
    assert not talked_over(heard(*both, A=[(0, 5000)], B=[(2000, 3000)]))


def test_the_blurred_edge_of_a_turn_is_nobody_talked_over():
    both = (said(1, (0, 2000)), said(2, (2000, 4000), speaker="B"))
    assert not talked_over(heard(*both, A=[(0, 2600)], B=[(1400, 4000)]))


def test_clear_speech_belongs_to_all_who_have_a_turn_there():
    turns = [Turn(Span(0, 1000), "A"), Turn(Span(800, 2000), "B")]
    assert by_speaker([Span(500, 2500)], turns) == (
        Turn(Span(500, 1000), "A"),
        Turn(Span(800, 2000), "B"),
        Turn(Span(2000, 2500), NOBODY),
    )


# --- in the dub -------------------------------------------------------------------------------------------------------


def dubbed(number, *phrases):
    spans = [Span(*phrase) for phrase in phrases]
    return PlacedLine(
        f"{number:04d}", spans[0] | spans[-1], tuple(PlacedPhrase(f"{number:04d}.{n}", s) for n, s in enumerate(spans))
    )


def test_what_is_said_in_dubbed_lines_goes_out_and_all_other_speech_stays():
    one, two, three = said(1, (0, 1000)), said(2, (1100, 1500)), said(3, (3000, 4000))
    script = heard(one, two, three, speech=[(0, 1500), (2000, 2500), (3000, 4000)])
    kept = PlacedLine("0002", two.span, ())
    fitted = FittedTimeline("es", 5000, (dubbed(1, (0, 1000)), kept, dubbed(3, (3000, 4000))))
    assert times(replaced(script, fitted)) == [(0, 1000 + MARGIN_MS), (3000 - MARGIN_MS, 4000 + MARGIN_MS)]
    assert times(stays(script, fitted)) == [(1100, 1500), (2000, 2500)]


def test_who_is_talked_over_is_heard_under_the_dub():
    script = heard(said(1, (0, 5000)), A=[(0, 5000)], B=[(2000, 3000)])
    fitted = FittedTimeline("es", 5000, (dubbed(1, (0, 5000)),))
    assert times(stays(script, fitted)) == [(2000, 3000)]


def placed(script, *clips_ms):
    """The phrases' places, of lines that are one phrase each."""
    lines = tuple(
        PlannedLine(s.id, "texto", "voice", (PlannedPhrase(f"{s.id}.1", s.span, "texto", 1.0),))
        for s in script.segments
    )
    measured = {f"{s.id}.1": ms for s, ms in zip(script.segments, clips_ms, strict=True)}
    return [phrase.span for phrase in place(script, SpeechPlan("en", "es", lines), measured, 20_000).phrases]


def test_a_phrase_keeps_off_speech_that_was_not_recognized_where_it_can():
    script = heard(said(1, (2000, 4000)), said(2, (7000, 8000)), speech=[(2000, 8000)])
    first, second = placed(script, 2200, 1000)
    assert first.end_ms <= 4000
    assert second.start_ms == 7000


def test_a_phrase_that_has_no_room_lies_over_it_and_nothing_is_pushed_behind_it():
    script = heard(said(1, (0, 2000)), said(2, (6000, 8000)), speech=[(0, 8000)])
    first, second = placed(script, 4000, 2000)
    assert first.start_ms == 0
    assert 0 < first.end_ms - 2000 < 2000
    assert second.start_ms == 6000


spans = st.tuples(st.integers(0, 9_000), st.integers(1, 2_000)).map(lambda one: Span(one[0], one[0] + one[1]))


@given(st.lists(spans, max_size=6), st.lists(spans, max_size=6))
def test_clear_speech_is_in_a_line_or_told_but_for_scraps(words, clear):
    segments = tuple(said(n, (w.start_ms, w.end_ms)) for n, w in enumerate(sorted(words)))
    script = replace(heard(*segments), speech=by_speaker(clear, ()))
    known = [*words, *unheard(script, least_ms=0)]
    assert total_ms(intersection(clear, known)) == total_ms(clear)
    assert not intersection(words, unheard(script, least_ms=0))
