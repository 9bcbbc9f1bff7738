"""`dubline serve` as a newcomer has it, in a browser, with real models: upload, watch, play, edit, hear, download."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from dubline.engines.contracts import TranscriptionRequest
from dubline.engines.manager import manager
from dubline.evaluation import JUDGE, plain
from dubline.settings import settings
from tests.gateway.browsing import PICTURES, Seen, line
from tests.waiting import until

pytestmark = [pytest.mark.models, pytest.mark.server]
ROOT = Path(__file__).parent.parent.parent
START_S, DUB_MS = 120, 400_000
SENTENCE = "Mañana vamos a comer pescado en la playa con toda la familia."
"""What nobody says in the sample."""
HEARD_OF_IT = {"mañana", "comer", "pescado", "playa", "familia"}


@dataclass
class Service:
    """What `dubline serve` said when it was up."""

    url: str
    admin: str

    def key(self, *_: Any) -> str:
        return self.admin


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("serve") / "home"
    home.mkdir()
    (home / "models").symlink_to(settings().models.resolve(), target_is_directory=True)
    port = 4700 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment |= {"DUBLINE_HOME": str(home), "DUBLINE_SERVER_PORT": str(port), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "dubline.cli"]
    log = home.parent / "log"
    with log.open("wb") as said:
        serving = subprocess.Popen(
            [*command, "serve", "--port", "0"], env=environment, cwd=ROOT, stdout=said, stderr=subprocess.STDOUT
        )
    try:
        until(lambda: "Dubline: http" in log.read_text() or serving.poll() is not None, START_S)
        words = log.read_text()
        address, key = re.search(r"Dubline: (\S+)", words), re.search(r"shown this once: (\S+)", words)
        assert address and key, words
        yield Service(address[1], key[1])
    finally:
        serving.terminate()
        serving.wait(60)
        subprocess.run([*command, "down"], env=environment, cwd=ROOT, check=True)
    assert serving.returncode == 0, log.read_text()


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    video = tmp_path_factory.mktemp("sample") / "sample.mp4"
    subprocess.run([sys.executable, "scripts/make_sample.py", video], cwd=ROOT, check=True)
    return video


def test_the_sample_is_dubbed_watched_mended_and_taken_home(
    browser: Browser, service: Service, sample: Path, tmp_path: Path
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    seen = Seen(context.new_page(), service, PICTURES / "serve")
    page = seen.page
    seen.sign_in()
    uploaded(page, sample)
    seen.picture("1-running")
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible(timeout=DUB_MS)
    session = page.url.rpartition("/")[2]
    played(page)
    seen.picture("2-dubbed")
    edited(page)
    seen.picture("3-edited")
    dub = downloaded(page, tmp_path)
    context.close()
    seen.check()
    lines = asked(service, f"/v1/sessions/{session}/languages/es/lines")
    mended = lines["lines"][1]
    assert (lines["revision"], mended["text"]) == (1, SENTENCE)
    files = {one["path"]: one for one in asked(service, f"/v1/sessions/{session}/artifacts")}
    assert hashlib.sha256(dub.read_bytes()).hexdigest() == files[dub.name]["sha256"]
    heard = set(plain(hear(dub, mended["start_ms"], mended["end_ms"])).split())
    assert len(heard & HEARD_OF_IT) >= 4, heard


def uploaded(page: Page, sample: Path) -> None:
    page.get_by_role("link", name="New dub").first.click()
    page.get_by_label("Video file").set_input_files(sample)
    page.get_by_label("Spanish", exact=True).check()
    page.get_by_role("button", name="Dub it").click()
    page.get_by_role("link", name="sample.mp4").click()
    # How far it is, what is being done, and when it will be over.
    expect(page.get_by_role("region", name="Progress")).to_contain_text(re.compile(r"\d+ %, .*left"), timeout=DUB_MS)


def played(page: Page) -> None:
    page.wait_for_function("() => [...document.querySelectorAll('video')].every((video) => video.readyState >= 2)")
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function("() => document.querySelectorAll('video')[1].currentTime > 2.5")
    sounds = page.evaluate(
        "() => [...document.querySelectorAll('video')].map((one) => one.webkitAudioDecodedByteCount)"
    )
    assert all(sounds), "both have sound that the browser can decode"
    page.get_by_role("button", name="Pause", exact=True).click()


def edited(page: Page) -> None:
    second = line(page, 2)
    second.get_by_role("button", name="Edit").click()
    second.get_by_label("Translation").fill(SENTENCE)
    clips: list[str] = []
    page.on("response", lambda told: clips.append(told.url) if "/clips/" in told.url and told.ok else None)
    page.keyboard.press("Control+Enter")
    expect(second.get_by_role("status")).to_contain_text("Dubbed again.", timeout=DUB_MS)
    expect(second).to_contain_text(SENTENCE)
    until(lambda: page.wait_for_timeout(50) or clips)
    assert "clips/es/" in clips[0], "the new line is heard"


def downloaded(page: Page, folder: Path) -> Path:
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Dubbed video").click()
    dub = folder / waiting.value.suggested_filename
    waiting.value.save_as(dub)
    return dub


def asked(service: Service, path: str) -> Any:
    answer = httpx.get(f"{service.url}{path}", headers={"Authorization": f"Bearer {service.admin}"}, timeout=60)
    return json.loads(answer.raise_for_status().text)


def hear(video: Path, start_ms: int, end_ms: int) -> str:
    """What is said in a part of it."""
    sound = video.with_suffix(".wav")
    part = ["-ss", f"{start_ms / 1000}", "-to", f"{end_ms / 1000}", "-i", str(video)]
    ffmpeg = [str(shutil.which("ffmpeg")), "-v", "error", "-y", *part, "-map", "0:a:0", "-ac", "1", "-ar", "16000"]
    subprocess.run([*ffmpeg, str(sound)], check=True)
    with manager().use(JUDGE, [str(sound)]) as judge:
        return " ".join(word.text for word in judge.transcribe(TranscriptionRequest(sound, "es")).words)
