"""What ffmpeg cannot do to us: reach the network, fill the memory or the disk, work for ever."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from clips import H264, Clips, ffmpeg

from dubline import doctor
from dubline.domain.errors import InvalidMedia, MediaToolFailed, ModelMissing
from dubline.media import runner, sandbox
from dubline.media.extract import extract_audio
from dubline.media.hashing import frames_hash
from dubline.media.intake import take_in
from dubline.media.mux import mux
from dubline.media.probe import probe
from dubline.media.runner import run_ffmpeg
from dubline.settings import settings
from dubline.storage.artifacts import reference

ROOT = Path(__file__).parents[2]


class Listener:
    """A TCP port of this machine that counts who comes."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.visitors = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                guest, _ = self._socket.accept()
            except OSError:
                return
            self.visitors += 1
            guest.close()


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def settle(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Settings of the environment count once the cache is cleared, and no longer after the test."""
    yield monkeypatch
    monkeypatch.undo()
    settings.cache_clear()


def allow(settle: pytest.MonkeyPatch, **values: int | str) -> None:
    for name, value in values.items():
        settle.setenv(f"DUBLINE_{name.upper()}", str(value))
    settings.cache_clear()


def dial(listener: Listener) -> list[str]:
    """ffmpeg's arguments for an input from the network; no whitelist of ours is in the way."""
    return ["-i", f"http://127.0.0.1:{listener.port}/clip.mp4", "-f", "null", "-"]


def test_ffmpeg_cannot_open_a_connection(listener: Listener, tmp_path: Path) -> None:
    with pytest.raises(MediaToolFailed, match="Permission denied"):
        run_ffmpeg(dial(listener), reading=tmp_path / "clip.mp4")
    with pytest.raises(MediaToolFailed, match="Permission denied"):
        run_ffmpeg(dial(listener))
    assert listener.visitors == 0


def test_without_the_sandbox_the_connection_is_made(listener: Listener, settle: pytest.MonkeyPatch) -> None:
    """Else the test above would prove nothing."""
    allow(settle, sandbox="off")
    with pytest.raises(MediaToolFailed):
        run_ffmpeg(dial(listener))
    assert listener.visitors > 0


def test_an_ordinary_users_ffmpeg_cannot_open_a_connection_either(listener: Listener) -> None:
    if os.geteuid() != 0:
        pytest.skip("the test above ran as an ordinary user already")
    nobody = pwd.getpwnam("nobody")
    script = (
        "import os, psutil, selectors\nfrom dubline.media.runner import run_ffmpeg\n"
        f"os.setgroups([])\nos.setgid({nobody.pw_gid})\nos.setuid({nobody.pw_uid})\nrun_ffmpeg({dial(listener)!r})\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "MediaToolFailed" in done.stderr and "Permission denied" in done.stderr, done.stderr
    assert listener.visitors == 0


def test_every_way_to_a_socket_is_closed_to_the_tool_and_open_to_us() -> None:
    attempts = (
        "import ctypes, socket\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "for way in (socket.socket, socket.socketpair):\n"
        "    try: way()\n"
        "    except PermissionError: print('refused')\n"
        "for number in (425, 0x40000000 + 41, 438, 272):\n"
        "    failed = libc.syscall(number, 0, 0, 0) < 0\n"
        "    print('refused' if failed and ctypes.get_errno() == 13 else 'open', number)\n"
    )
    with sandbox.started([sys.executable, "-c", attempts]) as tool:
        said, errors = tool.communicate()
    assert not errors, errors.decode()
    assert [line.split()[0] for line in said.decode().splitlines()] == ["refused"] * 6
    socket.socket().close()


def test_a_tool_gains_no_privileges() -> None:
    with sandbox.started(["grep", "-E", "NoNewPrivs|Seccomp:", "/proc/self/status"]) as tool:
        assert tool.communicate()[0].split() == [b"NoNewPrivs:", b"1", b"Seccomp:", b"2"]


def test_a_file_that_takes_too_much_memory_is_refused(tmp_path: Path, settle: pytest.MonkeyPatch) -> None:
    bomb = tmp_path / "bomb.mp4"
    picture = "color=black:s=8192x4096:r=1:d=2"
    ffmpeg("-f", "lavfi", "-i", picture, "-c:v", "libx264", "-preset", "ultrafast", bomb)
    assert bomb.stat().st_size < 1_000_000
    assert frames_hash(bomb)
    allow(settle, media_memory_mb=100)
    with pytest.raises(InvalidMedia, match=r"'bomb\.mp4' cannot be read: it takes more memory than DUBLINE_MEDIA_MEM"):
        frames_hash(bomb)


def test_a_file_that_keeps_ffmpeg_busy_is_refused_and_not_tried_again(
    clips: Clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_BUSY", 0.02)  # the tests beside leave it little of the machine
    bomb = clips.path("plain.mp4")
    endless = ["-stream_loop", "-1", "-i", f"file:{bomb}", "-vf", "scale=4096:2160", "-f", "null", "-"]
    with pytest.raises(InvalidMedia, match=r"'plain\.mp4' keeps ffmpeg busy for more than 5 s"):
        run_ffmpeg(endless, reading=bomb, timeout_s=5)
    with pytest.raises(MediaToolFailed, match=r"ran longer than 1 s"):
        run_ffmpeg(endless, timeout_s=1)


def test_a_tool_that_never_stops_talking_is_ended_all_the_same(tmp_path: Path) -> None:
    chatter = ["-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-f", "null", "-"]
    with pytest.raises((InvalidMedia, MediaToolFailed), match=r"1 s"):
        run_ffmpeg(chatter, reading=tmp_path / "a.mp4", timeout_s=1, loglevel="trace")


def test_a_tool_that_floods_us_is_ended(tmp_path: Path) -> None:
    flood = ["-f", "lavfi", "-i", "testsrc2=s=1920x1080", "-c:v", "rawvideo", "-f", "rawvideo", "pipe:1"]
    with pytest.raises(InvalidMedia, match=r"ffmpeg says endless things of 'a\.mp4'"):
        run_ffmpeg(flood, reading=tmp_path / "a.mp4", timeout_s=60)


def test_what_would_fill_the_disk_is_refused(clips: Clips, tmp_path: Path, settle: pytest.MonkeyPatch) -> None:
    video = tmp_path / "large.mkv"
    ffmpeg("-f", "lavfi", "-i", "nullsrc=s=640x360:r=25:d=2,geq=random(1)*255:128:128", *H264, "-qp", "1", video)
    assert video.stat().st_size > 2_000_000
    source = probe(reference(video))
    allow(settle, media_file_mb=1)
    with pytest.raises(InvalidMedia, match=r"'large\.mkv' cannot be read: .* larger than DUBLINE_MEDIA_FILE_MB"):
        mux(video, source, None, (), "es", tmp_path)


def test_silence_of_many_hours_does_not_fill_the_disk(tmp_path: Path, settle: pytest.MonkeyPatch) -> None:
    bomb = tmp_path / "hours.flac"
    ffmpeg("-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono:d=7200", "-c:a", "flac", bomb)
    allow(settle, media_file_mb=1)
    with pytest.raises(InvalidMedia, match="larger than DUBLINE_MEDIA_FILE_MB"):
        run_ffmpeg(["-i", f"file:{bomb}", "-f", "wav", "-y", f"file:{tmp_path / 'out.wav'}"], reading=bomb)
    assert (tmp_path / "out.wav").stat().st_size <= 1_000_000
    assert bomb.stat().st_size < 2_000_000, "as wav it would have 115 MB"


def test_a_video_that_lasts_too_long_is_refused(clips: Clips, settle: pytest.MonkeyPatch) -> None:
    video = reference(clips.path("plain.mp4"))
    allow(settle, max_duration_s=2)
    assert take_in(video).duration_ms == 2000
    allow(settle, max_duration_s=1)
    with pytest.raises(InvalidMedia, match=r"'plain\.mp4' lasts 2 s.*DUBLINE_MAX_DURATION_S"):
        take_in(video)


def test_ordinary_work_fits_into_the_sandbox(clips: Clips, tmp_path: Path) -> None:
    video = clips.path("plain.mkv")
    source = probe(reference(video))
    full, _, duration_ms, _ = extract_audio(video, source, tmp_path)
    mux(video, source, full, (), "es", tmp_path)
    assert duration_ms >= 2000


def test_a_kernel_that_cannot_confine_is_told_and_nothing_is_run(
    settle: pytest.MonkeyPatch, tmp_path: Path, listener: Listener
) -> None:
    settle.setattr(sandbox.platform, "machine", lambda: "vax")
    with pytest.raises(ModelMissing, match=r"cannot run ffmpeg without network .*DUBLINE_SANDBOX=off"):
        run_ffmpeg(dial(listener))
    assert listener.visitors == 0
    finding = doctor._sandbox()
    assert not finding.ok and finding.required and "vax" in finding.detail


def test_the_doctor_tells_whether_the_sandbox_holds(settle: pytest.MonkeyPatch) -> None:
    assert doctor._sandbox().ok
    allow(settle, sandbox="off")
    assert not doctor._sandbox().ok
    assert "can reach the network" in doctor._sandbox().detail


def test_a_limit_of_this_process_that_is_lower_is_kept(tmp_path: Path) -> None:
    script = "from dubline.media.runner import run_ffmpeg\nrun_ffmpeg(['-version'])\nprint('fine')\n"
    command = ["prlimit", "--data=2000000000", "--fsize=5000000", sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "fine\n", done.stderr
