"""Cue layout and its rules."""

import re
import string
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dubline.domain.linebreaks import cleaned
from dubline.domain.subtitles import Cue, CueLimits, Utterance, layout, violations
from dubline.domain.time import Span
from dubline.domain.transcript import Word

ENGLISH, SPANISH, JAPANESE = CueLimits.of("en"), CueLimits.of("es"), CueLimits.of("ja")

SAMPLE = [
    (6680, 7160, "Diane", "Hello?"),
    (7634, 8155, "Sheila", "Hello?"),
    (8436, 8876, "Diane", "Oh, hello."),
    (8916, 9798, "Diane", "I didn't know you were there."),
    (9838, 10780, "Sheila", "Neither did I."),
    (10780, 12540, "Diane", "Okay, then I thought you know, I heard a beep."),
    (12542, 14184, "Diane", "This is Diane in New Jersey."),
    (14444, 17769, "Sheila", "And I'm Sheila in Texas, originally from Chicago."),
    (24058, 28425, "Sheila", "At least you know, they all call me a Yankee down here, so what can I say?"),
]


def letters(text: str) -> str:
    return "".join(cleaned(text).split())


def said(cues) -> str:
    return letters(" ".join(cue.text for cue in cues))


def cues_of(text, start, end, limits=ENGLISH, words=(), duration=600_000):
    return layout([Utterance(Span(start, end), text, "A", words)], limits=limits, duration_ms=duration)


# What people say: words of any length and script, with marks, in any amount and hurry.
words_of_text = st.text(alphabet=string.ascii_letters + "áéñ¿?!.,;'…日本語テープ、。हि😀", min_size=1, max_size=60)
texts = st.lists(words_of_text, min_size=0, max_size=40).map(" ".join)
limits_of_any = st.sampled_from(["en", "es", "fr", "ja", "zh", "hi", "xx"]).map(CueLimits.of)


@st.composite
def conversations(draw, speakers=("A",), least_pause=0):
    """Utterances in order; a negative pause lets them overlap, and some lie past the video's end."""
    utterances, cursor = [], draw(st.integers(0, 5000))
    for index in range(draw(st.integers(0, 12))):
        span = Span(cursor, cursor + draw(st.integers(0, 15_000)))
        utterances.append(Utterance(span, draw(texts), speakers[index % len(speakers)]))
        cursor = max(span.start_ms, span.end_ms + draw(st.integers(least_pause, 6000)))
    return utterances


crossfire = conversations(speakers=("A", "B", "C"), least_pause=-8000)


@settings(max_examples=70)
@given(conversations(), limits_of_any)
def test_no_text_is_lost_or_reordered(utterances, limits):
    cues = layout(utterances, limits=limits, duration_ms=120_000)
    assert said(cues) == letters(" ".join(u.text for u in utterances))


@settings(max_examples=70)
@given(crossfire, limits_of_any, st.integers(1, 150_000))
def test_cues_are_ordered_apart_and_inside_the_video(utterances, limits, duration):
    cues = layout(utterances, limits=limits, duration_ms=duration)
    assert all(one.span.end_ms + limits.gap_ms <= other.span.start_ms for one, other in pairwise(cues))
    assert all(0 <= cue.span.start_ms <= cue.span.end_ms <= duration for cue in cues)
    assert all(cue.span.len_ms <= limits.max_ms for cue in cues)
    assert all(cue.lines and all(cue.lines) for cue in cues)


@settings(max_examples=70)
@given(crossfire, limits_of_any)
def test_every_broken_rule_is_flagged_on_its_cue(utterances, limits):
    cues = layout(utterances, limits=limits, duration_ms=120_000)
    broken = {(v.cue, v.rule) for v in violations(cues, limits, 120_000)}
    flagged = {(number, flag) for number, cue in enumerate(cues, 1) for flag in cue.flags if flag != "in-time"}
    assert broken == flagged


@settings(max_examples=60)
@given(crossfire, limits_of_any)
def test_each_speaker_keeps_all_of_their_words_in_a_crossfire(utterances, limits):
    cues = layout(utterances, limits=limits, duration_ms=120_000)
    spoken = sorted(letters(" ".join(u.text for u in utterances)))
    shown = sorted(said(cues))
    for dash in range(sum(len(cue.lines) for cue in cues if cue.speaker is None)):
        if shown == spoken:
            break
        assert "-" in shown, dash
        shown.remove("-")
    assert shown == spoken


