"""Videos of many kinds go through the whole pipeline: the picture stays as it was, and nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dubline.media.hashing import picture_equal
from dubline.media.probe import probe
from dubline.storage.artifacts import reference
from tests.pipeline.workshop import ROOT, Workshop, make_video

pytestmark = pytest.mark.server

TONE = ("-f", "lavfi", "-i", "sine=f=300:r=48000:d=2")
LONGER = ("-f", "lavfi", "-i", "sine=f=300:r=48000:d=3.5")
SURROUND = ("-f", "lavfi", "-i", "aevalsrc=0|0|0.4*sin(2*PI*300*t)|0|0.1*sin(2*PI*200*t)|0:s=48000:d=2:c=5.1")
KINDS = {
    "mp4": SURROUND,
    "mov": (*TONE, "-c:a", "pcm_s16le"),
    "mkv": (
        *(*TONE, *LONGER, "-map", "0:v", "-map", "1:a", "-map", "2:a"),
        *("-metadata:s:a:0", "language=ger", "-metadata:s:a:1", "language=eng"),
        *("-disposition:a:0", "0", "-disposition:a:1", "default"),
    ),
    "ts": TONE,
    "avi": (*TONE, "-c:a", "libmp3lame"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, prefect_server: str) -> tuple[Workshop, dict[str, Path]]:
    """All kinds, translated in one process."""
    workshop = Workshop(tmp_path_factory.mktemp("formats"), prefect_server)
    workshop.profile()
    videos = {kind: make_video(workshop.root / f"clip.{kind}", *sound) for kind, sound in KINDS.items()}
    command = [sys.executable, "-m", "tests.pipeline.several", workshop.out, *videos.values()]
    subprocess.run(command, env=workshop.environment(), cwd=ROOT, check=True, timeout=480)
    return workshop, videos


@pytest.mark.parametrize("kind", KINDS)
def test_a_video_of_this_kind_is_dubbed_whole(made: tuple[Workshop, dict[str, Path]], kind: str) -> None:
    workshop, videos = made
    manifest = json.loads((workshop.out / kind / "manifest.json").read_text())
    result = workshop.out / kind / manifest["dubs"][0]["video"]
    before, after = probe(reference(videos[kind])), probe(reference(result))
    assert picture_equal(videos[kind], result)
    assert abs(after.duration_ms - before.duration_ms) <= 41
    assert len(after.tracks) == len(before.tracks) + 1
    assert after.tracks[0].language == "es"
    assert [track.default for track in after.tracks] == [True] + [False] * len(before.tracks)
    assert set(after.subtitle_languages) == {"es", "en"}
    assert manifest["dubs"][0]["lines"]


def test_the_default_track_is_dubbed_and_its_layout_kept(made: tuple[Workshop, dict[str, Path]]) -> None:
    workshop, _ = made
    manifest = json.loads((workshop.out / "mkv" / "manifest.json").read_text())
    assert manifest["dubbed_track"] == 2
    surround = probe(reference(workshop.out / "mp4" / "clip.es.mp4"))
    assert surround.tracks[0].channels == 6
