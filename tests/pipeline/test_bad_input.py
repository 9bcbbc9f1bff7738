"""Bad input gets one clear sentence and a documented exit code; nothing half-written, the input untouched."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.lacking import small_disk
from tests.pipeline.workshop import ROOT, Workshop, make_video

pytestmark = pytest.mark.server


def sentence(result: subprocess.CompletedProcess[str]) -> str:
    """The one line on standard error that explains; there is no traceback beside it."""
    assert "Traceback" not in result.stderr + result.stdout
    lines = [line for line in result.stderr.splitlines() if line.startswith("dubline: ")]
    assert len(lines) == 1, result.stderr
    return lines[0]


def nothing_published(workshop: Workshop) -> bool:
    return not workshop.out.is_dir() or not [*workshop.out.rglob("*")]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--to", "es", "--from", "xx"], 4, "not a language code"),
        (["--to", "es", "--from", "de"], 4, "does not know 'de'"),
        (["--to", "ja", "--from", "en"], 4, "no voice for 'ja'"),
        (["--to", "en", "--from", "en"], 4, "already"),
        (["--to", "es", "--refresh", "cooking"], 2, "no stage 'cooking'"),
        (["--to", "es", "--profile", "nothing"], 2, "no profile 'nothing'"),
    ],
)
def test_a_wrong_request_is_refused_before_any_work(
    workshop: Workshop, video: Path, arguments: list[str], code: int, words: str
) -> None:
    profile = [] if "--profile" in arguments else ["--profile", "fake"]
    result = workshop.run("translate", video, "--out", workshop.out, *profile, *arguments)
    assert result.returncode == code
    assert words in sentence(result)
    assert not workshop.home.exists(), "no artifact, no checkpoint, no server"


def test_a_profile_with_an_unknown_key_is_refused(workshop: Workshop, video: Path) -> None:
    path = workshop.root / "profiles" / "fake.yaml"
    path.write_text(path.read_text() + "temperature: 1\n")
    result = workshop.translate(video)
    assert result.returncode == 2
    assert "temperature" in sentence(result)


@pytest.mark.parametrize(("content", "words"), [(None, "There is no file"), (b"", "is empty")])
def test_a_file_that_cannot_be_a_video(workshop: Workshop, content: bytes | None, words: str) -> None:
    path = workshop.root / "some.mp4"
    if content is not None:
        path.write_bytes(content)
    result = workshop.translate(path)
    assert result.returncode == 3
    assert words in sentence(result)
    assert nothing_published(workshop)


def test_a_folder_is_no_video(workshop: Workshop) -> None:
    result = workshop.translate(workshop.root)
    assert result.returncode == 3
    sentence(result)


def test_a_text_that_calls_itself_a_video(workshop: Workshop) -> None:
    path = workshop.root / "list.mp4"
    path.write_text("#EXTM3U\n#EXTINF:1,\n/etc/passwd\n")
    result = workshop.translate(path)
    assert result.returncode == 3
    assert "list.mp4" in sentence(result)
    assert nothing_published(workshop)


def test_an_output_folder_that_is_a_file(workshop: Workshop, video: Path) -> None:
    workshop.out.write_text("mine")
    result = workshop.translate(video)
    assert result.returncode == 5
    assert str(workshop.out) in sentence(result)
    assert workshop.out.read_text() == "mine"


def test_a_disk_that_fills_in_mid_run(workshop: Workshop, video: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small") as disk:
        result = workshop.translate(video, "--out", str(disk / "out"))
        assert result.returncode == 5
        assert "No space left" in sentence(result)
        assert not [*(disk / "out").rglob("*")]


def test_a_gate_names_segment_and_rule(workshop: Workshop, video: Path) -> None:
    workshop.profile(asr={"text": "one two three four five. " * 4})
    result = workshop.translate(video)
    assert result.returncode == 7
    assert "segments gate failed" in sentence(result)
    assert "segment 0003 lies 480 ms outside" in sentence(result)
    assert "rule inside-media" in sentence(result)
    assert nothing_published(workshop)


def test_a_line_that_cannot_be_spoken_keeps_the_original_and_is_flagged(workshop: Workshop, video: Path) -> None:
    workshop.profile(asr={"text": "Fine words. Then unspeakable stuff."})
    assert workshop.translate(video).returncode == 0
    first, second = workshop.manifest()["dubs"][0]["lines"]
    assert first["phrases"] and "kept-original" not in first["flags"]
    assert second["phrases"] == []
    assert second["flags"] == ["kept-original"]
    assert (second["start_ms"], second["end_ms"]) == (second["source_start_ms"], second["source_end_ms"])
    rules = {finding["rule"] for finding in workshop.report()["dubs"][0]["findings"]}
    assert "clip-missing" in rules


@pytest.mark.parametrize(
    ("sound", "words"),
    [
        (["-an"], "no sound"),
        (["-f", "lavfi", "-i", "anullsrc=r=48000:d=2"], "No speech"),
    ],
    ids=["no-sound", "silence"],
)
def test_nothing_to_dub_is_no_error(workshop: Workshop, sound: list[str], words: str) -> None:
    path = make_video(workshop.root / "quiet.mp4", *sound)
    result = workshop.translate(path)
    assert result.returncode == 0, result.stderr
    assert words in result.stderr
    assert any(words in warning for warning in workshop.report()["warnings"])
    assert (workshop.out / "quiet.es.mp4").exists()


def test_any_file_name_will_do_and_the_input_is_untouched(workshop: Workshop, video: Path) -> None:
    odd = workshop.root / "-dash 'quote\" $(touch pwned) — ünï.mp4"
    odd.write_bytes(video.read_bytes())
    before = hashlib.sha256(odd.read_bytes()).hexdigest(), odd.stat().st_mtime_ns
    result = workshop.translate(odd)
    assert result.returncode == 0, result.stderr
    assert (workshop.out / f"{odd.stem}.es.mp4").exists()
    assert before == (hashlib.sha256(odd.read_bytes()).hexdigest(), odd.stat().st_mtime_ns)
    assert not [*workshop.root.rglob("pwned")]


def test_an_interruption_ends_soon_and_can_be_taken_up_again(workshop: Workshop, video: Path) -> None:
    command = [sys.executable, "-m", "dubline.cli", "translate", str(video), "--from", "en", "--to", "es"]
    command += ["--profile", "fake", "--out", str(workshop.out)]
    with subprocess.Popen(
        command, env=workshop.environment(), cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stderr is not None
        seen = ""
        while "attribute" not in seen:  # the stage after it: its checkpoint is there
            seen = process.stderr.readline()
            assert seen, "the run ended before it could be interrupted"
        os.killpg(process.pid, signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(timeout=120) == 130
    assert "goes on from here" in rest
    assert "Traceback" not in rest
    assert not [child for child in psutil.process_iter(["cmdline"]) if str(workshop.root) in str(child.info["cmdline"])]
    assert workshop.translate(video).returncode == 0
    assert [count for call, count in workshop.engine_calls().items() if call.startswith("asr")] == [1]
