"""What becomes of a file that is dropped into the folder."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from dubline.domain.errors import ServiceUnavailable
from dubline.watching.local import LocalFolder
from dubline.watching.runs import Submission, Submitted
from tests.watching.shed import PATIENCE_S, STILL_S, Shed


def take_in(shed: Shed) -> None:
    asyncio.run(shed.take_in())


def tick(shed: Shed, *, thorough: bool = False) -> None:
    asyncio.run(shed.tick(thorough=thorough))


def test_a_dropped_video_runs_once_and_its_dub_appears_in_done(shed: Shed) -> None:
    shed.drop("clip.mp4")
    take_in(shed)
    assert shed.listed() == []
    (run,) = shed.runs.all
    assert run.submission.options.languages == ("es",)
    shed.runs.succeed(run)
    tick(shed)
    assert shed.listed("done") == ["clip", "clip.mp4"]
    assert (shed.root / "done/clip/dub.mp4").is_file()
    assert not shed.waiting()


def test_what_a_killed_worker_left_beside_the_results_is_not_put_into_done(shed: Shed) -> None:
    shed.drop("clip.mp4")
    take_in(shed)
    (run,) = shed.runs.all
    left = Path(run.submission.out) / ".partial-elsewhere-1"
    left.mkdir(parents=True)
    (left / "dub.mp4").write_bytes(b"half")
    shed.runs.succeed(run)
    tick(shed)
    assert (shed.root / "done/clip/dub.mp4").is_file()
    assert not [*shed.root.rglob(".partial*")]


def test_one_look_is_not_enough(shed: Shed) -> None:
    shed.drop("clip.mp4")
    tick(shed)
    tick(shed)
    assert shed.listed() == ["clip.mp4"]
    assert not shed.runs.all


def test_a_file_that_grows_is_waited_for(shed: Shed) -> None:
    shed.drop("clip.mp4", b"vi")
    for length in range(3, 6):
        take_in(shed)
        shed.drop("clip.mp4", b"video"[:length])
    shed.drop("clip.mp4")
    tick(shed)
    assert not shed.runs.all
    take_in(shed)
    assert len(shed.runs.all) == 1


def test_a_file_that_stays_broken_goes_to_failed_with_its_reason(shed: Shed) -> None:
    shed.drop("clip.mp4", b"half", languages=["fr"])
    take_in(shed)
    assert shed.listed() == ["clip.mp4", "clip.mp4.yaml"]
    shed.now += PATIENCE_S
    tick(shed)
    assert shed.listed() == ["failed"]
    assert shed.listed("failed") == ["clip.mp4", "clip.mp4.reason.txt", "clip.mp4.yaml"]
    assert "looks truncated" in (shed.root / "failed/clip.mp4.reason.txt").read_text()


def test_a_file_that_somebody_has_open_for_writing_is_left_alone(shed: Shed) -> None:
    path = shed.drop("clip.mp4")
    with path.open("ab"):
        take_in(shed)
        assert shed.listed() == ["clip.mp4"]
    take_in(shed)
    assert shed.listed() == []


@pytest.mark.parametrize("name", [".clip.mp4", "clip.mp4.part", "clip.tmp", "clip.mp4.crdownload", "notes.txt"])
def test_what_is_no_video_is_left_alone(shed: Shed, name: str) -> None:
    shed.drop(name)
    take_in(shed)
    assert (shed.root / name).exists()


def test_a_failed_run_puts_video_and_reason_into_failed(shed: Shed) -> None:
    shed.drop("clip.mp4", languages=["fr"])
    take_in(shed)
    shed.runs.fail(shed.runs.all[0], "There is no voice for 'fr'; choose another profile.")
    tick(shed)
    assert shed.listed("failed") == ["clip.mp4", "clip.mp4.reason.txt", "clip.mp4.yaml"]
    reason = (shed.root / "failed/clip.mp4.reason.txt").read_text()
    assert "There is no voice for 'fr'" in reason
    assert shed.runs.all[0].submission.key in reason


def test_a_video_dropped_again_after_it_failed_is_tried_again(shed: Shed) -> None:
    shed.drop("clip.mp4")
    take_in(shed)
    shed.runs.fail(shed.runs.all[0])
    tick(shed)
    shutil.move(shed.root / "failed/clip.mp4", shed.root / "clip.mp4")
    take_in(shed)
    assert len(shed.runs.all) == 2
    shed.runs.succeed(shed.runs.all[1])
    tick(shed, thorough=True)
    assert shed.listed("done") == ["clip", "clip.mp4"]
    assert not shed.waiting()


def test_a_video_dropped_again_after_it_was_done_is_answered_from_the_ledger(shed: Shed) -> None:
    shed.drop("clip.mp4")
    take_in(shed)
    shed.runs.succeed(shed.runs.all[0])
    tick(shed)
    shed.drop("again.mp4")
    take_in(shed)
    assert len(shed.runs.all) == 1
    assert shed.listed() == ["done"]
    assert shed.listed("done") == ["again.mp4", "again.mp4.note.txt", "clip", "clip.mp4"]
    assert "done/clip" in (shed.root / "done/again.mp4.note.txt").read_text()


def test_a_video_whose_results_were_removed_is_done_again(shed: Shed) -> None:
    shed.drop("clip.mp4")
    take_in(shed)
    shed.runs.succeed(shed.runs.all[0])
    tick(shed)
    shutil.rmtree(shed.root / "done")
    shed.drop("clip.mp4")
    take_in(shed)
    assert len(shed.runs.all) == 2


def test_other_options_are_another_run_under_a_number(shed: Shed) -> None:
    for language in ("es", "fr"):
        shed.drop("clip.mp4", languages=[language])
        take_in(shed)
    assert [run.submission.options.languages for run in shed.runs.all] == [("es",), ("fr",)]
    for run in shed.runs.all:
        shed.runs.succeed(run)
    tick(shed)
    assert [n for n in shed.listed("done") if "yaml" not in n] == ["clip", "clip-2", "clip-2.mp4", "clip.mp4"]


def test_a_copy_that_comes_while_the_first_runs_joins_it(shed: Shed) -> None:
    shed.drop("clip.mp4")
    take_in(shed)
    shed.drop("copy.mp4")
    shed.drop("clip.mp4")
    take_in(shed)
    assert shed.listed() == []
    (run,) = shed.runs.all
    shed.runs.fail(run)
    tick(shed)
    names = [name for name in shed.listed("failed") if name.endswith(".mp4")]
    assert names == ["clip-2.mp4", "clip.mp4", "copy.mp4"]
    assert all((shed.root / f"failed/{name}.reason.txt").exists() for name in names)


def test_a_renamed_file_is_one_run(shed: Shed) -> None:
    path = shed.drop("clip.mp4")
    tick(shed)
    path.rename(shed.root / "other.mp4")
    take_in(shed)
    assert [run.submission.name for run in shed.runs.all] == ["other.mp4"]


def test_a_deleted_file_is_forgotten(shed: Shed) -> None:
    path = shed.drop("clip.mp4")
    tick(shed)
    path.unlink()
    take_in(shed)
    assert not shed.runs.all
    assert shed.listed() == []


def test_a_file_deleted_between_ledger_and_move_is_forgotten(shed: Shed, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shed.drop("clip.mp4")
    moving = LocalFolder.move_aside

    def deleted_before(*arguments: object) -> object:
        path.unlink(missing_ok=True)
        return moving(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(LocalFolder, "move_aside", deleted_before)
        take_in(shed)
    shed.drop("clip.mp4")
    take_in(shed)
    assert len(shed.runs.all) == 1


def test_a_file_overwritten_between_look_and_move_stays_where_it_is(
    shed: Shed, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shed.drop("clip.mp4")
    moving = LocalFolder.move_aside

    def overwritten_before(*arguments: object) -> object:
        path.write_bytes(b"another END")
        return moving(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(LocalFolder, "move_aside", overwritten_before)
        take_in(shed)
    assert path.read_bytes() == b"another END"
    assert not shed.runs.all
    take_in(shed)
    assert len(shed.runs.all) == 1


def test_nothing_is_lost_while_the_orchestrator_is_away(shed: Shed) -> None:
    shed.runs.down = True
    shed.drop("clip.mp4", languages=["fr"])
    assert asyncio.run(shed.take_in()).problems == ["clip.mp4: Nobody answers."] * 2
    shed.runs.down = False
    tick(shed)
    assert [run.submission.options.languages for run in shed.runs.all] == [("fr",)]


def test_a_run_deleted_in_prefect_is_told_as_a_failure(shed: Shed) -> None:
    shed.drop("clip.mp4")
    take_in(shed)
    shed.runs.by_key.clear()
    tick(shed)
    assert "deleted" in (shed.root / "failed/clip.mp4.reason.txt").read_text()


def test_a_run_without_results_is_told_as_a_failure(shed: Shed) -> None:
    shed.drop("clip.mp4")
    take_in(shed)
    shed.runs.succeed(shed.runs.all[0])
    shutil.rmtree(shed.runs.all[0].submission.out)
    tick(shed)
    assert "left no results" in (shed.root / "failed/clip.mp4.reason.txt").read_text()


def test_a_failed_run_that_is_retried_finds_its_video_and_ends_in_done(shed: Shed) -> None:
    from pathlib import Path

    shed.drop("clip.mp4", languages=["fr"])
    take_in(shed)
    run = shed.runs.all[0]
    shed.runs.fail(run)
    tick(shed)
    assert Path(run.submission.video).read_bytes() == b"video END"
    shed.runs.succeed(run)
    tick(shed, thorough=True)
    assert shed.listed("failed") == []
    assert shed.listed("done") == ["clip", "clip.mp4", "clip.mp4.yaml"]
    assert not list((shed.root / ".dubline").iterdir())


def test_a_retry_that_nobody_saw_before_the_video_was_dropped_again_loses_no_results(shed: Shed) -> None:
    shed.drop("clip.mp4")
    take_in(shed)
    shed.runs.fail(shed.runs.all[0])
    tick(shed)
    shutil.move(shed.root / "failed/clip.mp4", shed.root / "clip.mp4")
    shed.runs.succeed(shed.runs.all[0])
    take_in(shed)
    tick(shed, thorough=True)
    assert (shed.root / "done/clip/dub.mp4").read_text() == shed.runs.all[0].submission.key


def test_a_wrong_dubline_yaml_holds_everything_until_it_is_right(shed: Shed) -> None:
    shed.drop("dubline.yaml", b"langs: es")
    shed.drop("clip.mp4")
    take_in(shed)
    assert "there is no key 'langs'" in (shed.root / "dubline.yaml.reason.txt").read_text()
    assert not shed.runs.all
    shed.drop("dubline.yaml", b"languages: fr, it")
    take_in(shed)
    assert [run.submission.options.languages for run in shed.runs.all] == [("fr", "it")]
    assert shed.listed() == ["dubline.yaml"]


def test_a_sidecar_that_comes_a_little_later_counts(shed: Shed) -> None:
    shed.drop("clip.mp4")
    tick(shed)
    shed.now += STILL_S - 1
    shed.drop("clip.mp4", languages="fr")
    tick(shed)
    shed.now += STILL_S - 1
    tick(shed)
    assert not shed.runs.all
    shed.now += 1
    tick(shed)
    assert [run.submission.options.languages for run in shed.runs.all] == [("fr",)]


def test_names_as_long_as_a_file_system_takes_have_their_reason(shed: Shed) -> None:
    shed.drop("x" * 251 + ".mp4", b"half")
    take_in(shed)
    shed.now += PATIENCE_S
    tick(shed)
    assert len(shed.listed("failed")) == 2


def test_a_name_that_is_no_text_goes_to_failed(shed: Shed) -> None:
    import os

    (shed.root / os.fsdecode(b"caf\xe9.mp4")).write_bytes(b"video END")
    take_in(shed)
    shed.now += PATIENCE_S
    tick(shed)
    assert len(shed.listed("failed")) == 2


def test_a_submission_that_keeps_failing_holds_up_no_other(shed: Shed, monkeypatch: pytest.MonkeyPatch) -> None:
    submitting = shed.runs.submit

    async def refused(submission: Submission) -> Submitted:
        if submission.name == "a.mp4":
            raise ServiceUnavailable("It answers 500.")
        return await submitting(submission)

    monkeypatch.setattr(shed.runs, "submit", refused)
    shed.drop("a.mp4")
    shed.drop("b.mp4", b"another END")
    take_in(shed)
    shed.runs.succeed(shed.runs.all[0])
    assert asyncio.run(shed.tick()).problems == ["a.mp4: It answers 500."]
    assert shed.listed("done") == ["b", "b.mp4"]


@pytest.mark.parametrize("how", ["succeed", "fail"])
def test_a_copy_that_joins_in_the_last_moment_is_put_away_by_a_later_look(
    shed: Shed, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    from dubline.watching import outcome

    clearing = outcome.clear

    def joined_before(folder: LocalFolder, work: str) -> None:
        shed.drop(f".dubline/{work}/in/copy.mp4")
        clearing(folder, work)

    shed.drop("clip.mp4")
    take_in(shed)
    getattr(shed.runs, how)(shed.runs.all[0])
    monkeypatch.setattr(LocalFolder, "link", lambda *_: None)
    with monkeypatch.context() as patched:
        patched.setattr(outcome, "clear", joined_before)
        tick(shed)
    tick(shed, thorough=True)
    place = {"succeed": "done", "fail": "failed"}[how]
    assert {"clip.mp4", "copy.mp4"} <= set(shed.listed(place))
    assert not list((shed.root / ".dubline").iterdir())


def test_names_do_not_pile_up_when_a_video_fails_again_and_again(shed: Shed) -> None:
    shed.drop("clip.mp4")
    for _ in range(3):
        take_in(shed)
        assert shed.listed("failed") == []
        shed.runs.fail(shed.runs.all[-1])
        tick(shed)
        assert shed.listed("failed") == ["clip.mp4", "clip.mp4.reason.txt"]
        shutil.move(shed.root / "failed/clip.mp4", shed.root / "clip.mp4")
    take_in(shed)
    assert len(list((shed.root / ".dubline").iterdir())) == 1


def test_a_corrected_video_takes_the_name_of_the_failed_one(shed: Shed) -> None:
    for content in (b"one END", b"two END"):
        shed.drop("clip.mp4", content)
        take_in(shed)
        shed.runs.fail(shed.runs.all[-1])
        tick(shed)
        assert shed.listed("failed") == ["clip.mp4", "clip.mp4.reason.txt"]
        shutil.rmtree(shed.root / "failed")


def test_a_video_done_again_takes_the_name_of_the_removed_results(shed: Shed) -> None:
    for _ in range(2):
        shed.drop("clip.mp4")
        take_in(shed)
        shed.runs.succeed(shed.runs.all[-1])
        tick(shed)
        assert shed.listed("done") == ["clip", "clip.mp4"]
        shutil.rmtree(shed.root / "done")
    assert len(shed.runs.all) == 2


@pytest.mark.parametrize("content", [b"half", b"video END"])
def test_a_reason_goes_when_its_video_is_taken_away_and_does_not_come_back(shed: Shed, content: bytes) -> None:
    shed.drop("clip.mp4", content)
    take_in(shed)
    for run in shed.runs.all:
        shed.runs.fail(run)
    shed.now += PATIENCE_S
    tick(shed)
    (shed.root / "failed/clip.mp4").unlink()
    for _ in range(2):
        tick(shed, thorough=True)
        assert shed.listed("failed") == []


def test_a_long_name_keeps_its_reason(shed: Shed) -> None:
    shed.drop("x" * 251 + ".mp4")
    take_in(shed)
    shed.now += PATIENCE_S
    tick(shed, thorough=True)
    assert len(shed.listed("failed")) == 2


def test_a_sidecar_that_a_killed_scanner_left_behind_follows_its_video(
    shed: Shed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> bool:
        raise KeyboardInterrupt

    shed.drop("clip.mp4", languages=["fr"])
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(LocalFolder, "move", killed)
        take_in(shed)
    assert shed.listed() == ["clip.mp4.yaml"]
    tick(shed)
    assert shed.listed() == []
    shed.drop("clip.mp4", b"another END")
    take_in(shed)
    assert [run.submission.options.languages for run in shed.runs.all] == [("fr",), ("es",)]


def test_a_sidecar_without_a_video_is_told(shed: Shed) -> None:
    shed.drop("clip.mp4", languages=["fr"]).unlink()
    assert asyncio.run(shed.take_in()).problems == ["clip.mp4.yaml has no video beside it."]


def test_a_name_that_a_killed_scanner_reserved_is_no_obstacle(shed: Shed) -> None:
    shed.drop("clip.mp4")
    take_in(shed)
    shed.runs.succeed(shed.runs.all[0])
    (inside,) = (shed.root / ".dubline").glob("*/in")
    (inside / "copy.mp4").touch()
    tick(shed)
    assert not list((shed.root / ".dubline").iterdir())


@pytest.mark.parametrize("names", [1, 2])
def test_failures_are_put_away_where_there_are_no_hard_links(
    shed: Shed, monkeypatch: pytest.MonkeyPatch, names: int
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("pathlib.Path.hardlink_to", refused)
    for number in range(names):
        shed.drop("clip.mp4", b"%d END" % number)
        take_in(shed)
        shed.runs.fail(shed.runs.all[number])
        tick(shed)
    assert (
        shed.listed("failed")[:2]
        == [["clip.mp4", "clip.mp4.reason.txt"], ["clip-2.mp4", "clip-2.mp4.reason.txt"]][names - 1]
    )
    assert not shed.waiting()


def test_half_a_text_of_a_killed_scanner_is_removed(shed: Shed, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> bool:
        raise KeyboardInterrupt

    shed.drop("clip.mp4")
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("pathlib.Path.replace", killed)
        take_in(shed)
    assert len(shed.waiting()) == 1
    shed.drop("clip.mp4").unlink()
    tick(shed, thorough=True)
    assert not shed.waiting()


@pytest.mark.parametrize("renames", [True, False])
def test_a_video_never_takes_the_place_of_another(shed: Shed, monkeypatch: pytest.MonkeyPatch, renames: bool) -> None:
    if not renames:  # some shares
        monkeypatch.setattr("dubline.watching.local.RENAME_NOREPLACE", 1 << 20)
    folder = LocalFolder(shed.root)
    shed.drop("clip.mp4", b"one END")
    assert folder.move_video("clip.mp4", "failed/clip.mp4")
    assert not folder.move_video("clip.mp4", "failed/clip.mp4")
    shed.drop("clip.mp4", b"two END")
    assert not folder.move_video("clip.mp4", "failed/clip.mp4")
    (shed.root / "clip.mp4").unlink()
    folder.link("clip.mp4", "failed/clip.mp4")
    assert not folder.move_video("clip.mp4", "elsewhere/clip.mp4")
    assert (shed.root / "failed/clip.mp4").read_bytes() == b"one END"
