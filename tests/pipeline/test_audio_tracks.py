"""Videos with several audio tracks: the right one is heard, and a note says which."""

from __future__ import annotations

from pathlib import Path

import pytest

from dubline.media.probe import probe
from dubline.storage.artifacts import reference
from tests.pipeline.workshop import Workshop, make_video
from tests.speech import SAMPLE

pytestmark = pytest.mark.server
SECONDS = 4
MUSIC = ("-f", "lavfi", "-i", f"sine=f=300:r=48000:d={SECONDS}")
SPEECH = ("-ss", "8", "-i", str(SAMPLE))
AAC = ("-c:a", "aac", "-t", str(SECONDS))


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As a screen recorder makes it: what the machine plays, then the microphone."""
    titles = ("-metadata:s:a:0", "title=Desktop Audio", "-metadata:s:a:1", "title=Mic/Aux")
    maps = ("-map", "0:v", "-map", "1:a", "-map", "2:a", "-disposition:a", "default")
    return make_video(
        tmp_path_factory.mktemp("obs") / "obs.mkv", *MUSIC, *SPEECH, *maps, *titles, *AAC, seconds=SECONDS
    )


@pytest.fixture(scope="module")
def bilingual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Soft speech, and loud, which is another language to the fake; no tag tells."""
    graph = ("-filter_complex", "[1:a]asplit[a][b];[a]volume=1[soft];[b]volume=30,alimiter=limit=0.9[loud]")
    maps = ("-map", "0:v", "-map", "[soft]", "-map", "[loud]")
    return make_video(tmp_path_factory.mktemp("two") / "two.mkv", *SPEECH, *graph, *maps, *AAC, seconds=SECONDS)


def test_the_microphone_beside_music_is_dubbed_and_a_note_says_so(workshop: Workshop, recording: Path) -> None:
    done = workshop.translate(recording)
    assert done.returncode == 0, done.stderr
    manifest = workshop.manifest()
    assert manifest["dubbed_track"] == 2 and manifest["dubs"][0]["lines"]
    note = (
        "Audio track 2 of 2 was heard: 1 (no language, 'Desktop Audio', default), 2 (no language, 'Mic/Aux', default)"
    )
    assert note in manifest["warnings"][0] and f"note: {note}" in done.stderr
    assert workshop.report()["warnings"] == manifest["warnings"]
    made = probe(reference(workshop.out / manifest["dubs"][0]["video"])).tracks
    assert [track.language for track in made] == ["es", None, "en"]


def test_the_track_that_a_person_names_is_dubbed_without_a_note(workshop: Workshop, recording: Path) -> None:
    done = workshop.translate(recording, "--track", "desktop audio")
    assert done.returncode == 0, done.stderr
    assert (workshop.manifest()["dubbed_track"], workshop.manifest()["warnings"]) == (1, [])
    assert not {"survey-tracks", "identify-language"} & set(workshop.finished_stages())


def test_a_track_that_is_not_there_is_refused_before_anything_is_heard(workshop: Workshop, recording: Path) -> None:
    done = workshop.translate(recording, "--track", "3")
    assert done.returncode == 2
    assert "no audio track '3'" in done.stderr and "1 (no language, 'Desktop Audio', default), 2 (" in done.stderr
    assert workshop.finished_stages() == []


def test_of_several_tracks_the_one_in_the_language_that_was_asked_for_is_heard(
    workshop: Workshop, bilingual: Path
) -> None:
    workshop.profile(asr={"loud": "fr"})
    done = workshop.translate(bilingual, "--from", "fr")
    assert done.returncode == 0, done.stderr
    assert "Audio track 2 of 2 was heard" in workshop.manifest()["warnings"][0]
    made = probe(reference(workshop.out / workshop.manifest()["dubs"][0]["video"])).tracks
    assert [track.language for track in made] == ["es", None, "fr"]
    assert sorted({"survey-tracks", "identify-language"} - set(workshop.finished_stages())) == []


def test_another_language_than_the_one_asked_for_is_told_in_a_sentence(workshop: Workshop, video: Path) -> None:
    done = workshop.translate(video, "--from", "fr")
    assert done.returncode == 0, done.stderr
    (note,) = workshop.manifest()["warnings"]
    assert note.startswith("English is heard (90%), not French, which was asked for: leave out --from")
    assert f"note: {note}" in done.stderr
    (original,) = probe(reference(workshop.out / workshop.manifest()["dubs"][0]["video"])).tracks[1:]
    assert original.language is None  # it is not known well enough
