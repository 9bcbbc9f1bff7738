"""Sidecars, glossaries and dubline.yaml that are odd, or that somebody is still writing."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from dubline.domain.errors import InvalidRequest
from dubline.domain.file_names import MAX_NAME
from dubline.watching import options
from dubline.watching.following import Told
from dubline.watching.local import LocalFolder
from tests.watching.shed import PATIENCE_S, STILL_S, Shed


def take_in(shed: Shed) -> Told:
    return asyncio.run(shed.take_in())


def tick(shed: Shed) -> Told:
    return asyncio.run(shed.tick())


def out_of_patience(shed: Shed) -> str:
    """Wait until what is wrong goes to failed/; the reason of clip.mp4."""
    take_in(shed)
    shed.now += PATIENCE_S
    tick(shed)
    return (shed.root / "failed/clip.mp4.reason.txt").read_text()


def languages(shed: Shed) -> list[tuple[str, ...]]:
    return [run.submission.options.languages for run in shed.runs.all]


def make_link(path: Path) -> None:
    path.symlink_to("/etc/hostname")


def make_large(path: Path) -> None:
    path.write_bytes(b"#" * (options.MAX_GLOSSARY_BYTES + 1))


@pytest.mark.parametrize("make", [Path.mkdir, make_link, os.mkfifo, make_large])
@pytest.mark.parametrize("name", ["clip.mp4.yaml", "terms.csv"])
def test_a_text_that_cannot_be_read_is_the_reason_of_its_video_alone(shed: Shed, name: str, make) -> None:
    shed.drop("clip.mp4", glossary="terms.csv")
    path = shed.root / name
    path.unlink(missing_ok=True)
    make(path)
    shed.drop("other.mp4", b"another END")
    assert name in out_of_patience(shed)
    assert [run.submission.name for run in shed.runs.all] == ["other.mp4"]


@pytest.mark.parametrize("make", [Path.mkdir, make_link, os.mkfifo, make_large])
def test_a_dubline_yaml_that_cannot_be_read_holds_everything_and_says_so(shed: Shed, make) -> None:
    make(shed.root / "dubline.yaml")
    shed.drop("clip.mp4")
    take_in(shed)
    assert "dubline.yaml" in (shed.root / "dubline.yaml.reason.txt").read_text()
    assert shed.listed() == ["clip.mp4", "dubline.yaml", "dubline.yaml.reason.txt"]


def test_a_glossary_in_dubline_yaml_that_is_a_folder_holds_everything_and_says_so(shed: Shed) -> None:
    (shed.root / "terms.csv").mkdir()
    shed.drop("dubline.yaml", b"glossary: terms.csv")
    take_in(shed)
    assert "terms.csv" in (shed.root / "dubline.yaml.reason.txt").read_text()


@pytest.mark.parametrize("make", [Path.mkdir, make_link, os.mkfifo])
def test_what_took_a_texts_place_since_it_was_listed_is_not_followed(shed: Shed, make) -> None:
    make(shed.root / "dubline.yaml")
    with pytest.raises(InvalidRequest, match=r"dubline\.yaml"):
        LocalFolder(shed.root).read("dubline.yaml")


def test_a_file_that_nobody_may_read_is_told(shed: Shed, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    shed.drop("clip.mp4", languages=["fr"])
    monkeypatch.setattr("dubline.watching.local._open_plainly", denied)
    assert "clip.mp4.yaml cannot be read (Permission denied)" in out_of_patience(shed)


def test_a_video_that_is_a_link_goes_to_failed_with_its_reason(shed: Shed, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.mp4").write_bytes(b"video END")
    (shed.root / "clip.mp4").symlink_to(tmp_path / "elsewhere.mp4")
    assert "put the file itself there" in out_of_patience(shed)
    assert (tmp_path / "elsewhere.mp4").exists()


def test_an_error_that_nobody_foresaw_holds_up_one_file(shed: Shed, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = options.parse

    def faulty(content: bytes, name: str, read) -> options.Options:
        if name == "clip.mp4.yaml":
            raise ZeroDivisionError("by zero")
        return parsed(content, name, read)

    monkeypatch.setattr(options, "parse", faulty)
    shed.drop("clip.mp4", languages=["fr"])
    shed.drop("other.mp4", b"another END", languages=["fr"])
    (problem,) = take_in(shed).problems
    assert problem.startswith("clip.mp4: ZeroDivisionError: by zero")
    assert [run.submission.name for run in shed.runs.all] == ["other.mp4"]


@pytest.mark.parametrize("name", ["dubline.yaml", "terms.csv"])
def test_a_text_that_is_still_written_is_waited_for(shed: Shed, name: str) -> None:
    shed.drop("terms.csv", b"term,fr\nclo")
    shed.drop("dubline.yaml", b"glossary: terms.csv\nlanguages: es")
    shed.drop("clip.mp4")
    tick(shed)
    shed.now += STILL_S - 1
    shed.drop(name, {"terms.csv": b"term,fr\ncloud,x\n", "dubline.yaml": b"languages: fr"}[name])
    shed.now += 1
    tick(shed)
    assert not shed.runs.all
    assert shed.looks.due_s() == 1
    shed.now += STILL_S
    tick(shed)
    assert len(shed.runs.all) == 1
    if name == "terms.csv":
        assert shed.runs.all[0].submission.options.glossary.terms[0].source == "cloud"
    else:
        assert languages(shed) == [("fr",)]


def test_a_text_that_changes_while_it_is_read_is_read_again(shed: Shed, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = LocalFolder.read

    def changed_after(folder: LocalFolder, place: str, at_most: int | None = None) -> bytes:
        content = reading(folder, place, at_most)
        if place == "terms.csv":
            shed.drop("terms.csv", b"term,es\ncloud,another\n")
        return content

    shed.drop("terms.csv", b"term,es\ncloud,x\n")
    shed.drop("clip.mp4", glossary="terms.csv")
    with monkeypatch.context() as patched:
        patched.setattr(LocalFolder, "read", changed_after)
        take_in(shed)
    assert not shed.runs.all
    take_in(shed)
    assert shed.runs.all[0].submission.options.glossary.terms[0].target == "another"


def test_a_wrong_dubline_yaml_that_is_deleted_takes_its_reason_along(shed: Shed) -> None:
    path = shed.drop("dubline.yaml", b"langs: es")
    take_in(shed)
    path.unlink()
    tick(shed)
    assert shed.listed() == []


def test_a_video_without_a_language_is_looked_at_again_when_dubline_yaml_comes(shed: Shed) -> None:
    shed.defaults = options.Options()
    shed.drop("clip.mp4")
    take_in(shed)
    assert shed.listed() == ["clip.mp4"]
    shed.drop("dubline.yaml", b"languages: fr")
    take_in(shed)
    assert languages(shed) == [("fr",)]


def test_a_name_that_leaves_no_room_for_those_of_the_results_is_refused(shed: Shed) -> None:
    shed.drop("x" * (MAX_NAME - len(".mp4")) + ".mp4")
    take_in(shed)
    shed.now += PATIENCE_S
    tick(shed)
    assert not shed.runs.all
    assert shed.listed() == ["failed"]
    (reason,) = (shed.root / "failed").glob("*.reason.txt")
    assert "shorter" in reason.read_text()