@settings(max_examples=70)
@given(st.lists(st.text(alphabet=string.ascii_lowercase, min_size=1, max_size=12), min_size=1, max_size=60))
def test_calm_speech_breaks_no_rule(vocabulary):
    """At 11 characters a second, with a pause at the end, everything fits."""
    text = " ".join(vocabulary)
    length = max(1000, len(text) * 90)
    cues = cues_of(text, 1000, 1000 + length, duration=length + 10_000)
    assert violations(cues, ENGLISH, length + 10_000) == ()


def test_the_first_cue_comes_in_with_the_voice():
    assert cues_of("Hello there.", 4321, 5000)[0].span.start_ms == 4321


def test_a_short_cue_stays_until_it_can_be_read():
    (cue,) = cues_of("Thirty characters to be read..", 1000, 1500)
    assert cue.span == Span(1000, 2500)
    assert cue.flags == ()


def test_a_word_stands_for_five_sixths_of_a_second():
    assert cues_of("No.", 1000, 1200)[0].span.len_ms == 834


def test_a_cue_is_not_extended_past_the_end_of_the_video():
    (cue,) = cues_of("Thirty characters to be read..", 1000, 1500, duration=2000)
    assert cue.span == Span(1000 - ENGLISH.in_time_ms, 2000)
    assert cue.flags == ("reading-speed",)


def test_two_cues_keep_two_frames_apart_at_any_frame_rate():
    cinema = CueLimits.of("en", frame_ms=1001 / 24)
    lines = [Utterance(Span(0, 3000), "One of them.", "A"), Utterance(Span(3000, 5000), "Another one.", "A")]
    first, second = layout(lines, limits=cinema, duration_ms=9000)
    assert second.span.start_ms - first.span.end_ms == 84


def test_a_slide_show_has_the_gaps_of_a_film():
    assert CueLimits.of("en", frame_ms=1000.0).gap_ms == 84
    assert CueLimits.of("en", frame_ms=1.0).gap_ms == 34


def test_a_pause_under_half_a_second_is_closed_and_a_longer_one_is_not():
    def gap(pause):
        second = Utterance(Span(3000 + pause, 6000), "Another one.", "A")
        one, other = layout([Utterance(Span(0, 3000), "One.", "A"), second], limits=ENGLISH, duration_ms=9000)
        return other.span.start_ms - one.span.end_ms

    assert gap(400) == 80
    assert gap(900) == 900


def test_one_line_is_preferred_and_two_are_balanced_at_a_phrase():
    assert cues_of("This is Diane in New Jersey.", 0, 3000)[0].lines == ("This is Diane in New Jersey.",)
    assert cues_of("And I'm Sheila in Texas, originally from Chicago.", 0, 3300)[0].lines == (
        "And I'm Sheila in Texas,",
        "originally from Chicago.",
    )


def test_an_article_is_not_left_at_the_end_of_a_line():
    text = "Mañana por la mañana vamos a visitar el castillo que está en la montaña más alta del país"
    for cue in cues_of(text, 0, 9000, SPANISH):
        assert not any(re.search(r"\b(el|la|en|que|del|más|a)$", line) for line in cue.lines[:-1]), cue.lines


def test_a_long_text_is_cut_after_a_sentence_rather_than_inside_one():
    text = "We walked along the river for hours. Then it began to rain, and we looked for a roof to stand under."
    first = cues_of(text, 0, 10_000)[0]
    assert first.text.endswith(("hours.", "rain,"))


def test_words_time_the_cues_of_a_long_segment():
    text = (
        "We walked along the river for hours and hours. "
        + "Then it began to rain, and we ran home as fast as we could."
    )
    spoken = text.split()
    pause = spoken.index("Then")
    words = tuple(
        Word(word, Span(200 * place, 200 * place + 200).shifted(5000 * (place >= pause)), 1.0)
        for place, word in enumerate(spoken)
    )
    cues = cues_of(text, 0, 10_000, words=words)
    then = next(cue for cue in cues if cue.text.startswith("Then"))
    assert then.span.start_ms == 200 * pause + 5000


