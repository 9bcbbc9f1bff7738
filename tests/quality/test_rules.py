"""Every rule is proved by frames that break it alone, and holds on clean ones."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from suite_cases import BROKEN, CLEAN, CUE_LIST, FACTS, PLAN, SCRIPT, TIMELINE, kept

from dubline.domain.errors import GateFailed, InvalidRequest
from dubline.domain.time import Span
from dubline.domain.transcript import Line, Segment, Transcript, Translation
from dubline.storage.results import Finding, Verdict
from quality_suites import output, segments, timeline, transcript, translation
from quality_suites.catalogue import SUITES, suite
from quality_suites.derive import overlaps_ms, plain_words, spoken_length
from quality_suites.gates import require
from quality_suites.rules import LINES, WHOLE
from quality_suites.validate import validate

EVERY_RULE = [(name, rule.name) for name, known in SUITES.items() for rule in known.rules]


def _rule(suite_name, rule_name):
    return next(rule for rule in SUITES[suite_name].rules if rule.name == rule_name)


@pytest.mark.parametrize(("suite_name", "rule_name"), EVERY_RULE)
def test_each_rule_is_broken_by_its_case_and_by_nothing_else_in_it(suite_name, rule_name):
    verdict = validate(suite_name, BROKEN[suite_name][rule_name])
    assert [finding.rule for finding in verdict.findings] == [rule_name]
    finding = verdict.findings[0]
    assert finding.severity == _rule(suite_name, rule_name).severity
    assert rule_name in finding.message
    assert all(subject in finding.message for subject in finding.subjects)


@pytest.mark.parametrize("suite_name", SUITES)
def test_clean_values_break_no_rule(suite_name):
    assert validate(suite_name, CLEAN[suite_name]) == Verdict(suite=suite_name, rules=len(SUITES[suite_name].rules))


def test_there_is_no_case_for_a_rule_that_is_gone():
    assert {(name, rule) for name, cases in BROKEN.items() for rule in cases} == set(EVERY_RULE)


@pytest.mark.parametrize("known", SUITES.values(), ids=lambda known: known.name)
def test_rules_of_a_suite_have_names_of_their_own_and_every_frame_counts_its_rows(known):
    names = [rule.name for rule in known.rules]
    assert len(set(names)) == len(names)
    assert {rule.frame for rule in known.rules if rule.column is None} == set(known.frames)


def test_findings_name_every_segment_and_the_first_observed_value():
    late = replace(SCRIPT.segments[2], id="s4", span=Span(10_000, 10_400))
    later = replace(late, id="s5", span=Span(10_500, 11_000))
    verdict = validate("segments", segments.rows(replace(SCRIPT, segments=(*SCRIPT.segments, late, later)), 10_000))
    (finding,) = verdict.findings
    assert finding.subjects == ("s4", "s5")
    assert finding.message == "segment s4 lies 400 ms outside the media; so do segments s5 (rule inside-media)"


def test_a_finding_about_the_whole_names_no_segment():
    (finding,) = validate("transcript", BROKEN["transcript"]["language"]).findings
    assert finding.subjects == ()


def test_a_video_in_which_nobody_speaks_breaks_no_rule():
    silence = Transcript("en", ())
    assert validate("segments", segments.rows(silence, 10_000)).findings == ()
    assert validate("transcript", transcript.rows(silence, "en", 0)).findings == ()
    assert validate("translation", translation.rows(silence, Translation("en", "es", ()))).findings == ()


def test_rows_that_got_lost_are_noticed_although_an_empty_table_breaks_no_other_rule():
    frames = segments.rows(SCRIPT, 10_000) | {LINES: []}
    assert [finding.rule for finding in validate("segments", frames).findings] == ["lines-rows"]


@pytest.mark.parametrize(
    "frames",
    [
        {LINES: []},
        {WHOLE: [], LINES: []},
        {WHOLE: [{"lines": 1}], LINES: [{"subject": "s1"}]},
        CLEAN["segments"] | {LINES: [{**CLEAN["segments"][LINES][0], "overlap_ms": float("nan")}]},
    ],
)
def test_frames_of_another_shape_are_refused_rather_than_passed(frames):
    with pytest.raises(InvalidRequest, match="segments"):
        validate("segments", frames)


def test_an_unknown_suite_is_named_with_those_there_are():
    with pytest.raises(InvalidRequest, match=r"'colour'.*media, segments"):
        validate("colour", {})


def test_eight_threads_get_each_their_own_answer():
    jobs = [(name, rule) for name in ("segments", "timeline") for rule in BROKEN[name]]
    with ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(lambda job: validate(job[0], BROKEN[job[0]][job[1]]), jobs))
    assert [[finding.rule for finding in verdict.findings] for verdict in verdicts] == [[rule] for _, rule in jobs]


def test_a_critical_finding_stops_the_run_with_segment_and_rule_in_the_message():
    with pytest.raises(
        GateFailed, match=r"segments gate.*segment s2 overlaps.*A by 1 ms \(rule no-overlap\).*--refresh"
    ):
        require(validate("segments", BROKEN["segments"]["no-overlap"]))


def test_a_finding_for_review_lets_the_run_go_on():
    finding = Finding(suite="speech", rule="silent", severity="review", subjects=("s1",), message="quiet")
    verdict = Verdict(suite="speech", rules=1, findings=(finding,))
    assert require(verdict) is verdict


def test_the_digest_changes_with_a_threshold_and_the_version_but_not_with_the_wording():
    known = suite("speech")
    first, *others = known.rules
    assert replace(known, version=known.version + 1).digest() != known.digest()
    assert replace(known, rules=(replace(first, arguments={"value": 2}), *others)).digest() != known.digest()
    assert replace(known, rules=(replace(first, message="other words"), *others)).digest() == known.digest()
    assert len({known.digest() for known in SUITES.values()}) == len(SUITES)


# --- how columns are derived ------------------------------------------------------------------------------------------


def test_words_that_the_source_marks_itself_are_not_unknown():
    script = Transcript("en", (Segment("s1", Span(0, 2000), "Write to @anna about *that thing", "A"),))
    rendered = Translation("en", "es", (Line("s1", "Escribe a @anna de *that cosa #bad", ("gizmo",)),))
    row = translation.rows(script, rendered)[LINES][0]
    assert row["unknown_words"] == "gizmo, bad"


def test_short_lines_and_names_may_be_equal_in_both_languages():
    script = Transcript("en", (Segment("s1", Span(0, 2000), "OK, Barack Obama.", "A"),))
    row = translation.rows(script, Translation("en", "es", (Line("s1", "OK, Barack Obama."),)))[LINES][0]
    assert row["copied"] is False


def test_a_line_that_keeps_the_original_is_not_judged_by_rate_or_onset():
    row = timeline.rows(SCRIPT, PLAN, replace(TIMELINE, lines=(kept("s1", Span(500, 700)),)))[LINES][0]
    assert (row["stretch"], row["rate"], row["lag_ms"]) == (None, None, None)


def test_two_speakers_may_overlap_and_a_long_segment_is_compared_beyond_its_neighbour():
    placed = [("A", Span(0, 5000)), ("B", Span(100, 200)), ("A", Span(1000, 1500)), ("B", Span(200, 300))]
    assert overlaps_ms(placed) == [0, 0, 500, 0]


def test_wide_characters_count_twice_and_case_and_punctuation_do_not_make_words_differ():
    assert spoken_length("  ab  cd ") == 5
    assert spoken_length("你好") == 4
    assert plain_words("Héllo, WORLD!") == ("héllo", "world")
    assert plain_words("… — !") == ()


def test_an_output_without_a_dub_needs_only_the_original_track():
    facts = {**FACTS, "dub_language": None, "audio_languages": ["eng"], "default_audio": 0}
    assert validate("output", output.rows(facts, CUE_LIST)).findings == ()


def test_containers_may_round_a_frame_to_the_next_millisecond():
    assert output.rows({**FACTS, "duration_ms": 10_041}, [])[WHOLE][0]["frames_off"] == 1.0


spans = st.tuples(st.integers(0, 500), st.integers(0, 100)).map(lambda pair: Span(pair[0], pair[0] + pair[1]))


@given(st.lists(st.tuples(st.sampled_from("AB"), spans), max_size=8))
def test_some_line_overlaps_exactly_when_two_of_one_owner_do(placed):
    pairs = [(one, other) for at, one in enumerate(placed) for other in placed[at + 1 :]]
    clash = any(one[0] == other[0] and one[1] & other[1] for one, other in pairs)
    assert any(overlaps_ms(placed)) == clash


@given(st.lists(spans, max_size=8), st.permutations(range(8)))
def test_the_order_of_the_lines_does_not_change_how_much_they_overlap(spans, order):
    placed = [("A", span) for span in spans]
    shuffled = [placed[index] for index in order if index < len(placed)]
    assert sorted(overlaps_ms(placed)) == sorted(overlaps_ms(shuffled))
