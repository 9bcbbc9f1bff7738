"""What a process that was killed leaves in an output folder, the next one clears up."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dubline import publication
from dubline.claims import CLAIM, Claim
from dubline.domain.errors import InvalidRequest, OutputUnavailable
from dubline.media.inputs import source_reference
from dubline.publication import Folder
from dubline.request import SessionReference, TranslateRequest
from flows.before import already_done, claim_of

KILLED = """
import os, pathlib, signal, sys
from dubline import publication
pathlib.Path.unlink = pathlib.Path.rmdir = lambda _: os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[2] == "probing":
    publication.require_writable(pathlib.Path(sys.argv[1]))
folder = publication.Folder(pathlib.Path(sys.argv[1])).__enter__()
folder.add("cast", "cast.yaml", "half of it")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("moment", ["probing", "filling"])
def test_a_killed_process_leaves_nothing_in_the_folder_for_long(tmp_path: Path, moment: str) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), moment], check=False)
    assert list(tmp_path.iterdir()), "it was killed in the middle"
    with Folder(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_what_a_living_process_has_there_stays(tmp_path: Path) -> None:
    mine = tmp_path / f"{publication.PROBE}{publication.owner()}"
    mine.mkdir()
    with Folder(tmp_path):
        pass
    assert mine.exists()


def test_what_another_machine_left_goes_once_it_is_old(tmp_path: Path) -> None:
    """A machine that is gone removes nothing itself, and one that is at work must find what it staged."""
    names = ["0a1b2c3d.1.1", "0a1b2c3d.2.2", "a-person's-own"]
    left, young, theirs = (tmp_path / f"{publication.PARTIAL}{name}" for name in names)
    for folder in (left, young, theirs):
        folder.mkdir()
    for folder in (left, theirs):
        os.utime(folder, (0, 0))
    with Folder(tmp_path):
        pass
    assert set(tmp_path.iterdir()) == {young, theirs}


def test_a_run_is_refused_another_video_s_folder_before_any_work_but_a_session_s_has_its_own(tmp_path: Path) -> None:
    video, out = tmp_path / "E01.mp4", tmp_path / "out"
    video.write_bytes(b"first")
    publication.claim(out, Claim(source_sha256="0" * 64, source="/s02/E01.mp4"))
    request = TranslateRequest(video=video, languages=("es",), out=out)
    with pytest.raises(InvalidRequest, match="of another video, /s02/E01"):
        already_done(request)
    session = SessionReference(id="s", tenant="t", revision=0, attempt=0)
    assert already_done(request.model_copy(update={"session": session})) is None
    publication.claims.release(out, claim_of(request))
    assert (out / CLAIM).exists(), "it is the other's"


@pytest.mark.parametrize(
    ("put", "why"),
    [
        (lambda path: path.mkdir(), "it is no file"),
        (lambda path: path.symlink_to("nowhere"), "it is no file"),
        (lambda path: os.mkfifo(path), "it is no file"),
        (lambda path: path.write_text("{}"), "Permission denied"),
    ],
)
def test_a_claim_that_cannot_be_read_is_told_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, put: Callable[[Path], object], why: str
) -> None:
    def denied(path: Path) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied") if path.name == CLAIM else FileNotFoundError

    put(tmp_path / CLAIM)
    monkeypatch.setattr(Path, "read_bytes", denied)  # as with a file of another user's; who runs this may be root
    mine = Claim(source_sha256="0" * 64, source="/E01.mp4")
    for asked in (publication.require_own, publication.claim):
        with pytest.raises(OutputUnavailable, match=re.escape(f"Cannot read {tmp_path / CLAIM}")) as refused:
            asked(tmp_path, mine)
        assert f"({why}); remove it, or choose another folder" in str(refused.value)


def test_a_video_is_hashed_again_only_when_it_was_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = tmp_path / "clip.mp4"
    video.write_bytes(b"first")
    first = source_reference(video)
    with monkeypatch.context() as patched:
        patched.setattr("dubline.media.inputs.reference", None)
        assert source_reference(video) == first
    video.write_bytes(b"other")
    assert source_reference(video).sha256 != first.sha256
