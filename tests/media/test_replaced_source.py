"""A user's video is never copied: one that is replaced during its run must not get into what is made of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from clips import Clips

from dubline.domain.errors import InvalidMedia
from dubline.storage.chosen import artifact_store
from dubline.storage.results import Source
from tasks import extract_audio, ingest, mux


@pytest.fixture
def video(clips: Clips, tmp_path: Path) -> Path:
    return Path(shutil.copy(clips.path("plain.mp4"), tmp_path / "video.mp4"))


@pytest.fixture
def source(video: Path) -> Source:
    return ingest.ingest.task.fn(str(video), None)


def overwritten(video: Path, other: Path) -> None:
    video.write_bytes(other.read_bytes())


def renamed_over(video: Path, other: Path) -> None:
    shutil.copy(other, video.with_suffix(".new")).replace(video)


def disguised(video: Path, other: Path) -> None:
    """Other content of the same size in the same file, with the times of the old one."""
    before = video.stat()
    video.write_bytes(other.read_bytes()[: before.st_size].ljust(before.st_size, b"\0"))
    os.utime(video, ns=(before.st_atime_ns, before.st_mtime_ns))


def removed(video: Path, other: Path) -> None:
    video.unlink()


def held() -> set[str]:
    return {entry.key for entry in artifact_store().place.entries()}


Replacement = Callable[[Path, Path], None]


def disturb(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, disturbance: Callable[[], None]) -> None:
    """Have something happen right after a module's function did its work."""
    work = getattr(module, name)

    def disturbed(*args: object) -> object:
        result = work(*args)
        disturbance()
        return result

    monkeypatch.setattr(module, name, disturbed)


@pytest.mark.parametrize("replace", [overwritten, renamed_over, disguised, removed])
@pytest.mark.parametrize("late", [False, True], ids=["before", "while"])
def test_no_stage_takes_in_a_video_that_was_replaced(
    source: Source, video: Path, clips: Clips, monkeypatch: pytest.MonkeyPatch, replace: Replacement, late: bool
) -> None:
    other, before = clips.path("faststart.mp4"), held()
    if late:
        disturb(monkeypatch, mux, "mux_files", lambda: replace(video, other))
    else:
        replace(video, other)
    with pytest.raises(InvalidMedia, match=r"'video.mp4' was replaced while it was read; start again"):
        mux.mux.task.fn(source, None, (), "es", None)
    with pytest.raises(InvalidMedia, match="replaced"):
        extract_audio.extract_audio.task.fn(source)
    assert held() == before, "nothing was made of it"


def test_a_video_that_is_replaced_while_it_is_looked_into_is_refused(
    video: Path, clips: Clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    disturb(monkeypatch, ingest, "take_in", lambda: overwritten(video, clips.path("faststart.mp4")))
    with pytest.raises(InvalidMedia, match="replaced"):
        ingest.ingest.task.fn(str(video), None)


def test_a_video_that_was_touched_or_replaced_by_its_like_is_read_on(source: Source, video: Path, clips: Clips) -> None:
    os.utime(video, (1, 1))
    renamed_over(video, clips.path("plain.mp4"))
    assert extract_audio.extract_audio.task.fn(source).channels
    assert mux.mux.task.fn(source, None, (), "es", None).container == "mp4"


def test_what_is_untouched_is_not_hashed_again(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dubline.media.inputs.sha256_of", None)
    assert mux.mux.task.fn(source, None, (), "es", None).container == "mp4"
