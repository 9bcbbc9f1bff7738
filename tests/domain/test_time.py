"""The algebra of spans, checked against sets of milliseconds."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubline.domain.time import Span, gaps, intersection, merged, total_ms

spans = st.builds(lambda start, length: Span(start, start + length), st.integers(-40, 120), st.integers(0, 60))
many = st.lists(spans, max_size=8)


def instants(*of: Span) -> set[int]:
    return {ms for span in of for ms in range(span.start_ms, span.end_ms)}


@given(spans, spans)
def test_the_common_part_is_the_shared_instants(a, b):
    common = a & b
    assert instants(*([common] if common else [])) == instants(a) & instants(b)
    assert (a & b) == (b & a)
    assert a.overlap_ms(b) == len(instants(a) & instants(b))


@given(spans, spans)
def test_the_joint_span_is_the_smallest_that_holds_both(a, b):
    joint = a | b
    assert joint.start_ms in {a.start_ms, b.start_ms}
    assert joint.end_ms in {a.end_ms, b.end_ms}
    assert instants(a, b) <= instants(joint)
    assert joint == (b | a)


@given(spans, st.integers(-50, 200))
def test_a_span_holds_its_start_and_not_its_end(span, instant):
    assert (instant in span) == (instant in instants(span))
    assert bool(span) == (span.start_ms in span)
    assert span.end_ms not in span


@given(spans, st.integers(-1000, 1000))
def test_shifting_keeps_the_length_and_can_be_undone(span, by):
    assert span.shifted(by).len_ms == span.len_ms
    assert span.shifted(by).shifted(-by) == span


@given(many)
def test_merged_spans_are_ordered_disjoint_and_cover_the_same(listed):
    union = merged(listed)
    assert instants(*union) == instants(*listed)
    assert all(union)
    assert all(one.end_ms < other.start_ms for one, other in pairwise(union))
    assert merged(union) == union
    assert total_ms(listed) == len(instants(*listed))


@given(many, st.integers(0, 30))
def test_merging_closes_gaps_up_to_the_one_allowed(listed, gap_ms):
    union = merged(listed, gap_ms)
    assert instants(*listed) <= instants(*union)
    assert all(other.start_ms - one.end_ms > gap_ms for one, other in pairwise(union))
    filled = instants(*union) - instants(*listed)
    assert all(gap.len_ms <= gap_ms for gap in merged(Span(ms, ms + 1) for ms in filled))


@given(many, spans)
def test_gaps_and_spans_make_up_the_whole(listed, within):
    free = gaps(listed, within)
    assert instants(*free) == instants(within) - instants(*listed)
    assert all(free)
    assert all(one.end_ms < other.start_ms for one, other in pairwise(free))


@given(many, many)
def test_intersection_is_the_time_in_both(left, right):
    common = intersection(left, right)
    assert instants(*common) == instants(*left) & instants(*right)
    assert common == intersection(right, left)
    assert all(common)


@given(st.integers(0, 10**9), st.integers(0, 10**7))
def test_milliseconds_survive_the_way_through_seconds(start, length):
    span = Span(start, start + length)
    assert Span.from_seconds(*span.seconds()) == span


def test_a_span_cannot_end_before_it_starts():
    with pytest.raises(ValueError, match="cannot end"):
        Span(10, 9)
