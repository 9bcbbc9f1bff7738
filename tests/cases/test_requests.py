"""What a person types and where: names that meet, and an environment with a proxy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.process import free_ports
from tests.pipeline.workshop import Workshop, make_video

pytestmark = [pytest.mark.server]
ROOT = Path(__file__).parent.parent.parent
TONES = {"s01/E01.mp4": 300, "s02/E01.mp4": 500, "clip.mp4": 700, "clip.mkv": 900, "clip.mov": 1100}


@pytest.fixture
def workshop(tmp_path: Path, prefect_server: str) -> Workshop:
    made = Workshop(tmp_path, prefect_server)
    made.profile()
    return made


def translate(workshop: Workshop, folder: Path, video: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """The command as a person types it, without --out, in a folder."""
    command = [sys.executable, "-m", "dubline.cli", "translate", str(video), "--to", "es", "--from", "en", *more]
    environment = workshop.environment() | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*command, "--profile", "fake"], env=environment, cwd=folder, capture_output=True, text=True, timeout=300
    )


@pytest.mark.parametrize("names", [("s01/E01.mp4", "s02/E01.mp4"), ("clip.mp4", "clip.mkv", "clip.mov")])
def test_videos_of_one_name_keep_their_results_apart(
    workshop: Workshop, tmp_path: Path, names: tuple[str, ...]
) -> None:
    for name in names:
        video = tmp_path / "in" / name
        video.parent.mkdir(parents=True, exist_ok=True)
        make_video(video, "-f", "lavfi", "-i", f"sine=f={TONES[name]}:d=2")
        done = translate(workshop, tmp_path, video)
        assert done.returncode == 0, done.stderr
    manifests = [json.loads(path.read_text(encoding="utf-8")) for path in (tmp_path / "out").glob("*/manifest.json")]
    assert len({manifest["source_sha256"] for manifest in manifests}) == len(names)


@pytest.mark.parametrize(
    "proxies",
    [
        {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"},
        {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "all_proxy": "socks5://127.0.0.1:9"},
        {"ALL_PROXY": "http://127.0.0.1:9", "NO_PROXY": "intranet.example"},
    ],
    ids=("upper case", "lower case", "others excepted"),
)
def test_the_local_server_is_asked_without_the_proxy(tmp_path: Path, proxies: dict[str, str]) -> None:
    """A server of its own, started by the command."""
    workshop = Workshop(tmp_path, "")
    workshop.profile()
    (port,) = free_ports(1)
    names = {name for name in os.environ if name.lower().endswith("_proxy")}
    environment = {k: v for k, v in workshop.environment().items() if k not in names and k != "PREFECT_API_URL"}
    environment |= proxies | {"DUBLINE_SERVER_PORT": str(port)}
    video = make_video(tmp_path / "talk.mp4")
    command = [sys.executable, "-m", "dubline.cli"]
    how = ["--to", "es", "--from", "en", "--profile", "fake", "--out", str(tmp_path / "o")]
    asked = [*command, "translate", str(video), *how]
    try:
        done = subprocess.run(asked, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
    finally:
        subprocess.run([*command, "down"], env=environment, cwd=ROOT, check=True, timeout=60)
