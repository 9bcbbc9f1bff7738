"""Placing lines on the source's timeline: what holds for any speech, and the cases that break naive placing."""

import math
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dubline.domain.placing import place
from dubline.domain.planning import plan
from dubline.domain.time import Span
from dubline.domain.timeline import (
    EARLY_MS,
    LATE_MS,
    MAX_RATE,
    MAX_STRETCH,
    MIN_RATE,
    SMALL_STRETCH,
    PlannedLine,
    PlannedPhrase,
    SpeechPlan,
)
from dubline.domain.transcript import Line, Segment, Transcript, Translation, Word


def transcript_of(*segments):
    """From (start, end, speaker)."""
    return Transcript(
        "en",
        tuple(
            Segment(f"s{index}", Span(start, end), "text", speaker)
            for index, (start, end, speaker) in enumerate(segments)
        ),
    )


def plan_of(transcript, speeds):
    """Every line in one phrase."""
    lines = zip(transcript.segments, speeds, strict=True)
    return SpeechPlan("en", "es", tuple(line_of(segment, [segment.span], speed) for segment, speed in lines))


def line_of(segment, slots, speed=1.0):
    phrases = (PlannedPhrase(f"{segment.id}.{n}", slot, "texto", speed) for n, slot in enumerate(slots, 1))
    return PlannedLine(segment.id, "texto", "voice", tuple(phrases))


def place_clips(segments, clips, duration, speed=1.0):
    """Place clips of the given durations (None: could not be spoken)."""
    transcript = transcript_of(*segments)
    measured = {f"s{index}.1": clip for index, clip in enumerate(clips) if clip is not None}
    return place(transcript, plan_of(transcript, [speed] * len(segments)), measured, duration).lines


def stretch(line):
    (phrase,) = line.phrases
    return phrase.stretch


def spans(lines):
    return [(line.span.start_ms, line.span.end_ms) for line in lines]


@st.composite
def jobs(draw, unspoken=True, most=12):
    """Segments in order of start, none overlapping within a speaker, with a clip (or none) and a speed for each."""
    free = dict.fromkeys("ABC", 0)
    segments, clips, speeds, cursor = [], [], [], 0
    for _ in range(draw(st.integers(0, most))):
        speaker = draw(st.sampled_from("ABC"))
        cursor = max(cursor + draw(st.integers(0, 4000)), free[speaker])
        end = cursor + draw(st.integers(1, 6000))
        free[speaker] = end
        segments.append((cursor, end, speaker))
        clip = st.integers(1, 20_000)
        clips.append(draw(st.none() | clip if unspoken else clip))
        speeds.append(draw(st.integers(17, 25)) / 20)
    duration = max(free.values()) + draw(st.integers(1, 5000))
    return segments, clips, speeds, duration


def placed(job):
    segments, clips, speeds, duration = job
    transcript = transcript_of(*segments)
    measured = {f"s{i}.1": clip for i, clip in enumerate(clips) if clip is not None}
    timeline = place(transcript, plan_of(transcript, speeds), measured, duration)
    assert (timeline.language, timeline.duration_ms, timeline.optimal) == ("es", duration, True)
    return transcript.segments, timeline.lines


@settings(max_examples=80)
@given(jobs())
def test_every_line_is_placed_once_and_in_order(job):
    segments, lines = placed(job)
    assert [line.segment for line in lines] == [segment.id for segment in segments]
    assert all(line.span.start_ms >= 0 for line in lines)


@settings(max_examples=150)
@given(jobs())
def test_lines_overlap_only_where_two_speakers_did_in_the_source(job):
    segments, lines = placed(job)
    for (one, first), (other, second) in combinations(zip(segments, lines, strict=True), 2):
        if one.speaker == other.speaker or not one.span & other.span:
            assert not first.span & second.span, (first, second)


@settings(max_examples=80)
@given(jobs(unspoken=False))
def test_lines_that_may_not_overlap_keep_their_order(job):
    segments, lines = placed(job)
    spoken = [(segment, line) for segment, line in zip(segments, lines, strict=True) if not line.kept_original]
    for (one, first), (other, second) in combinations(spoken, 2):
        if one.speaker == other.speaker or not one.span & other.span:
            assert first.span.start_ms <= second.span.start_ms


