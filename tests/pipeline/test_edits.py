"""Single lines edited by a person and dubbed again: those, and nothing else."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dubline.evaluation import rows
from tests.pipeline.workshop import Workshop, make_video

pytestmark = pytest.mark.server

SAID = "Hello there. How are you? | | | | | I am fine. | Good bye now. | | | | | And so on."
"""Five lines; the first one by S1."""
TEXT = {"segment": "0002", "language": "es", "text": "uno dos tres"}
SOURCE = {"segment": "0002", "source_text": "Who are they?"}
VOICE = {"segment": "0003", "language": "es", "voice": "bass"}
TIME = {"segment": "0005", "start_ms": 8800, "end_ms": 9500}
KEPT = {"segment": "0004", "keep_original": True}
EVERY = (TEXT, SOURCE, VOICE, TIME, KEPT)
Line = dict[str, Any]


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("video") / "talk.mp4", seconds=10)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, prefect_server: str, long_video: Path) -> Workshop:
    """A dub into two languages without edits; whoever edits it starts from a copy of its home."""
    made = Workshop(tmp_path_factory.mktemp("base"), prefect_server)
    made.profile(asr={"text": SAID})
    done = made.translate(long_video, "--to", "fr")
    assert done.returncode == 0, done.stderr
    assert [line["flags"] for line in lines(made)] == [[]] * 5
    return made


@pytest.fixture
def desk(tmp_path: Path, base: Workshop) -> Workshop:
    """Where the dub is edited. Artifacts are where they were, as their records say; what is new joins them."""
    made = Workshop(tmp_path / "desk", base.api)
    made.root.mkdir()
    made.profile(asr={"text": SAID})
    shutil.copytree(base.home / "checkpoints", made.home / "checkpoints")
    shutil.copytree(base.out, made.out)
    return made


def edit(desk: Workshop, video: Path, *said: Line, **more: Any) -> subprocess.CompletedProcess[str]:
    path = desk.root / "edits.json"
    path.write_text(json.dumps(said), encoding="utf-8")
    return desk.translate(video, "--to", "fr", "--edits", str(path), **more)


def edited(desk: Workshop, video: Path, *said: Line) -> Counter[str]:
    """Edit, and tell how often which engine worked."""
    done = edit(desk, video, *said)
    assert done.returncode == 0, done.stderr
    return Counter(call.split()[0] for call in desk.engine_calls().elements())


def lines(workshop: Workshop, language: str = "es") -> list[Line]:
    (found,) = [dub["lines"] for dub in workshop.manifest()["dubs"] if dub["language"] == language]
    return found


def spoken(line: Line) -> tuple[Any, ...]:
    """What must stay the same in a line that nobody edited: all but its place."""
    said = tuple((p["text"], p["speed"], p["clip_sha256"]) for p in line["phrases"])
    return line["segment"], line["source_text"], line["text"], line["voice"], line["edited"], said


def published(workshop: Workshop) -> dict[str, str]:
    return {f["path"]: f["sha256"] for f in workshop.manifest()["files"] if not f["role"].startswith("report")}


def untouched(desk: Workshop, base: Workshop, *numbers: int, language: str = "es") -> None:
    """All lines but those with the `numbers` say the same as before."""
    pairs = list(zip(lines(desk, language), lines(base, language), strict=True))
    for number, (now, before) in enumerate(pairs, 1):
        assert (spoken(now) == spoken(before)) == (number not in numbers), number
        assert now["edited"] == (number in numbers)


def test_a_persons_wording_is_spoken_and_nothing_else(desk: Workshop, base: Workshop, long_video: Path) -> None:
    assert edited(desk, long_video, TEXT) == {"speech": 1}
    untouched(desk, base, 2)
    line = lines(desk)[1]
    assert [line["text"], *(phrase["text"] for phrase in line["phrases"])] == ["uno dos tres", "uno dos tres"]
    assert "uno dos tres" in (desk.out / "talk.es.srt").read_text(encoding="utf-8")
    untouched(desk, base, language="fr")
    assert published(desk)["talk.fr.mp4"] == published(base)["talk.fr.mp4"]
    assert published(desk)["talk.es.mp4"] != published(base)["talk.es.mp4"]
    (dub,) = [dub for dub in desk.report()["dubs"] if dub["language"] == "es"]
    assert [line["edited"] for line in dub["lines"]] == [False, True, False, False, False]
    assert ">edited<" in (desk.out / "report.html").read_text(encoding="utf-8")


def test_an_edited_source_is_translated_and_spoken_in_every_language(
    desk: Workshop, base: Workshop, long_video: Path
) -> None:
    assert edited(desk, long_video, SOURCE) == {"translation": 2, "speech": 2}
    translated = [call for call in desk.engine_calls() if call.startswith("translation")]
    assert [call.split()[3:] for call in translated] == [["0002"]] * 2, "one line, in each language"
    for language in ("es", "fr"):
        untouched(desk, base, 2, language=language)
        assert lines(desk, language)[1]["source_text"] == "Who are they?"
        assert lines(desk, language)[1]["text"] == f"?yeht era ohW {language}"
    assert "Who are they?" in (desk.out / "talk.en.srt").read_text(encoding="utf-8")


def test_a_line_in_another_voice_leaves_its_speaker_his_own(desk: Workshop, base: Workshop, long_video: Path) -> None:
    assert edited(desk, long_video, VOICE) == {"speech": 1}
    untouched(desk, base, 3)
    assert lines(desk)[2]["voice"] == "bass"
    assert lines(desk)[2]["text"] == lines(base)[2]["text"]
    assert (desk.out / "cast.yaml").read_text() == (base.out / "cast.yaml").read_text()
    (dub,) = [dub for dub in desk.report()["dubs"] if dub["language"] == "es"]
    assert [(member["speaker"], member["voice"]) for member in dub["cast"]] == [("S1", "bass"), ("S2", "alto")]


def test_a_line_that_moved_says_the_same_elsewhere(desk: Workshop, base: Workshop, long_video: Path) -> None:
    assert set(edited(desk, long_video, TIME)) <= {"speech"}
    untouched(desk, base, 5)
    now, before = lines(desk)[4], lines(base)[4]
    assert (now["source_start_ms"], now["source_end_ms"]) == (8800, 9500)
    assert now["text"] == before["text"]
    assert abs(now["start_ms"] - 8800) < 200


def test_a_line_keeps_the_original_where_a_person_wants_it(desk: Workshop, base: Workshop, long_video: Path) -> None:
    assert edited(desk, long_video, KEPT) == {}
    for language in ("es", "fr"):
        untouched(desk, base, 4, language=language)
        line = lines(desk, language)[3]
        assert (line["phrases"], line["flags"]) == ([], ["kept-original"])
        assert line["text"] == lines(base, language)[3]["text"], "subtitles still say what it means"


@pytest.mark.models
def test_an_edited_dub_can_be_measured(desk: Workshop, long_video: Path) -> None:
    edited(desk, long_video, KEPT, VOICE)
    found = {(row.measure, row.language): row for row in rows(desk.out)}
    assert found["lines kept in the original voice", "es"].reached == "20.0%"
    assert found["picture", "fr"].met


def test_every_line_may_keep_the_original(desk: Workshop, long_video: Path) -> None:
    edited(desk, long_video, *({"segment": f"000{n}", "keep_original": True} for n in range(1, 6)))
    assert [line["flags"] for line in lines(desk)] == [["kept-original"]] * 5


def test_edits_of_two_lines_are_both_there_and_the_second_costs_only_its_own(
    desk: Workshop, base: Workshop, long_video: Path
) -> None:
    edited(desk, long_video, TEXT)
    one = spoken(lines(desk)[1])
    assert edited(desk, long_video, TEXT, VOICE) == {"speech": 2}, "one more than before"
    untouched(desk, base, 2, 3)
    assert spoken(lines(desk)[1]) == one


def test_a_dub_follows_from_its_edits_alone_and_not_from_what_was_edited_before(
    desk: Workshop, base: Workshop, long_video: Path
) -> None:
    fresh = Workshop(desk.root / "fresh", base.api)
    fresh.root.mkdir()
    fresh.profile(asr={"text": SAID})
    edited(fresh, long_video, *EVERY)
    edited(desk, long_video, KEPT)
    calls = edited(desk, long_video, *EVERY)
    assert published(desk) == published(fresh)
    assert edited(desk, long_video) == calls, "what was made before is found again"
    assert published(desk) == published(base)
    assert lines(desk) == lines(base)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"segment": "0009", "keep_original": True}, "no line '0009' to edit"),
        ({"segment": "0005", "start_ms": 9000, "end_ms": 10_100}, "the video ends at 10000 ms"),
        ({"segment": "0005", "start_ms": 100, "end_ms": 200}, "lines keep their order"),
        ({"segment": "0004", "start_ms": 5300, "end_ms": 8300}, "'S2' says the line '0005' there"),
    ],
)
def test_an_edit_that_has_no_place_is_refused_before_anything_is_spoken(
    tmp_path: Path, prefect_server: str, long_video: Path, said: Line, words: str
) -> None:
    fresh = Workshop(tmp_path / "fresh", prefect_server)
    fresh.root.mkdir()
    fresh.profile(asr={"text": SAID})
    done = edit(fresh, long_video, said)
    assert done.returncode == 2
    assert words in done.stderr
    assert {call.split()[0] for call in fresh.engine_calls()} == {"asr", "diarization", "separation"}
    assert not (fresh.out / "manifest.json").exists()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"segment": "0002", "language": "it", "text": "ciao"}, "is for 'it', into which the video is not translated"),
        ({"segment": "0002", "language": "es", "voice": "tenor"}, "no voice 'tenor' for 'es'"),
        ({"segment": "0002", "text": "hola"}, "name it as language"),
    ],
)
def test_an_edit_that_is_wrong_by_itself_is_refused_before_any_work(
    workshop: Workshop, long_video: Path, said: Line, words: str
) -> None:
    done = edit(workshop, long_video, said)
    assert done.returncode == 2
    assert words in done.stderr
    assert not workshop.home.exists()


def test_edits_of_a_video_in_which_nobody_speaks_are_refused(workshop: Workshop, tmp_path: Path) -> None:
    silent = make_video(tmp_path / "silent.mp4", "-f", "lavfi", "-i", "anullsrc=d=2")
    done = edit(workshop, silent, KEPT)
    assert done.returncode == 2
    assert "no lines to edit" in done.stderr


def test_a_text_that_is_far_too_long_ends_in_a_dub_that_can_be_played(
    desk: Workshop, base: Workshop, long_video: Path
) -> None:
    edited(desk, long_video, TEXT | {"text": "palabra " * 120})
    untouched(desk, base, 2)
    assert lines(desk)[1]["flags"] == ["kept-original"]
    assert lines(desk)[1]["text"].startswith("palabra palabra")


def test_a_text_that_the_engine_cannot_speak_keeps_the_original(desk: Workshop, long_video: Path) -> None:
    edited(desk, long_video, TEXT | {"text": "unspeakable"[::-1]})
    assert lines(desk)[1]["flags"] == ["kept-original"]


def test_a_run_killed_while_it_speaks_an_edited_line_goes_on_where_it_was(
    desk: Workshop, base: Workshop, long_video: Path
) -> None:
    for strike in ("mend-plan-es@after", "speak-again-es@after"):
        assert edit(desk, long_video, TEXT, strike=strike).returncode == -signal.SIGKILL
    assert edited(desk, long_video, TEXT) == {"speech": 1}
    untouched(desk, base, 2)
