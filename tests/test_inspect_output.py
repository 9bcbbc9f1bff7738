"""What the last gate is told of the finished sound: a dub that is silent, a source that has no loudness."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from dubline.media.probe import probe
from dubline.storage.artifacts import reference
from dubline.storage.results import Audio, Mix, Source, Video
from tasks.inspect_output import facts

RATE = 48_000
SECONDS = 2


def told(folder: Path, source: float, dub: float, asked: float | None = None) -> dict[str, object]:
    """Facts of a video whose sound is a sine with the peak `dub`, made of one with the peak `source`."""
    sine = np.sin(2 * np.pi * 440 * np.arange(SECONDS * RATE) / RATE)
    soundfile.write(folder / "source.flac", source * sine, RATE)
    soundfile.write(folder / "dub.flac", dub * sine, RATE)
    picture = ["-f", "lavfi", "-i", f"color=size=64x64:rate=25:duration={SECONDS}"]
    made = ["ffmpeg", "-v", "error", *picture, "-i", folder / "dub.flac", "-c:a", "copy", folder / "video.mkv"]
    subprocess.run(made, check=True)
    full, video = reference(folder / "source.flac"), reference(folder / "video.mkv")
    found = facts(
        Source(file=video, container="mkv", duration_ms=SECONDS * 1000, picture=None, tracks=(), dubbed_track=1),
        Audio(full=full, speech=full, duration_ms=SECONDS * 1000, channels=1),
        Mix(artifact=reference(folder / "dub.flac")),
        Video(artifact=video, container="mkv"),
        (),
        "es",
        asked,
    )
    return {**found}


def test_a_dub_is_compared_with_the_loudness_of_its_source(tmp_path: Path) -> None:
    found = told(tmp_path, source=0.2, dub=0.1)
    assert found["wanted_loudness_lufs"] - found["loudness_lufs"] == pytest.approx(6.0, abs=0.1)
    assert found["true_peak_dbtp"] == pytest.approx(-20.0, abs=0.2)


def test_what_was_asked_for_goes_before_the_source(tmp_path: Path) -> None:
    assert told(tmp_path, source=0.2, dub=0.1, asked=-16.0)["wanted_loudness_lufs"] == -16.0


def test_a_silent_dub_is_far_too_quiet(tmp_path: Path) -> None:
    found = told(tmp_path, source=0.2, dub=0.0)
    assert found["loudness_lufs"] == -70.0
    assert found["wanted_loudness_lufs"] > -30
    assert found["true_peak_dbtp"] is None


def test_a_silent_source_wants_no_loudness(tmp_path: Path) -> None:
    found = told(tmp_path, source=0.0, dub=0.1)
    assert found["wanted_loudness_lufs"] is None
    assert found["loudness_lufs"] > -30


@pytest.mark.parametrize(("codec", "changed"), [("flac", 0), ("aac", 1)])
def test_a_track_that_was_written_anew_is_held_against_the_source(tmp_path: Path, codec: str, changed: int) -> None:
    source, made = tmp_path / "source.mov", tmp_path / "made.mkv"
    picture = ["-f", "lavfi", "-i", "color=size=64x64:rate=25:duration=0.5"]
    tone = ["-f", "lavfi", "-i", "sine=f=440:r=48000:d=0.5"]
    subprocess.run(["ffmpeg", "-v", "error", *picture, *tone, "-c:a", "pcm_s8", source], check=True)
    kept = ["-map", "0", "-map", "0:a", "-c", "copy", "-c:a:0", "aac", "-c:a:1", codec]
    subprocess.run(["ffmpeg", "-v", "error", "-i", source, *kept, made], check=True)
    video, full = Video(artifact=reference(made), container="mkv"), reference(made)
    audio = Audio(full=full, speech=full, duration_ms=500, channels=1)
    found = facts(probe(reference(source)), audio, Mix(artifact=full), video, (), "es", -20.0)
    assert found["changed_tracks"] == changed
