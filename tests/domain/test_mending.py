"""Edits of single lines: what they change, and that all else stays as it was."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dubline.domain.errors import InvalidRequest
from dubline.domain.glossary import Glossary, Term
from dubline.domain.mending import Mend, Mends, Told, mended_plan, mended_source, mended_translation, rewritten
from dubline.domain.phrasing import slots
from dubline.domain.placing import place
from dubline.domain.planning import plan
from dubline.domain.time import Span
from dubline.domain.timeline import MAX_RATE, MIN_RATE
from dubline.domain.transcript import Line, Segment, Transcript, Translation, Word

RATES = (MIN_RATE, MAX_RATE)
DURATION_MS = 12_000


def said(number, speaker, text, *spans):
    """A segment whose words were said in these (start, end); as many words as spans."""
    words = tuple(Word(word, Span(*span), 0.6) for word, span in zip(text.split(), spans, strict=True))
    return Segment(f"{number:04d}", words[0].span | words[-1].span, text, speaker, words, 0.6)


ONE = said(1, "A", "So it began.", (0, 400), (400, 700), (1200, 2000))
TWO = said(2, "B", "Did it?", (2100, 2500), (2500, 3000))
THREE = said(3, "A", "It did.", (5000, 5500), (5500, 6000))
SCRIPT = Transcript("en", (ONE, TWO, THREE))
LINES = tuple(
    Line(s.id, t) for s, t in zip(SCRIPT.segments, ("Así empezó, sí.", "¿De veras?", "Así fue."), strict=True)
)
TOLD = Translation("en", "es", LINES)


def predicted(text, voice):
    return 60.0 * len(text)


def first_plan():
    return plan(SCRIPT, TOLD, {"A": "low", "B": "high"}, predicted, RATES, DURATION_MS)


def mended(*mends, script=SCRIPT, told=TOLD):
    """The plan after these edits."""
    edits = Mends(mends)
    after = Told(mended_source(script, edits, DURATION_MS), mended_translation(told, None, edits))
    return after, mended_plan(first_plan(), Told(script, told), after, edits, predicted, RATES, DURATION_MS)


def test_without_edits_everything_is_as_it_was():
    after, again = mended()
    assert (after, again) == (Told(SCRIPT, TOLD), first_plan())


def test_a_line_moves_with_its_words_and_the_others_stay():
    script = mended_source(SCRIPT, Mends((Mend("0001", span=Span(100, 1100)),)), DURATION_MS)
    assert script.segments[0].span == Span(100, 1100)
    assert [word.span for word in script.segments[0].words] == [Span(100, 300), Span(300, 450), Span(700, 1100)]
    assert script.segments[1:] == SCRIPT.segments[1:]


def test_another_text_is_spread_over_the_phrases_that_are_heard():
    text = "And so, at last, it all began."
    (line, *_) = mended_source(SCRIPT, Mends((Mend("0001", source_text=text),)), DURATION_MS).segments
    assert " ".join(word.text for word in line.words) == line.text == text
    assert slots(line) == slots(ONE)
    assert line.confidence == 1.0


def test_a_text_of_one_word_is_heard_in_all_phrases_of_its_line():
    (line, *_) = mended_source(SCRIPT, Mends((Mend("0001", source_text="Yes."),)), DURATION_MS).segments
    assert slots(line) == (ONE.span,)


def test_the_same_text_again_is_no_change():
    assert mended_source(SCRIPT, Mends((Mend("0001", source_text=ONE.text),)), DURATION_MS) == SCRIPT


@pytest.mark.parametrize(
    ("mend", "words"),
    [
        (Mend("0009"), "no line '0009' to edit; the lines of the video are 0001 to 0003"),
        (Mend("0003", span=Span(11_000, 12_001)), "'0003' cannot end at 12001 ms; the video ends at 12000 ms"),
        (Mend("0001", span=Span(2200, 2900)), "'0001' cannot start at 2200 ms, after the line '0002'"),
        (Mend("0003", span=Span(2050, 2090)), "'0003' cannot start at 2050 ms, before the line '0002'"),
        (Mend("0001", span=Span(0, 5001)), "'0001' cannot stand at 0 to 5001 ms: 'A' says the line '0003' there"),
    ],
)
def test_what_the_transcript_has_no_place_for_is_refused(mend, words):
    with pytest.raises(InvalidRequest, match=words):
        mended_source(SCRIPT, Mends((mend,)), DURATION_MS)


def test_two_lines_may_move_together_past_where_one_alone_could_not():
    both = Mends((Mend("0001", span=Span(2200, 2900)), Mend("0002", span=Span(2300, 3000))))
    script = mended_source(SCRIPT, both, DURATION_MS)
    assert [segment.span.start_ms for segment in script.segments] == [2200, 2300, 5000]


def test_speakers_may_talk_at_once_where_a_person_says_so():
    script = mended_source(SCRIPT, Mends((Mend("0002", span=Span(1500, 3000)),)), DURATION_MS)
    assert script.segments[1].span == Span(1500, 3000)


def test_only_lines_of_another_text_are_translated_again_and_none_that_a_person_worded():
    edits = Mends((Mend("0001", source_text="So it ended."), Mend("0003", source_text="It did not.")))
    after = mended_source(SCRIPT, edits, DURATION_MS)
    assert [segment.id for segment in rewritten(SCRIPT, after, edits)] == ["0001", "0003"]
    assert [segment.id for segment in rewritten(SCRIPT, after, Mends((Mend("0001", text="Acabó."),)))] == ["0003"]


def test_a_persons_wording_comes_before_the_engines_and_has_no_alternatives():
    first = replace(TOLD, lines=(replace(LINES[0], alternatives=("Así empezó.",), unknown=("sí",)), *LINES[1:]))
    again = Translation("en", "es", (Line("0001", "Acabó", alternatives=("Se acabó",)), Line("0003", "No.")))
    found = mended_translation(first, again, Mends((Mend("0001", text="Y se acabó."),)))
    assert found.lines == (Line("0001", "Y se acabó."), LINES[1], Line("0003", "No."))


def test_terms_of_an_edited_source_join_those_that_were_there():
    there, new = Term("one", "uno"), Term("two", "dos")
    again = Translation("en", "es", (), glossary=Glossary((new, there)))
    assert mended_translation(replace(TOLD, glossary=Glossary((there,))), again, Mends()).glossary.terms == (there, new)


@pytest.mark.parametrize(
    "mend",
    [
        Mend("0002", text="¿De verdad de la buena?"),
        Mend("0002", voice="other"),
        Mend("0002", span=Span(2100, 2600)),
        Mend("0002", source_text="Did it really?"),
        Mend("0002", keep_original=True),
    ],
)
def test_each_kind_of_edit_leaves_the_other_lines_as_they_were_planned(mend):
    _, again = mended(mend)
    assert [again.lines[0], again.lines[2]] == [first_plan().lines[0], first_plan().lines[2]]
    assert again.lines[1] != first_plan().lines[1] or mend.source_text is not None


def test_a_line_in_another_voice_says_the_same():
    _, again = mended(Mend("0002", voice="other"))
    assert (again.lines[1].voice, again.lines[1].text) == ("other", first_plan().lines[1].text)


def test_a_line_whose_time_changed_keeps_its_wording_though_another_would_fit_better():
    told = replace(TOLD, lines=(LINES[0], replace(LINES[1], alternatives=("x" * 33,)), LINES[2]))
    _, again = mended(Mend("0002", span=Span(2100, 4900)), told=told)
    assert again.lines[1].text == "¿De veras?"
    assert again.lines[1].phrases[0].slot == Span(2100, 4900)


def test_a_shorter_place_makes_a_line_faster():
    _, again = mended(Mend("0002", span=Span(2100, 2600)))
    assert again.lines[1].phrases[0].speed > first_plan().lines[1].phrases[0].speed


def test_a_line_that_keeps_the_original_has_no_phrases_and_its_place():
    after, again = mended(Mend("0002", keep_original=True, text="¿Sí?"))
    clips = {phrase.id: round(predicted(phrase.text, "") / phrase.speed) for phrase in again.phrases}
    kept = place(after.script, again, clips, DURATION_MS).lines[1]
    assert (again.lines[1].text, again.lines[1].phrases) == ("¿Sí?", ())
    assert kept.kept_original
    assert kept.span == TWO.span


def test_edits_of_two_lines_do_not_touch_each_other():
    one, two = Mend("0001", text="Empezó de una vez y para siempre."), Mend("0002", text="¿Y de qué manera?")
    _, both = mended(one, two)
    assert both.lines[0] == mended(one)[1].lines[0]
    assert both.lines[1] == mended(two)[1].lines[1]


@settings(max_examples=60)
@given(
    st.lists(st.integers(1, 900), min_size=2, max_size=12),
    st.text("ab ,.", min_size=1, max_size=60).filter(lambda text: any(map(str.isalnum, text))),
    st.integers(0, 500),
    st.integers(1, 9000),
)
def test_whatever_is_edited_words_stay_in_order_inside_their_segment_and_none_is_lost(steps, text, start, length):
    edges = [sum(steps[:count]) for count in range(len(steps) + 1)]
    spans = [Span(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    segment = said(1, "A", " ".join("w" for _ in spans), *((s.start_ms, s.end_ms) for s in spans))
    script = Transcript("en", (segment,))
    edit = Mend("0001", source_text=" ".join(text.split()), span=Span(start, start + length))
    (line,) = mended_source(script, Mends((edit,)), DURATION_MS).segments
    assert "".join(word.text for word in line.words) == edit.source_text.replace(" ", "")
    times = [instant for word in line.words for instant in word.span.seconds()]
    assert times == sorted(times)
    assert line.span.start_ms <= line.words[0].span.start_ms
    assert line.words[-1].span.end_ms <= line.span.end_ms
    assert all(slots(line))
