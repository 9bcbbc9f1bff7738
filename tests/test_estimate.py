"""The time that is left: from figures of another machine, then from what runs took on this one, at this run's pace."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from threading import Thread
from typing import Any

import pytest

from dubline.domain.past_run import PastRun
from dubline.estimate import AFTER, COST, Estimate
from dubline.stages import ONCE
from dubline.telemetry.progress import StageProgress, VideoLength

SPANS = {
    "ingest": (0.0, 1.0), "extract-audio": (1.0, 2.0), "transcribe": (2.0, 40.0), "diarize": (3.0, 30.0),
    "separate": (3.0, 20.0), "attribute": (40.0, 41.0), "subtitle-source": (41.0, 41.5), "translate-es": (41.0, 45.0),
    "plan-speech-es": (45.0, 46.0), "synthesize-es": (46.0, 100.0), "place-es": (100.0, 101.0),
    "mix-es": (101.0, 109.0),
    "subtitle-es": (101.0, 102.0), "mux-es": (109.0, 118.0), "publish": (118.0, 119.0),
}  # fmt: skip
RUN = PastRun(video_s=60.0, languages=1, seconds=120.0, spans=SPANS)
EDIT = PastRun(video_s=60.0, languages=1, seconds=10.0, spans={"synthesize-es": (1.0, 8.0)}, again=True)
TELLING = ("transcribe", "synthesize-es", "mux-es")
Told = StageProgress | VideoLength


class Clock:
    second = 0.0

    def monotonic(self) -> float:
        return self.second


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("dubline.estimate.time", clock)
    return clock


def events(spans: dict[str, tuple[float, float]], telling: bool) -> list[tuple[float, Told]]:
    found: list[tuple[float, Told]] = [(spans["ingest"][1] if "ingest" in spans else 0.0, VideoLength(60))]
    for name, (begin, end) in spans.items():
        found += [(begin, StageProgress(name, "running", 0.0)), (end, StageProgress(name, "done", 1.0))]
        if telling and name in TELLING:
            shares = [step / 20 for step in range(1, 20)]
            found += [(begin + share * (end - begin), StageProgress(name, "running", share)) for share in shares]
    return sorted(found, key=lambda one: one[0])


def followed(estimate: Estimate, clock: Clock, told: list[tuple[float, Told]]) -> Iterator[tuple[float, float]]:
    """Second and what is said to be left, once each second until the last event."""
    waiting = list(told)
    for second in range(int(told[-1][0]) + 2):
        while waiting and waiting[0][0] <= second:
            clock.second, event = waiting.pop(0)
            estimate.observe(event)
        clock.second = float(second)
        yield clock.second, estimate.remaining_s


def test_a_new_video_is_foretold_as_this_machine_does_it(clock: Clock) -> None:
    fresh = Estimate(60, ("es",), [RUN], started=0.0)
    assert fresh.remaining_s == pytest.approx(120)
    fresh.observe(VideoLength(300))
    assert 300 < fresh.remaining_s < 600


def test_one_odd_run_does_not_spoil_it(clock: Clock) -> None:
    odd = PastRun(video_s=60.0, languages=1, seconds=4000.0, spans={"publish": (1.0, 2.0)})
    assert Estimate(60, ("es",), [RUN, odd, RUN], started=0.0).remaining_s == pytest.approx(120, rel=0.05)


@pytest.mark.parametrize("telling", [True, False])
@pytest.mark.parametrize("slower", [0.5, 1.0, 3.0])
def test_at_a_steady_pace_it_neither_stands_still_nor_jumps(clock: Clock, slower: float, telling: bool) -> None:
    spans = {name: (slower * begin, slower * end) for name, (begin, end) in SPANS.items()}
    estimate, whole = Estimate(60, ("es",), [RUN], started=0.0), slower * 119
    lowest, since, before = float("inf"), 0.0, None
    for second, left in followed(estimate, clock, events(spans, telling)):
        if not estimate.known:
            continue  # nothing is told yet
        if before is not None:
            assert left - before < max(0.04 * left, 2), f"it grew by {left - before:.0f} s at {second} s"
        before = left
        if second < 0.5 * whole:
            continue  # until then the pace becomes known
        if left < lowest:
            lowest, since = left, second
        assert second - since <= 10, f"nothing was said to become less for {second - since:.0f} s at {second} s"
        if telling and second > 0.6 * whole:
            assert left == pytest.approx(whole - second, abs=0.12 * whole)
    assert estimate.remaining_s == 0


def test_a_stage_that_takes_twice_as_long_raises_it_while_it_goes_on(clock: Clock) -> None:
    late = {name: (begin, end) if end <= 46 else (begin, end + 54) for name, (begin, end) in SPANS.items()}
    late |= {name: (begin + 54, end + 54) for name, (begin, end) in SPANS.items() if begin >= 100}
    said = dict(followed(Estimate(60, ("es",), [RUN], started=0.0), clock, events(late, telling=False)))
    overdue = [said[second] for second in range(105, 154)]
    assert overdue == sorted(overdue), "it grows"
    assert max(after - before for before, after in pairwise(overdue)) < 1, "but slowly"
    assert said[154] > 19, "what comes after it is slower as well"


def test_what_is_told_of_a_stage_moves_what_is_left_within_it(clock: Clock) -> None:
    late = {name: (begin, end) if end <= 46 else (begin, end + 54) for name, (begin, end) in SPANS.items()}
    late |= {name: (begin + 54, end + 54) for name, (begin, end) in SPANS.items() if begin >= 100}
    said = dict(followed(Estimate(60, ("es",), [RUN], started=0.0), clock, events(late, telling=True)))
    assert said[85] == pytest.approx(173 - 85, rel=0.25), "a third of the slow stage is done"


def test_what_is_found_done_says_nothing_of_the_speed(clock: Clock) -> None:
    estimate = Estimate(60, ("es",), [RUN], started=0.0)
    for name in ("ingest", "extract-audio", "transcribe", "diarize", "separate"):
        estimate.observe(StageProgress(name, "cached", 1.0))
    assert estimate.remaining_s == pytest.approx(80)


def test_after_an_edit_runs_after_edits_are_what_counts(clock: Clock) -> None:
    first = Estimate(60, ("es",), [RUN], started=0.0).remaining_s
    assert Estimate(60, ("es",), [RUN], again=True, started=0.0).remaining_s < first / 2, "a share, while none was seen"
    assert Estimate(60, ("es",), [RUN, EDIT], again=True, started=0.0).remaining_s == pytest.approx(10, abs=1)
    assert Estimate(60, ("es",), [RUN, EDIT], started=0.0).remaining_s == pytest.approx(120), "nor of a whole run"


def test_a_further_language_takes_longer(clock: Clock) -> None:
    one, two = (Estimate(60, codes, [RUN], started=0.0).remaining_s for codes in (("es",), ("es", "fr")))
    assert one < two < 2 * one


def test_nothing_is_said_before_anything_is_known(clock: Clock) -> None:
    fresh = Estimate(60, ("es",), started=0.0)
    seen = Estimate(60, ("es",), [RUN], started=0.0)
    assert not fresh.known and not seen.known and not fresh.loading
    for estimate in (fresh, seen):
        estimate.observe(VideoLength(60))
        estimate.observe(StageProgress("transcribe", "running", 0.0))
    assert seen.known and not fresh.known and fresh.loading
    clock.second = 30.0
    fresh.observe(StageProgress("diarize", "done", 1.0))
    assert fresh.known


def test_what_never_comes_is_not_waited_for(clock: Clock) -> None:
    """Nobody speaks in it: it is written with its own sound at once."""
    estimate = Estimate(60, ("es",), [RUN], started=0.0)
    estimate.observe(StageProgress("mux-es", "running", 0.0))
    assert estimate.remaining_s < 15
    estimate.observe(StageProgress("mux-es", "done", 1.0))
    estimate.observe(StageProgress("publish", "done", 1.0))
    assert estimate.remaining_s == 0


def test_the_share_never_falls_and_ends_whole(clock: Clock) -> None:
    estimate, slow = Estimate(60, ("es",), started=0.0), {n: (3 * b, 3 * e) for n, (b, e) in SPANS.items()}
    shares = [estimate.fraction for _ in followed(estimate, clock, events(slow, telling=True))]
    assert shares == sorted(shares) and shares[-1] == 1 and shares[0] < 0.05


def test_a_run_of_some_stages_is_done_when_they_are() -> None:
    hearing = Estimate(60, (), stages={"transcribe", "diarize"})
    speaking = Estimate(60, ("es", "fr"), stages={"translate", "synthesize"})
    for name in ("transcribe", "diarize", "translate-es", "translate-fr", "synthesize-es", "synthesize-fr"):
        assert (hearing if name in ("transcribe", "diarize") else speaking).fraction < 1
        for estimate in (hearing, speaking):
            estimate.observe(StageProgress(name, "done", 1.0))
    assert hearing.fraction == speaking.fraction == 1


@pytest.mark.parametrize("languages", [(), ("es",)])
def test_stages_that_the_table_does_not_know_are_told_without_a_share(languages: tuple[str, ...]) -> None:
    estimate = Estimate(60, languages, stages={"speak-again"})
    estimate.observe(StageProgress("speak-again-es", "done", 1.0))
    estimate.observe(StageProgress("synthesize-es", "done", 1.0))
    assert estimate.fraction == 0


class Stages(dict[str, Any]):
    """While somebody goes through them, another thread tells of one that begins."""

    def __init__(self, estimate: Estimate) -> None:
        super().__init__(estimate._seen)
        begun = StageProgress("separate", "running", 0.0)
        self.other = Thread(target=estimate.observe, args=(begun,))

    def items(self) -> Any:
        for item in super().items():
            if self.other.ident is None:
                self.other.start()
                self.other.join(0.05)  # it has told by then, or waits
            yield item


@pytest.mark.parametrize("asked", ["fraction", "remaining_s", "known", "loading"])
def test_a_stage_may_begin_in_another_thread_while_it_is_asked(asked: str) -> None:
    estimate = Estimate(60, ("es",), [RUN])
    for event in (VideoLength(60), *(StageProgress(name, "running", 0.0) for name in ("transcribe", "diarize"))):
        estimate.observe(event)
    estimate._seen = stages = Stages(estimate)
    getattr(estimate, asked)
    stages.other.join()
    assert "separate" in stages


def test_every_stage_that_takes_time_has_its_place() -> None:
    assert AFTER.keys() == COST.keys()
    order = list(AFTER)
    assert all(order.index(earlier) < order.index(stage) for stage, before in AFTER.items() for earlier in before)
    assert {stage for stage in AFTER if stage in ONCE} >= {"ingest", "publish"}