@settings(max_examples=80)
@given(jobs())
def test_nothing_is_cut_and_the_rates_keep_their_limits(job):
    _, lines = placed(job)
    _, clips, speeds, _ = job
    for line, clip, speed in zip(lines, clips, speeds, strict=True):
        if line.kept_original:
            continue
        assert 1 / MAX_STRETCH - 1e-4 <= stretch(line) <= MAX_STRETCH
        assert line.span.len_ms == math.ceil(clip / stretch(line) - 1e-6)
        assert MIN_RATE - 1e-9 <= stretch(line) * speed <= MAX_RATE + 1e-9


@settings(max_examples=60)
@given(jobs())
def test_a_line_that_is_not_spoken_keeps_the_place_of_the_original(job):
    segments, lines = placed(job)
    for segment, line, clip in zip(segments, lines, job[1], strict=True):
        if clip is None:
            assert line.kept_original
        if line.kept_original:
            assert line.span == segment.span
            assert line.flags == ("kept-original",)


@settings(max_examples=60)
@given(jobs(unspoken=False))
def test_lines_that_fit_their_place_start_at_the_source_and_are_stretched_by_little(job):
    segments, clips, speeds, duration = job
    fitting = [min(clip, end - start) for clip, (start, end, _) in zip(clips, segments, strict=True)]
    sources, lines = placed((segments, fitting, speeds, duration))
    for segment, line in zip(sources, lines, strict=True):
        assert line.span.start_ms == segment.span.start_ms
        assert (
            abs(line.span.len_ms * line.phrases[0].stretch - line.span.len_ms) <= SMALL_STRETCH * line.span.len_ms + 1
        )
        assert line.flags == ()


@settings(max_examples=80)
@given(jobs())
def test_flags_say_where_a_line_stands_against_the_source_and_the_end(job):
    segments, lines = placed(job)
    for segment, line in zip(segments, lines, strict=True):
        if line.kept_original:
            continue
        lag = line.span.start_ms - segment.span.start_ms
        assert ("late" in line.flags) == (lag > LATE_MS)
        assert ("early" in line.flags) == (lag < -EARLY_MS)
        assert line.span.end_ms <= job[3]


@settings(max_examples=80)
@given(jobs(most=6))
def test_a_line_is_given_up_only_where_the_speech_leaves_no_room(job):
    """One voice at a time and no unspoken line: all clips fit the video if their sum, hurried, does."""
    segments, clips, speeds, duration = job
    alone = [(start, end, "A") for start, end, _ in segments]
    alone = [s for i, s in enumerate(alone) if all(s[0] >= earlier[1] for earlier in alone[:i])]
    clips = [clip or 1 for clip in clips][: len(alone)]
    _, lines = placed((alone, clips, speeds[: len(alone)], duration))
    hurried = (
        math.ceil(clip / max(1.0, min(MAX_STRETCH, MAX_RATE / speed)))
        for clip, speed in zip(clips, speeds, strict=False)
    )
    if sum(hurried) <= duration:
        assert not any(line.kept_original for line in lines)


def test_a_long_clip_is_hurried_to_leave_a_pause_before_the_next_onset():
    lines = place_clips([(0, 1000, "A"), (2000, 3000, "A")], [1850, 500], 10_000)
    assert lines[0].span.start_ms <= 0
    assert stretch(lines[0]) == pytest.approx(1 + SMALL_STRETCH, abs=3e-3)
    assert lines[1].span.start_ms - lines[0].span.end_ms >= 300
    assert [line.flags for line in lines] == [(), ()]


def test_speech_between_pauses_gives_way_rather_than_the_onset_after_a_pause():
    lines = place_clips([(0, 900, "A"), (900, 1900, "B"), (2400, 3400, "A")], [900, 1400, 1000], 10_000)
    assert lines[2].span.start_ms <= 2400 + LATE_MS
    assert lines[2].span.start_ms - lines[1].span.end_ms >= 200