def test_words_that_are_not_those_of_the_text_still_time_it():
    words = (Word("anything", Span(0, 1000), 1.0), Word("otherwise", Span(7000, 9000), 1.0))
    text = "a text of some length that was corrected by hand, and has nothing to do with what was recognized at first"
    cues = cues_of(text, 0, 9000, words=words)
    assert said(cues) == letters(text)
    assert len(cues) == 2
    assert cues[1].span.start_ms >= 1000


def test_a_cue_ends_with_the_phrase_before_a_pause_and_the_next_begins_with_the_phrase_behind_it():
    phrases = (
        Word("Nadie nos había dicho", Span(0, 1500), 1.0),
        Word("que el viejo molino estaba cerrado desde el invierno", Span(2400, 6000), 1.0),
        Word("y que no había otro techo", Span(6700, 8600), 1.0),
    )
    cues = cues_of(" ".join(phrase.text for phrase in phrases), 0, 8600, SPANISH, phrases)
    assert [cue.span.start_ms for cue in cues] == [0, 2400, 6700]
    assert [cue.text for cue in cues] == [phrase.text for phrase in phrases]


def test_a_hurried_cue_borrows_three_frames_on_both_sides():
    lines = [
        Utterance(Span(0, 3000), "A line without any hurry.", "A"),
        Utterance(Span(3000, 4521), "Esto es Diane en New Jersey.", "B"),
        Utterance(Span(4521, 7700), "Y soy Sheila y Texas originalmente de Chicago.", "C"),
    ]
    cues = layout(lines, limits=SPANISH, duration_ms=9000)
    assert [cue.flags for cue in cues] == [(), (), ()]
    assert all(abs(cue.span.start_ms - line.span.start_ms) <= 120 for cue, line in zip(cues, lines, strict=True))


def test_who_answers_is_not_shown_long_after_the_answer():
    text = "This is a long line that needs two rows of the screen to be shown."
    lines = [Utterance(Span(0, 4000), text, "A"), Utterance(Span(300, 4300), "What are you saying?", "B")]
    for cue in layout(lines, limits=ENGLISH, duration_ms=20_000):
        if "What are you" in cue.text:
            assert cue.span.start_ms <= 300 + ENGLISH.in_time_ms or "in-time" in cue.flags


def test_a_sentence_is_not_begun_at_the_end_of_a_cue():
    text = "¿Qué quieres que haga? El camino era largo, y la noche bajaba sobre las colinas."
    assert [cue.text for cue in cues_of(text, 0, 6500, SPANISH)] == [
        "¿Qué quieres que haga?",
        "El camino era largo, y la noche bajaba sobre las colinas.",
    ]


def test_two_brief_lines_of_two_speakers_share_a_cue_with_dashes():
    lines = [Utterance(Span(1000, 1500), "Hello?", "A"), Utterance(Span(1400, 2000), "Who is it?", "B")]
    (cue,) = layout(lines, limits=ENGLISH, duration_ms=9000)
    assert cue.lines == ("-Hello?", "-Who is it?")
    assert cue.speaker is None
    assert cue.span.start_ms == 1000


def test_overlapping_lines_that_do_not_fit_one_cue_follow_each_other():
    text = "This is a long line that needs two rows of the screen to be shown."
    lines = [Utterance(Span(0, 4000), text, "A"), Utterance(Span(300, 4300), text.upper(), "B")]
    first, second = layout(lines, limits=ENGLISH, duration_ms=20_000)
    assert (first.speaker, second.speaker) == ("A", "B")
    assert second.span.start_ms == first.span.end_ms + ENGLISH.gap_ms
    assert "reading-speed" in first.flags
    assert "in-time" in second.flags


def test_the_sample_conversation_breaks_only_the_rule_that_its_speech_breaks():
    lines = [Utterance(Span(start, end), text, who) for start, end, who, text in SAMPLE]
    cues = layout(lines, limits=ENGLISH, duration_ms=30_000)
    assert [cue.flags for cue in cues] == [(), ("reading-speed",), (), (), (), ()]


def test_two_hundred_lines_in_a_minute_are_all_shown():
    lines = [Utterance(Span(i * 300, i * 300 + 280), f"Line number {i}.", "AB"[i % 2]) for i in range(200)]
    cues = layout(lines, limits=ENGLISH, duration_ms=60_000)
    shown = " ".join(cue.text for cue in cues)
    assert all(f"Line number {i}." in shown for i in range(200))
    assert all(cue.flags for cue in cues)


