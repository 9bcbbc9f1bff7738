"""A recognizer that leaves out what somebody says: the line is missing, its sound is not."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from dubline.evaluation import Scene, lost
from dubline.publication import read
from quality_suites.derive import clock
from tests.pipeline.workshop import Workshop, make_video

pytestmark = pytest.mark.server
WRITTEN = "Well there is not much difference."
"""Of eight seconds of a conversation, the first two."""


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real speech: a detector of speech is at work here, which a tone does not deceive."""
    package = importlib.util.find_spec("pyannote.audio")
    assert package and package.origin
    sound = Path(package.origin).parent / "sample" / "sample.wav"
    folder = tmp_path_factory.mktemp("talk")
    return make_video(folder / "talk.mp4", *["-ss", "21.8", "-t", "8", "-i", f"file:{sound}"], seconds=8)


def test_a_sentence_that_was_left_out_is_told_and_heard(workshop: Workshop, talk: Path, tmp_path: Path) -> None:
    workshop.profile(asr={"text": WRITTEN})
    done = workshop.translate(talk)
    assert done.returncode == 0, done.stderr
    assert all(line["phrases"] for line in workshop.manifest()["dubs"][0]["lines"])
    assert "Clear speech is in no line in" in done.stderr
    told = workshop.manifest()["unrecognized"]
    assert told
    assert told[-1]["end_ms"] > 7500
    findings = {finding["rule"]: finding for finding in workshop.report()["dubs"][0]["findings"]}
    times = [f"{clock(stretch['start_ms'])}-{clock(stretch['end_ms'])}" for stretch in told]
    assert findings["speech-in-a-line"]["subjects"] == times
    assert times[-1] in (workshop.out / "report.html").read_text(encoding="utf-8")
    manifest = read(workshop.out)
    assert manifest
    (row,) = lost(Scene(workshop.out, manifest, manifest.dubs[0], tmp_path))
    assert row.reached.startswith("0 ms in 0 stretches")
    assert row.met


def test_a_video_of_which_nothing_was_recognized_says_so(workshop: Workshop, talk: Path) -> None:
    workshop.profile(asr={"text": ""})
    done = workshop.translate(talk)
    assert done.returncode == 0, done.stderr
    assert "nothing of it was recognized" in done.stderr
    assert workshop.manifest()["unrecognized"]
    rules = {finding["rule"] for finding in workshop.report()["dubs"][0]["findings"]}
    assert rules >= {"speech-in-a-line", "speech-heard"}