def test_a_clip_that_fits_only_by_more_than_the_limit_makes_the_next_line_late():
    lines = place_clips([(0, 1000, "A"), (2000, 3000, "A")], [4590, 500], 10_000)
    assert stretch(lines[0]) == pytest.approx(MAX_STRETCH, abs=1e-3)
    assert lines[1].span.start_ms == lines[0].span.end_ms == 3992
    assert lines[1].flags == ("late",)


def test_a_line_already_spoken_fast_is_stretched_less():
    (line, _) = place_clips([(0, 1000, "A"), (1000, 2000, "A")], [3000, 500], 10_000, speed=1.2)
    assert stretch(line) == pytest.approx(MAX_RATE / 1.2, abs=1e-3)


def test_the_last_line_is_pulled_back_from_the_end_with_those_it_pushes():
    lines = place_clips([(5000, 6000, "A"), (8000, 10_000, "A")], [2100, 3448], 10_000)
    assert lines[0].span.end_ms <= lines[1].span.start_ms < 8000
    assert lines[1].span.end_ms == 10_000
    assert "early" in lines[1].flags


def test_two_people_who_spoke_at_once_may_do_so_in_the_dub():
    lines = place_clips([(0, 3000, "A"), (1000, 2000, "B")], [3000, 1000], 10_000)
    assert spans(lines) == [(0, 3000), (1000, 2000)]


def test_two_people_who_took_turns_take_turns_in_the_dub():
    lines = place_clips([(0, 1000, "A"), (1000, 2000, "B")], [3000, 1000], 10_000)
    assert lines[1].span.start_ms == lines[0].span.end_ms


def test_a_line_too_long_for_the_room_before_an_unspoken_one_is_heard_after_it():
    lines = place_clips([(0, 1000, "A"), (1000, 2000, "A"), (4000, 5000, "A")], [3400, None, 500], 20_000)
    assert [line.span.start_ms for line in lines] == [2000, 1000, 4957]
    assert [line.flags for line in lines] == [("late",), ("kept-original",), ("late",)]


def test_speech_that_runs_over_a_long_silence_is_fitted_together_with_what_follows_it():
    """Apart, the first line would be slowed to its natural pace and throw the second far behind its source."""
    segments, clips = [(1000, 2000, "A"), (4000, 5000, "A")], [3600, 1000]
    lines = place_clips(segments, clips, 20_000)
    assert lines[0].span.end_ms <= lines[1].span.start_ms <= 4000 + LATE_MS


def test_a_line_slightly_too_long_for_the_room_before_an_unspoken_one_begins_early():
    lines = place_clips([(1000, 2000, "A"), (2000, 4000, "A")], [1200, None], 20_000)
    assert 860 <= lines[0].span.start_ms <= 960
    assert lines[0].span.end_ms == 2000
    assert lines[0].flags in ((), ("early",))


def test_two_hundred_lines_in_a_minute_keep_apart():
    segments = [(index * 300, index * 300 + 280, "AB"[index % 2]) for index in range(200)]
    lines = place_clips(segments, [300] * 200, 60_000)
    assert all(line.span.start_ms == segment[0] for line, segment in zip(lines, segments, strict=True))


def test_one_line_of_ninety_seconds_is_spoken_whole():
    (line,) = place_clips([(0, 90_000, "A")], [95_000], 90_000)
    assert line.span == Span(0, 90_000)
    assert stretch(line) == pytest.approx(95 / 90)


def test_of_a_translation_three_times_too_long_what_has_room_is_spoken_whole():
    segments = [(index * 2000, index * 2000 + 2000, "A") for index in range(10)]
    lines = place_clips(segments, [6000] * 10, 20_000)
    spoken = [line for line in lines if not line.kept_original]
    assert all(math.ceil(6000 / MAX_STRETCH) <= line.span.len_ms <= 6000 for line in spoken)
    assert all(one.span.end_ms <= other.span.start_ms for one, other in pairwise(spoken))
    assert all(line.span.end_ms <= 20_000 for line in lines)


