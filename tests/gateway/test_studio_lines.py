"""The page in a real browser: players, timeline, and lines that are edited and heard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from dubline.domain.errors import (
    DublineError,
    EngineUnavailable,
    GateFailed,
    InvalidMedia,
    ModelMissing,
    ServiceUnavailable,
)
from dubline.storage.accounts import Role
from dubline.storage.sessions import failing
from dubline.storage.sessions.model import Failure, State
from dubline.storage.sessions.store import OnlyIf
from tests.gateway import talk
from tests.gateway.browsing import PLACES, Seen, line
from tests.gateway.served import Served
from tests.waiting import until

TOGETHER = """() => { const [one, two] = document.querySelectorAll("video");
    return one.paused && two.paused && Math.abs(one.currentTime - two.currentTime) < 0.05; }"""


def test_both_players_go_together_and_one_is_heard(seen: Seen, dubbed: str) -> None:
    page = seen.page
    page.wait_for_function("() => [...document.querySelectorAll('video')].every((video) => video.readyState >= 2)")
    seen.picture("session")
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function("() => document.querySelectorAll('video')[1].currentTime > 2.5")
    page.wait_for_function(f"() => {{ const [one, other] = ({PLACES})(); return Math.abs(one - other) < 0.25; }}")
    muted = "() => [...document.querySelectorAll('video')].map((video) => video.muted)"
    assert page.evaluate(muted) == [True, False]
    page.keyboard.press("m")
    assert page.evaluate(muted) == [False, True]
    expect(page.get_by_label("Original", exact=True)).to_be_checked()
    page.get_by_role("button", name="Pause", exact=True).click()
    page.wait_for_function(TOGETHER)
    page.get_by_label("Position", exact=True).fill("9")
    page.wait_for_function(
        "() => [...document.querySelectorAll('video')].every((one) => Math.abs(one.currentTime - 9) < 0.1)"
    )
    page.get_by_label("Captions").select_option("dub")
    shown = "() => [...document.querySelectorAll('video')[1].textTracks].map((track) => track.mode)"
    assert page.evaluate(shown) == ["showing", "disabled"]


def test_the_one_that_is_not_heard_catches_up(seen: Seen, dubbed: str) -> None:
    page = seen.page
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function("() => document.querySelectorAll('video')[1].currentTime > 0.5")
    page.evaluate("() => { document.querySelectorAll('video')[0].currentTime += 3; }")
    page.wait_for_function(
        "() => { const [one, two] = document.querySelectorAll('video');"
        " return !one.seeking && !two.paused && Math.abs(one.currentTime - two.currentTime) < 0.1; }"
    )


def test_an_edited_line_is_dubbed_again_and_heard(seen: Seen, gateway: Served, dubbed: str) -> None:
    page = seen.page
    second = line(page, 2)
    second.get_by_role("button", name="Edit").click()
    form = second.get_by_role("form")
    expect(form.get_by_label("Translation")).to_be_focused()
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_have_text("Nothing is changed yet.")
    form.get_by_label("Translation").fill("Hoy miramos <b>el mar</b>.")
    seen.picture("editing")
    form.get_by_role("button", name="Save").click()
    expect(second.get_by_role("status")).to_contain_text("Saved. Waiting for a place")
    assert "Hoy miramos" not in second.locator(".line").inner_text(), "what is shown is what is dubbed"
    heard: list[str] = []
    page.on("request", lambda request: heard.append(request.url) if "/clips/" in request.url else None)
    talk.finish(gateway, dubbed)
    expect(second.get_by_role("status")).to_contain_text("Dubbed again.")
    expect(second).to_contain_text("Hoy miramos <b>el mar</b>.")
    until(lambda: page.wait_for_timeout(50) or heard)
    assert "clips/es/0002.1.flac" in heard[0]
    seen.picture("edited")


def test_several_edits_may_wait_and_one_is_taken_back(seen: Seen, gateway: Served, dubbed: str) -> None:
    page = seen.page
    for number, text in ((1, "Hola a todos."), (3, "Cubre casi todo.")):
        line(page, number).get_by_role("button", name="Edit").click()
        line(page, number).get_by_label("Translation").fill(text)
        page.keyboard.press("Control+Enter")
        expect(line(page, number).get_by_role("status")).to_contain_text("Saved.")
    talk.finish(gateway, dubbed)
    expect(line(page, 1)).to_contain_text("Hola a todos.")
    expect(line(page, 3)).to_contain_text("Cubre casi todo.")
    expect(line(page, 3)).to_contain_text("edited")
    line(page, 3).get_by_role("button", name="Edit").click()
    line(page, 3).get_by_role("button", name="Take all changes back").click()
    expect(line(page, 3).get_by_role("status")).to_contain_text("Saved.")
    talk.finish(gateway, dubbed)
    expect(line(page, 3)).to_contain_text("Cubre la mayor parte del planeta.")
    expect(line(page, 3)).not_to_contain_text("edited")


def test_what_is_typed_stays_while_another_line_arrives(seen: Seen, gateway: Served, dubbed: str) -> None:
    page = seen.page
    line(page, 1).get_by_role("button", name="Edit").click()
    line(page, 1).get_by_label("Translation").fill("Hola.")
    page.keyboard.press("Control+Enter")
    expect(line(page, 1).get_by_role("status")).to_contain_text("Saved.")
    line(page, 2).get_by_role("button", name="Edit").click()
    line(page, 2).get_by_label("Translation").fill("Todavía no")
    talk.finish(gateway, dubbed)
    expect(line(page, 1)).to_contain_text("Hola.")
    expect(line(page, 2).get_by_label("Translation")).to_have_value("Todavía no")


def test_a_refused_edit_says_why_beside_its_field(seen: Seen, dubbed: str) -> None:
    page = seen.page
    seen.allow("422")
    line(page, 1).get_by_role("button", name="Edit").click()
    form = line(page, 1).get_by_role("form")
    form.get_by_label("Translation").fill("...")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_contain_text("no letter or digit")
    expect(form.get_by_label("Translation")).to_have_attribute("aria-invalid", "true")
    form.get_by_label("Translation").fill("Hola.")
    form.get_by_label("Ends there").fill("0.1")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_have_text("The line has to end after it begins.")


def test_a_change_that_fails_is_told_and_resumed(seen: Seen, gateway: Served, dubbed: str) -> None:
    page = seen.page
    line(page, 1).get_by_role("button", name="Edit").click()
    line(page, 1).get_by_label("Translation").fill("Buenas.")
    page.keyboard.press("Control+Enter")
    expect(line(page, 1).get_by_role("status")).to_contain_text("Waiting for a place")
    fails(gateway, dubbed, EngineUnavailable("The worker was lost."))
    expect(line(page, 1).get_by_role("status")).to_contain_text("it could not be dubbed: The worker was lost.")
    expect(page.get_by_text("what was finished before them is shown. The worker was lost.")).to_be_visible()
    expect(page.get_by_role("button", name="Resume")).to_have_class("main")
    page.get_by_role("button", name="Resume").click()
    expect(line(page, 1).get_by_role("status")).to_contain_text("Waiting for a place")


def test_a_change_that_can_never_be_dubbed_is_taken_back(seen: Seen, gateway: Served, dubbed: str) -> None:
    page = seen.page
    line(page, 1).get_by_role("button", name="Edit").click()
    line(page, 1).get_by_label("Translation").fill("Buenas.")
    page.keyboard.press("Control+Enter")
    expect(line(page, 1).get_by_role("status")).to_contain_text("Waiting for a place")
    fails(gateway, dubbed, GateFailed("The line '0001' is wrong."))
    back = page.get_by_role("button", name="Take the changes back")
    expect(back).to_have_class("main")
    expect(page.get_by_role("button", name="Resume")).not_to_have_class("main")
    seen.picture("failed")
    back.click()
    expect(back).to_be_hidden()
    expect(page.get_by_text("what was finished before them is shown")).to_be_hidden()
    expect(line(page, 1).get_by_role("status")).to_be_hidden()


@pytest.mark.parametrize(
    ("error", "main"),
    [
        (InvalidMedia("It is empty."), "New dub"),
        (ServiceUnavailable("It is away."), "Resume"),
        (ModelMissing("x"), None),
    ],
)
def test_the_main_button_is_what_helps(seen: Seen, gateway: Served, error: DublineError, main: str | None) -> None:
    seen.sign_in(Role.OPERATOR)
    with gateway.client() as client:
        session = talk.made(gateway, client, dubbed=False)
    fails(gateway, session, error)
    seen.open(session)
    expect(seen.page.get_by_text(str(error), exact=True)).to_be_visible()
    expect(seen.page.locator("header .main:visible")).to_have_text([main] if main else [])


def fails(gateway: Served, session: str, error: DublineError) -> None:
    """As a run does."""
    run = gateway.begin(session).run
    now = gateway.stored(session)
    mine = OnlyIf((State.RUNNING,), run=run)
    assert gateway.ask(lambda db: failing.failed(db, now, mine, Failure.of(error)))


def test_a_speaker_gets_another_voice(seen: Seen, gateway: Served, dubbed: str) -> None:
    page = seen.page
    voices = page.get_by_role("region", name="Voices")
    voices.get_by_label("Voice of S2").select_option("ef_dora")
    voices.get_by_role("button", name="Use this voice for S2").click()
    expect(voices.get_by_role("status")).to_contain_text("S2: Saved.")
    talk.finish(gateway, dubbed)
    expect(line(page, 3)).to_contain_text("ef_dora")
    expect(voices.get_by_label("Voice of S2")).to_have_value("ef_dora")
    expect(line(page, 1)).to_contain_text("em_alex")


def test_a_further_language_is_dubbed_and_shown(seen: Seen, gateway: Served, dubbed: str) -> None:
    page = seen.page
    page.get_by_label("Further language").select_option("fr")
    page.get_by_role("button", name="Dub into this too").click()
    expect(page.get_by_text("French: not finished yet.")).to_be_visible()
    talk.finish(gateway, dubbed)
    page.get_by_role("button", name="French").click()
    expect(page.get_by_role("button", name="French")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("figcaption").last).to_contain_text("French")


def test_findings_lead_to_their_lines(seen: Seen, dubbed: str) -> None:
    page = seen.page
    quality = page.get_by_role("region", name="Quality")
    expect(quality).to_contain_text("Half of the words cannot be heard in the clip.")
    quality.get_by_role("button", name="Go to line 6").click()
    expect(line(page, 6)).to_have_class(re.compile("selected"))
    page.get_by_label("Flagged only").check()
    expect(page.get_by_role("region", name="Lines")).to_contain_text("3 of 6 lines, 3 flagged")
    page.wait_for_function("() => Math.abs(document.querySelectorAll('video')[1].currentTime - 9.88) < 0.1")


def test_without_waveforms_the_timeline_is_there_all_the_same(seen: Seen, gateway: Served) -> None:
    seen.sign_in()
    with gateway.client() as client:
        session = talk.made(gateway, client, dubbed=False)
    talk.finish(gateway, session, waveforms=False)
    seen.open(session)
    expect(seen.page.get_by_role("slider", name="Timeline")).to_be_visible()


def test_a_dub_of_an_address_is_played_without_its_original(seen: Seen, gateway: Served) -> None:
    page = seen.page
    seen.sign_in()
    page.goto(f"{gateway.url}/#/new")
    page.get_by_label("or its address").fill("https://videos.example.org/talk.mp4")
    page.get_by_label("Spanish", exact=True).check()
    page.get_by_role("button", name="Dub it").click()
    expect(page.get_by_text("Waiting for a place")).to_be_visible()
    talk.finish(gateway, page.url.rpartition("/")[2])
    expect(page.get_by_text("not kept here to be watched")).to_be_visible()
    expect(page.get_by_label("Original", exact=True)).to_be_disabled()
    page.get_by_role("button", name="Hear the dub, line 1").click()
    page.wait_for_function("() => document.querySelectorAll('video')[1].currentTime > 0.6")


def test_a_click_into_the_timeline_goes_there(seen: Seen, dubbed: str) -> None:
    page = seen.page
    slider = page.get_by_role("slider", name="Timeline")
    box = slider.bounding_box()
    assert box
    slider.click(position={"x": box["width"] * 0.5, "y": 10})
    page.wait_for_function(
        f"() => Math.abs(document.querySelectorAll('video')[1].currentTime - {talk.SECONDS / 2}) < 0.5"
    )
    page.get_by_role("button", name="Zoom in").click()
    assert page.evaluate(
        "() => { const one = document.querySelector('.scroller'); return one.scrollWidth > one.clientWidth; }"
    )
    slider.focus()
    page.keyboard.press("Home")
    page.wait_for_function("() => document.querySelectorAll('video')[0].currentTime === 0")
    expect(slider).to_have_attribute("aria-valuetext", "0:00")
