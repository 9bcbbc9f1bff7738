from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile
from clips import Clips

from dubline.domain.errors import InvalidMedia, MediaToolFailed, ModelMissing, OutputUnavailable
from dubline.domain.time import Span
from dubline.media.extract import extract_audio
from dubline.media.mixing import MixLine, Original, mix
from dubline.media.mux import mux
from dubline.media.probe import probe
from dubline.media.runner import run_ffmpeg
from dubline.storage.artifacts import reference
from tests.lacking import small_disk

ENDLESS = ["-re", "-f", "lavfi", "-i", "anullsrc", "-f", "null", "-"]


def test_what_runs_too_long_is_ended_and_named(tmp_path: Path) -> None:
    with pytest.raises(MediaToolFailed, match=r"ffmpeg ran longer than 3 s on 'film\.mp4'"):
        run_ffmpeg(ENDLESS, reading=tmp_path / "film.mp4", timeout_s=3)
    assert _tools() == []


def test_a_failure_of_ours_ends_with_the_tools_last_words() -> None:
    with pytest.raises(MediaToolFailed, match=r"exit status 1: .*[Nn]o such filter"):
        run_ffmpeg(["-f", "lavfi", "-i", "anullsrc=d=1", "-af", "nonsense", "-f", "null", "-"])


def test_bad_data_in_a_users_file_is_invalid_media_and_in_ours_a_failed_tool(tmp_path: Path) -> None:
    noise = tmp_path / "noise.mkv"
    noise.write_bytes(os.urandom(4096))
    arguments = ["-f", "matroska", "-i", f"file:{noise}", "-f", "null", "-"]
    with pytest.raises(InvalidMedia, match=r"'noise\.mkv' cannot be read"):
        run_ffmpeg(arguments, reading=noise)
    with pytest.raises(MediaToolFailed):
        run_ffmpeg(arguments)


def test_a_tool_that_is_not_installed_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ModelMissing, match=r"not installed; run: sudo apt-get install"):
        run_ffmpeg(ENDLESS)


def test_progress_is_a_share_that_never_falls() -> None:
    seen: list[float] = []
    source = ["-re", "-f", "lavfi", "-i", "anullsrc=d=1.4", "-f", "null", "-"]
    run_ffmpeg(source, progress=seen.append, duration_ms=1400)
    assert len(seen) > 1
    assert seen == sorted(seen)
    assert 0 < seen[0] < seen[-1] == 1.0


def test_an_interruption_ends_the_child() -> None:
    at_work = threading.Event()

    def interrupt() -> None:
        at_work.wait(60)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # parallel test processes ignore it
    thread = threading.Thread(target=interrupt)
    try:
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            run_ffmpeg(ENDLESS, progress=lambda _: at_work.set(), duration_ms=3_600_000, timeout_s=60)
        thread.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert _tools() == []


@pytest.mark.parametrize("place", ["main", "thread"])
def test_ffmpeg_dies_with_the_process_that_started_it(place: str) -> None:
    start = "run()" if place == "main" else "t = threading.Thread(target=run); t.start(); t.join()"
    script = (
        "import threading\nfrom dubline.media.runner import run_ffmpeg\n"
        f"def run(): run_ffmpeg({ENDLESS!r}, timeout_s=60)\n{start}\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script])
    try:
        ffmpeg = _wait_for_ffmpeg(psutil.Process(parent.pid))
    finally:
        parent.kill()
        parent.wait()
    gone, alive = psutil.wait_procs([ffmpeg], timeout=10)
    assert alive == []
    assert gone == [ffmpeg]


def _tools() -> list[psutil.Process]:
    """What ffmpeg runs under this process; other tests' servers may be its children too."""
    return [child for child in psutil.Process().children() if child.name() in {"ffmpeg", "setpriv"}]


def _wait_for_ffmpeg(parent: psutil.Process) -> psutil.Process:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for child in parent.children():
            if child.name() == "ffmpeg":
                return child
        time.sleep(0.05)
    raise AssertionError("ffmpeg was not started")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", kib=64) as place:
        yield place


def test_a_full_disk_is_an_output_that_cannot_be_written(clips: Clips, disk: Path, tmp_path: Path) -> None:
    video = clips.path("faststart.mp4")
    source = probe(reference(video))
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 4 * 48_000)
    soundfile.write(tmp_path / "full.flac", noise, 48_000)
    soundfile.write(tmp_path / "clip.flac", noise[:24_000], 24_000)
    line = MixLine(tmp_path / "clip.flac", 0, 1.0, Span(0, 1000))
    original = Original(tmp_path / "full.flac", tmp_path / "full.flac")
    (disk / "other").write_bytes(b"x" * 50_000)
    for attempt in (
        lambda: extract_audio(video, source, disk),
        lambda: mux(video, source, tmp_path / "full.flac", (), "es", disk),
        lambda: mix(original, [line], disk / "mix.flac", background_db=0),
        lambda: mix(original, [], disk / "mix.flac", background_db=0),
    ):
        with pytest.raises(OutputUnavailable, match=r"Cannot write.* (below )?/.*/disk.*make room"):
            attempt()
        for file in disk.glob("*.*"):
            file.unlink()