def test_lines_after_the_end_of_the_video_are_shown_and_flagged():
    (cue,) = cues_of("Too late for the picture.", 12_000, 14_000, duration=10_000)
    assert cue.span.end_ms == 10_000
    assert "in-time" in cue.flags


def test_an_utterance_without_text_gives_no_cue():
    assert cues_of(" \n\x00 ", 0, 1000) == ()
    assert layout([], limits=ENGLISH, duration_ms=1000) == ()


def test_a_word_wider_than_a_line_is_cut_and_not_lost():
    (cue,) = cues_of("a" * 60, 0, 6000)
    assert [len(line) for line in cue.lines] == [42, 18]


def test_japanese_lines_hold_sixteen_and_never_begin_with_a_closing_mark():
    text = (
        "昨日は友達と一緒に東京タワーへ行って、とても美しい夜景を見ました。その後、レストランで「天ぷら」を食べました。"
    )
    cues = cues_of(text, 0, 18_000, JAPANESE)
    assert said(cues) == text
    for line in (line for cue in cues for line in cue.lines):
        assert JAPANESE.width(line) <= 16
        assert line[0] not in "、。」ー"
        assert not line.endswith("「")


def test_thai_breaks_at_spaces_and_never_before_a_mark_of_the_syllable():
    thai = CueLimits.of("th")
    text = "เมื่อวานนี้เราเดินเลียบแม่น้ำเป็นเวลาหลายชั่วโมง แล้วฝนก็เริ่มตก และเราก็มองหาที่หลบฝนใต้หลังคา"
    cues = cues_of(text, 0, 12_000, thai)
    assert said(cues) == letters(text)
    for line in (line for cue in cues for line in cue.lines):
        assert thai.width(line) <= 35
        assert line[0] not in "ะาำๆ่้๊๋ิีึืุูั็์"
        assert line[-1] not in "เแโใไ"


@settings(max_examples=60)
@given(st.text(alphabet="เแโใไกขคะาำิ่้ ๆ", min_size=1, max_size=200))
def test_no_thai_text_is_lost(text):
    cues = cues_of(text, 0, 60_000, CueLimits.of("th"))
    assert said(cues) == letters(text)
    assert not any(flag in cue.flags for cue in cues for flag in ("lines", "line-width"))


def test_latin_letters_count_half_in_a_full_width_line():
    assert JAPANESE.width("AI時代") == 3
    assert ENGLISH.width("e\u0301a") == 2


def test_french_marks_stay_with_their_word():
    for cue in cues_of("Est-ce que vous pourriez venir demain matin ? Oui, bien sûr !", 0, 6000, CueLimits.of("fr")):
        assert not any(line.startswith(("?", "!")) for line in cue.lines)


def test_limits_differ_by_language():
    assert (CueLimits.of("en").chars_per_second, SPANISH.chars_per_second, JAPANESE.line_width) == (20, 17, 16)
    assert (CueLimits.of("ru").line_width, CueLimits.of("th").line_width, CueLimits.of("ar").line_width) == (39, 35, 42)
    assert CueLimits.of("zh-hant") == CueLimits.of("zh")


@pytest.mark.parametrize(
    ("cue", "rule"),
    [
        (Cue(Span(0, 2000), ("a", "b", "c")), "lines"),
        (Cue(Span(0, 2000), ()), "lines"),
        (Cue(Span(0, 4000), ("x" * 43,)), "line-width"),
        (Cue(Span(0, 833), ("Hi",)), "min-duration"),
        (Cue(Span(0, 7001), ("Hi",)), "max-duration"),
        (Cue(Span(0, 1000), ("x" * 21,)), "reading-speed"),
        (Cue(Span(9000, 10_001), ("Hi",)), "past-end"),
    ],
)
def test_a_breach_is_named(cue, rule):
    assert [v.rule for v in violations([cue], ENGLISH, 10_000)] == [rule]


def test_breaches_between_cues_are_named():
    def pair(start):
        return violations([Cue(Span(0, 2000), ("Hi",)), Cue(Span(start, 5000), ("Ho",))], ENGLISH)

    assert [(v.cue, v.rule) for v in pair(1999)] == [(1, "overlap")]
    assert [(v.cue, v.rule) for v in pair(2079)] == [(1, "gap")]
    assert pair(2080) == ()
