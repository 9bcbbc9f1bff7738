"""What a person may ask for beside the languages: other voices, and subtitles in the picture."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from dubline.media.hashing import picture_equal
from dubline.media.probe import probe
from dubline.storage.artifacts import reference
from tests.pipeline.workshop import Workshop

pytestmark = pytest.mark.server


def voices(workshop: Workshop) -> dict[str, str]:
    (dub,) = workshop.manifest()["dubs"]
    return {line["speaker"]: line["voice"] for line in dub["lines"]}


def test_a_changed_cast_and_burned_in_subtitles_are_made_from_what_was_heard_before(
    workshop: Workshop, video: Path
) -> None:
    assert workshop.translate(video).returncode == 0
    assert voices(workshop) == {"S1": "bass", "S2": "alto"}
    assert not [file for file in workshop.manifest()["files"] if file["role"] == "video-burned"]

    cast = workshop.root / "mine.yaml"
    said = yaml.safe_load((workshop.out / "cast.yaml").read_text(encoding="utf-8"))
    assert {name: entry["voices"] for name, entry in said["speakers"].items()} == {
        "S1": {"es": "bass"},
        "S2": {"es": "alto"},
    }
    said["speakers"]["S1"]["voices"]["es"] = "alto"
    del said["speakers"]["S2"]
    cast.write_text(yaml.safe_dump(said), encoding="utf-8")
    again = workshop.translate(video, "--cast", str(cast), "--burn-in")
    assert again.returncode == 0, again.stderr

    assert voices(workshop) == {"S1": "alto", "S2": "bass"}
    (burned,) = [file["path"] for file in workshop.manifest()["files"] if file["role"] == "video-burned"]
    (dub,) = workshop.manifest()["dubs"]
    assert burned == "clip.es.burned.mp4"
    assert picture_equal(video, workshop.out / dub["video"])
    assert not picture_equal(video, workshop.out / burned)
    assert [track.language for track in probe(reference(workshop.out / burned)).tracks] == ["es"]
    assert (workshop.out / "clip.es.ass").read_text(encoding="utf-8").startswith("[Script Info]")
    assert [count for call, count in workshop.engine_calls().items() if call.startswith("asr")] == [1]


def test_a_voice_for_a_speaker_whom_nobody_heard_is_refused_before_anything_is_spoken(
    workshop: Workshop, video: Path
) -> None:
    result = workshop.translate(video, "--voice", "S9=bass")
    assert result.returncode == 2
    assert "'S9', but the video has S1, S2" in result.stderr
    assert not [call for call in workshop.engine_calls() if call.startswith("speech")]


def test_a_voice_that_the_engine_lacks_is_refused_before_any_work(workshop: Workshop, video: Path) -> None:
    result = workshop.translate(video, "--voice", "S1=es:tenor")
    assert result.returncode == 2
    assert "no voice 'tenor' for 'es'" in result.stderr
    assert not workshop.home.exists()
