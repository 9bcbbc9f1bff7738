"""The page in a real browser: signing in, uploads, the list, a session as a whole, by mouse and by keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from dubline.storage.accounts import Role
from tests.gateway import talk
from tests.gateway.browsing import Seen, line
from tests.gateway.served import Served

UNNAMED = """() => [...document.querySelectorAll("button, a, input, select, textarea, video, [tabindex='0']")]
    .filter((one) => one.checkVisibility())
    .filter((one) => !one.ariaLabel && !one.getAttribute("aria-labelledby") && !one.labels?.length)
    .filter((one) => !one.textContent.trim()).map((one) => one.outerHTML.slice(0, 200))"""
WIDE = """() => document.documentElement.scrollWidth - document.documentElement.clientWidth"""


def test_a_wrong_key_is_refused_and_a_right_one_let_in(seen: Seen, gateway: Served) -> None:
    page = seen.page
    page.goto(gateway.url)
    seen.allow("401")
    seen.picture("sign-in")
    page.get_by_label("API key or token").fill("dub_wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("This key or token is not valid (any more).")
    page.get_by_label("API key or token").fill(gateway.key())
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing has been dubbed here yet.")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_video_is_uploaded_and_watched_until_it_is_dubbed(seen: Seen, gateway: Served, tmp_path: Path) -> None:
    page = seen.page
    seen.sign_in()
    page.get_by_role("link", name="New dub").first.click()
    page.get_by_role("button", name="Dub it").click()
    expect(page.get_by_role("alert")).to_have_text("Choose a video file, or give its address.")
    page.get_by_label("Video file").set_input_files(talk.media()[0])
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_label("Spanish", exact=True).check()
    page.get_by_label("Profile").select_option("standard")
    expect(page.get_by_text("Not for commercial use")).to_be_visible()
    page.get_by_label("Profile").select_option("offline")
    page.get_by_label("Spanish", exact=True).check()
    seen.picture("new")
    page.get_by_role("button", name="Dub it").click()
    page.get_by_role("link", name="talk.mp4").click()
    expect(page.get_by_text("Waiting for a place")).to_be_visible()
    (parameters,) = gateway.runs.created.values()
    session = parameters["request"]["session"]["id"]
    gateway.begin(session)
    gateway.tell(session, "stage", name="transcribe", state="done", fraction=1.0)
    gateway.tell(session, "stage", name="translate-es", state="running", fraction=0.5)
    gateway.tell(session, "progress", fraction=0.42, eta_s=125.0)
    gateway.tell(session, "warning", rule="onset-lag", severity="review", language="es", lines=["0002"])
    expect(page.get_by_role("listitem").filter(has_text="Translating, Spanish")).to_contain_text("50 %")
    expect(page.get_by_text("42 %, about 2 min left")).to_be_visible()
    expect(page.get_by_role("region", name="Progress").locator("strong")).to_have_text("Translating, Spanish")
    expect(page.get_by_text("found so far: 1 to review, in 1 line.")).to_be_visible()
    seen.picture("progress")
    talk.finish(gateway, session)
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    expect(page.get_by_role("progressbar", name="Progress")).to_be_hidden()


def test_an_upload_goes_on_where_it_was_cut_off(seen: Seen, gateway: Served, tmp_path: Path) -> None:
    page = seen.page
    seen.sign_in()
    seen.allow("ERR_FAILED|ERR_INTERNET")
    large = tmp_path / "large.mp4"
    large.write_bytes(talk.media()[0].read_bytes() + bytes(20 << 20))
    offsets: list[int] = []

    def cut(route: Any) -> None:
        offsets.append(int(route.request.headers.get("upload-offset", -1)))
        if len(offsets) == 2:
            route.abort()
        else:
            route.continue_()

    page.route("**/v1/uploads/*", lambda route: cut(route) if route.request.method == "PATCH" else route.continue_())
    page.goto(f"{gateway.url}/#/new")
    page.get_by_label("Video file").set_input_files(large)
    page.get_by_label("Spanish", exact=True).check()
    page.get_by_role("button", name="Dub it").click()
    expect(page.get_by_role("link", name="large.mp4")).to_be_visible()
    assert offsets == [0, 8 << 20, 8 << 20, 16 << 20]
    assert page.evaluate("() => Object.keys(localStorage).filter((key) => key.startsWith('dubline-upload'))") == []


def test_an_upload_can_be_cancelled_and_says_why_it_was_refused(seen: Seen, gateway: Served) -> None:
    page = seen.page
    seen.sign_in()
    seen.allow("413|ERR_FAILED")
    held = {"on": True}
    refusal = '{"detail": "The file has 9 bytes; 5 are the most.", "code": "upload-too-large"}'
    page.route(
        "**/v1/uploads",
        lambda route: (
            route.fulfill(status=413, content_type="application/problem+json", body=refusal)
            if held["on"]
            else route.continue_()
        ),
    )
    page.goto(f"{gateway.url}/#/new")
    page.get_by_label("Video file").set_input_files(talk.media()[0])
    page.get_by_label("Spanish", exact=True).check()
    page.get_by_role("button", name="Dub it").click()
    job = page.get_by_role("region", name="Upload of talk.mp4")
    expect(job.get_by_role("alert")).to_have_text("The file has 9 bytes; 5 are the most.")
    seen.picture("upload-refused")
    held["on"] = False
    job.get_by_role("button", name="Cancel").click()
    expect(job).to_have_count(0)
    assert not gateway.runs.created


def test_results_are_downloaded_under_their_names(seen: Seen, dubbed: str) -> None:
    page = seen.page
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Dubbed video").click()
    assert waiting.value.suggested_filename == "talk.es.mp4"
    assert Path(waiting.value.path()).read_bytes() == talk.media()[1].read_bytes()


def test_all_is_done_by_keyboard(seen: Seen, gateway: Served, dubbed: str) -> None:
    page = seen.page
    page.get_by_label("Speed").select_option("0.5")  # the page has time to end a line where it ends
    page.get_by_role("heading", level=1).focus()
    page.keyboard.press("n")
    expect(line(page, 2)).to_be_focused()
    page.keyboard.press("n")
    expect(line(page, 5)).to_be_focused()
    page.keyboard.press("p")
    page.keyboard.press("k")
    expect(line(page, 1)).to_be_focused()
    page.keyboard.press("e")
    expect(line(page, 1).get_by_label("Translation")).to_be_focused()
    page.keyboard.press("Escape")
    expect(line(page, 1)).to_be_focused()
    page.evaluate(
        "() => document.querySelectorAll('video')[1]"
        ".addEventListener('pause', (event) => { window.endedAt = event.target.currentTime; })"
    )
    page.keyboard.press("d")
    page.wait_for_function("() => window.endedAt")
    assert page.evaluate("() => window.endedAt") < 3.5, "this line, and not the next, which ends at 4.2 s"
    page.keyboard.press("Space")
    page.wait_for_function("() => !document.querySelectorAll('video')[1].paused")
    page.keyboard.press("Space")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    seen.picture("help")
    page.get_by_label("Use these single keys").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    expect(page.get_by_role("form")).to_have_count(0)


def test_every_stop_of_the_tab_key_is_seen_and_has_a_name(seen: Seen, dubbed: str) -> None:
    page = seen.page
    page.get_by_role("heading", level=1).focus()
    stops = set()
    for _ in range(70):
        page.keyboard.press("Tab")
        found = page.evaluate(
            "() => { const one = document.activeElement; const style = getComputedStyle(one);"
            " return [one.outerHTML.slice(0, 120), style.outlineStyle, one.checkVisibility()]; }"
        )
        if found[0].startswith("<body"):
            break
        stops.add(found[0])
        assert found[1] != "none" and found[2], found
    assert len(stops) > 30
    assert page.evaluate(UNNAMED) == []


def test_a_viewer_sees_results_and_nothing_to_change_them(seen: Seen, gateway: Served) -> None:
    page = seen.page
    with gateway.client() as client:
        session = talk.made(gateway, client)
    seen.sign_in(Role.VIEWER)
    expect(page.get_by_role("link", name="New dub")).to_have_count(0)
    seen.open(session)
    expect(page.get_by_role("heading", name="Lines")).to_be_visible()
    for name in ("Edit", "Delete", "Dub into this too", "Use this voice"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)


def test_a_session_is_deleted_after_a_question(seen: Seen, gateway: Served, dubbed: str) -> None:
    page = seen.page
    seen.allow("404")  # the page may hear of it, and ask for the session, before it is told that it may go
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="No, keep it").click()
    expect(page.get_by_role("heading", name="Lines")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_text("Nothing has been dubbed here yet.")).to_be_visible()


def test_the_list_tells_states_and_is_searched(seen: Seen, gateway: Served) -> None:
    page = seen.page
    seen.sign_in()
    with gateway.client() as client:
        talk.made(gateway, client, title="The sea")
        running = talk.made(gateway, client, dubbed=False, title="A walk <b>in</b> the woods")
        gateway.begin(running)
        failed = talk.made(gateway, client, dubbed=False, title="Broken")
        gateway.runs.set(str(gateway.stored(failed).run), "FAILED", "No stream of sound; choose another file.")
    expect(page.get_by_role("progressbar", name="Progress of A walk <b>in</b> the woods")).to_be_visible()
    expect(page.get_by_text("No stream of sound; choose another file.")).to_be_visible()
    seen.picture("list")
    page.get_by_label("Title").fill("walk")
    expect(page.get_by_role("link", name="The sea")).to_have_count(0)
    expect(page.get_by_role("link", name="A walk <b>in</b> the woods")).to_be_visible()


def test_the_run_is_linked_in_prefects_page(seen: Seen, gateway: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dubline.gateway.runs.ui_url", lambda run: f"http://127.0.0.1:4200/runs/flow-run/{run}")
    seen.sign_in()
    with gateway.client() as client:
        session = talk.made(gateway, client, dubbed=False)
    seen.open(session)
    link = seen.page.get_by_role("link", name="Run in Prefect")
    expect(link).to_have_attribute("href", f"http://127.0.0.1:4200/runs/flow-run/{gateway.stored(session).run}")


def test_a_gateway_that_is_away_is_told_and_found_again(seen: Seen, dubbed: str) -> None:
    page = seen.page
    seen.allow("ERR_INTERNET_DISCONNECTED|ERR_FAILED")
    page.context.set_offline(True)
    line(page, 1).get_by_role("button", name="Edit").click()
    line(page, 1).get_by_label("Translation").fill("Hola.")
    page.keyboard.press("Control+Enter")
    expect(line(page, 1).get_by_role("alert")).to_contain_text("The gateway does not answer")
    page.context.set_offline(False)
    page.keyboard.press("Control+Enter")
    expect(line(page, 1).get_by_role("status")).to_contain_text("Saved.")


@pytest.mark.parametrize(
    ("name", "width", "scheme"), [("dark", 1280, "dark"), ("narrow", 360, "light"), ("narrow-dark", 360, "dark")]
)
def test_it_fits_any_screen(seen: Seen, gateway: Served, name: str, width: int, scheme: str) -> None:
    page = seen.page
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its two words
    page.set_viewport_size({"width": width, "height": 800})
    seen.sign_in()
    with gateway.client() as client:
        session = talk.made(gateway, client)
        talk.made(
            gateway, client, dubbed=False, title="A rather long title of a talk, longer than a line of a telephone"
        )
    page.reload()
    expect(page.get_by_role("link", name="talk.mp4")).to_be_visible()
    seen.picture(f"list-{name}")
    assert page.evaluate(WIDE) <= 0
    page.goto(f"{gateway.url}/#/new")
    expect(page.get_by_role("heading", name="New dub")).to_be_visible()
    seen.picture(f"new-{name}")
    assert page.evaluate(WIDE) <= 0
    seen.open(session)
    expect(page.get_by_role("heading", name="Lines")).to_be_visible()
    page.wait_for_function("() => document.querySelectorAll('video')[1].readyState >= 2")
    seen.picture(f"session-{name}")
    assert page.evaluate(WIDE) <= 0
