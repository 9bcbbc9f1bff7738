"""The time that is left: from figures of another machine, then from what runs took on this one."""

from __future__ import annotations

import pytest

from dubline.domain.past_run import PastRun
from dubline.estimate import LEAST_LEFT, Estimate
from dubline.telemetry.progress import StageProgress, VideoLength

SPANS = {"transcribe": (2.0, 10.0), "separate": (2.0, 12.0), "synthesize-es": (10.0, 30.0), "publish": (38.0, 40.0)}
RUN = PastRun(video_s=60.0, languages=1, seconds=40.0, spans=SPANS)
EDIT = PastRun(video_s=60.0, languages=1, seconds=10.0, spans={"synthesize-es": (1.0, 8.0)}, again=True)


class Clock:
    second = 0.0

    def monotonic(self) -> float:
        return self.second


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("dubline.estimate.time", clock)
    return clock


def test_a_new_video_is_foretold_as_this_machine_does_it(clock: Clock) -> None:
    fresh = Estimate(60, ("es",), [RUN], started=0.0)
    assert fresh.remaining_s == pytest.approx(40)
    fresh.observe(VideoLength(300))
    at_the_tables_speed = (
        Estimate(300, ("es",), started=0.0).remaining_s / Estimate(60, ("es",), started=0.0).remaining_s
    )
    assert fresh.remaining_s == pytest.approx(40 * at_the_tables_speed)


def test_one_odd_run_does_not_spoil_it(clock: Clock) -> None:
    odd = PastRun(video_s=60.0, languages=1, seconds=4000.0, spans={"publish": (1.0, 2.0)})
    assert Estimate(60, ("es",), [RUN, odd, RUN], started=0.0).remaining_s == pytest.approx(40)


@pytest.mark.parametrize("slower", [1.0, 2.0])
def test_a_run_gets_on_as_earlier_ones_did_at_its_own_speed(clock: Clock, slower: float) -> None:
    estimate, errors = Estimate(60, ("es",), [RUN], started=0.0), []
    told = [(begin, name, "running") for name, (begin, _) in SPANS.items()]
    told += [(end, name, "done") for name, (_, end) in SPANS.items()]
    for second, name, state in sorted(told):
        clock.second = second * slower
        estimate.observe(StageProgress(name, state, 0.0))  # type: ignore[arg-type]
        errors.append(abs(estimate.remaining_s - slower * (40 - second)) / (slower * 40))
        if state == "done":
            assert estimate.fraction == pytest.approx(second / 40)
    assert errors == sorted(errors, reverse=True), "the longer it runs the better it is known"
    assert errors[0] <= 1 - 1 / slower
    assert estimate.remaining_s == 0
    assert estimate.spans.keys() == SPANS.keys()


def test_a_stage_that_takes_longer_than_ever_leaves_something_to_do(clock: Clock) -> None:
    estimate = Estimate(60, ("es",), [RUN], started=0.0)
    clock.second = 400.0
    assert estimate.remaining_s == pytest.approx(LEAST_LEFT * 40)


def test_what_is_told_is_followed() -> None:
    estimate = Estimate(60, ("es",))
    estimate.observe(VideoLength(600))
    before = estimate.fraction
    estimate.observe(StageProgress("transcribe", "done", 1.0))
    estimate.observe(StageProgress("unheard-of", "done", 1.0))
    assert estimate.fraction > before == 0


def test_what_is_found_done_says_nothing_of_the_speed(clock: Clock) -> None:
    estimate = Estimate(60, ("es",), [RUN], started=0.0)
    estimate.observe(StageProgress("transcribe", "cached", 1.0))
    assert estimate.fraction == pytest.approx(0.25)
    assert estimate.remaining_s == pytest.approx(30)


def test_after_an_edit_runs_after_edits_are_what_counts(clock: Clock) -> None:
    assert Estimate(60, ("es",), [RUN], again=True, started=0.0).remaining_s == pytest.approx(8), (
        "a share, while none was seen"
    )
    estimate = Estimate(60, ("es",), [RUN, EDIT], again=True, started=0.0)
    for stage in ("transcribe", "separate"):
        estimate.observe(StageProgress(stage, "cached", 1.0))
    assert estimate.fraction == 0
    assert estimate.remaining_s == pytest.approx(10)
    assert Estimate(60, ("es",), [RUN, EDIT], started=0.0).remaining_s == pytest.approx(40), "nor of a whole run"


def test_several_languages_are_as_far_as_they_are_on_average(clock: Clock) -> None:
    estimate = Estimate(60, ("es", "fr"), [RUN], started=0.0)
    estimate.observe(StageProgress("synthesize-es", "done", 1.0))
    assert estimate.fraction == pytest.approx((10 + 20 / 2) / 40)


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
