"""A video behind a URL, from the command line to the published dub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.test_bad_input import nothing_published, sentence
from tests.pipeline.workshop import Workshop
from tests.web_server import WebServer, redirect

pytestmark = pytest.mark.server


@pytest.fixture
def server(video: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    made = WebServer(video.read_bytes())
    monkeypatch.setenv("DUBLINE_URL_HOSTS", made.place)
    yield made
    made.stop()


def translate(workshop: Workshop, url: str) -> object:
    return workshop.run("translate", url, "--from", "en", "--to", "es", "--profile", "fake", "--out", workshop.out)


def test_a_video_behind_a_url_is_dubbed_and_fetched_once(workshop: Workshop, server: WebServer) -> None:
    url = f"http://{server.place}/videos/my%20clip.mp4?token=secret"
    result = translate(workshop, url)
    assert result.returncode == 0, result.stderr
    assert (workshop.out / "my clip.es.mp4").exists()
    assert workshop.manifest()["source"] == f"http://{server.place}/videos/my%20clip.mp4"
    assert not [file for file in workshop.out.rglob("*.*") if b"secret" in file.read_bytes()]
    assert translate(workshop, url).returncode == 0
    assert [headers.get("If-None-Match") for _, headers in server.requests].count(None) == 1
    assert set(workshop.engine_calls().values()) == {1}


def test_a_file_that_calls_itself_a_video_is_judged_by_its_content(workshop: Workshop, server: WebServer) -> None:
    server.content = b"<html><script>alert(1)</script></html>"
    result = translate(workshop, f"http://{server.place}/clip.mp4")
    assert result.returncode == 3
    assert "cannot be read" in sentence(result)
    assert nothing_published(workshop)


@pytest.mark.parametrize("url", ["https://127.0.0.1/clip.mp4", "https://2130706433/a", "https://user:pw@example.org/a"])
def test_an_address_that_is_refused_is_refused_before_any_work(workshop: Workshop, url: str) -> None:
    result = translate(workshop, url)
    assert result.returncode == 2
    assert "pw" not in sentence(result)
    assert not workshop.home.exists()


def test_a_redirect_into_the_network_ends_the_run(workshop: Workshop, server: WebServer) -> None:
    server.usual = redirect("http://169.254.169.254/latest/meta-data/")
    result = translate(workshop, f"http://{server.place}/clip.mp4")
    assert result.returncode == 2
    assert "http" in sentence(result)
    assert nothing_published(workshop)


def test_results_do_not_go_to_a_url(workshop: Workshop, video: Path) -> None:
    result = workshop.translate(video, "--out", "https://example.org/out")
    assert result.returncode == 2
    assert "no place for files" in sentence(result)