def test_lines_of_fifty_milliseconds_are_placed_like_any_other():
    segments = [(index * 50, index * 50 + 50, "A") for index in range(20)]
    assert spans(place_clips(segments, [50] * 20, 1000)) == [(start, end) for start, end, _ in segments]


def test_one_hopeless_line_at_the_end_leaves_the_others_where_they_belong():
    segments = [(5000, 6000, "A"), (10_000, 11_000, "A"), (15_000, 16_000, "A")]
    lines = place_clips(segments, [1000, 1000, 90_000], 20_000)
    assert spans(lines)[:2] == [(5000, 6000), (10_000, 11_000)]
    assert abs(lines[2].span.start_ms - 15_000) <= EARLY_MS
    assert lines[2].flags == ("kept-original",)


def test_phrases_that_the_translation_has_no_words_for_are_told():
    words = tuple(Word("word", Span(start, start + 400), 0.9) for start in (0, 1000))
    segment = Segment("s0", Span(0, 1400), "word word", "A", words)
    line = line_of(segment, [words[0].span])
    timeline = place(Transcript("en", (segment,)), SpeechPlan("en", "es", (line,)), {"s0.1": 400}, 5000)
    assert timeline.lines[0].silent == (words[1].span,)
    assert timeline.lines[0].flags == ("part-silent",)


def test_nothing_to_say_is_an_empty_timeline():
    assert place_clips([], [], 10_000) == ()


# What is chosen before synthesis

durations = st.floats(50, 60_000)


def planned_speed(predicted_ms, span_ms, rates=(0.5, 2.0)):
    transcript = transcript_of((0, span_ms, "A"))
    translation = Translation("en", "es", (Line("s0", "texto"),))
    return (
        plan(transcript, translation, {"A": "voice"}, lambda *_: predicted_ms, rates, 10 * span_ms + 1000)
        .lines[0]
        .phrases[0]
        .speed
    )


@given(durations, st.integers(0, 60_000), st.sampled_from([(0.5, 2.0), (1.0, 1.0), (0.9, 1.1)]))
def test_the_planned_speed_is_one_that_both_listeners_and_engine_accept(predicted, span, rates):
    speed = planned_speed(predicted, span, rates)
    assert max(MIN_RATE, rates[0]) <= speed <= min(MAX_RATE, rates[1])
    assert speed * 20 == pytest.approx(round(speed * 20))


@given(st.integers(900, 1000))
def test_a_slightly_short_line_is_slowed_to_its_source(predicted):
    assert predicted / planned_speed(predicted, 1000) == pytest.approx(1000, rel=0.031)


@given(st.integers(3000, 4500))
def test_a_long_line_is_hurried_to_its_source_and_no_further_than_the_cap(predicted):
    speed = planned_speed(predicted, 3000)
    assert speed == MAX_RATE or predicted / speed == pytest.approx(3000, rel=0.031)


@given(st.integers(1000, 1250))
def test_a_line_with_no_silence_behind_it_is_hurried_as_much_as_its_room_demands(predicted):
    transcript = transcript_of((0, 1000, "A"), (1000, 2000, "A"))
    translation = Translation("en", "es", (Line("s0", "uno"), Line("s1", "dos")))
    hurried = (
        plan(transcript, translation, {"A": "voice"}, lambda *_: predicted, (0.5, 2.0), 10_000)
        .lines[0]
        .phrases[0]
        .speed
    )
    assert predicted / hurried == pytest.approx(1000, rel=0.031)


def test_a_plan_speaks_each_line_in_its_speakers_voice():
    transcript = transcript_of((0, 1000, "A"), (1000, 2000, "B"))
    translation = Translation("en", "es", (Line("s0", "uno"), Line("s1", "dos")))
    lines = plan(transcript, translation, {"A": "alba", "B": "bruno"}, lambda *_: 1000, (0.5, 2.0), 10_000).lines
    assert [(line.text, line.voice) for line in lines] == [("uno", "alba"), ("dos", "bruno")]
