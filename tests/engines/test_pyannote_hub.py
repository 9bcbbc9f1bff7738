"""pyannote's published pipeline, loaded from a folder of tiny checkpoints, against a direct call of the library."""

import numpy as np
import pytest
import soundfile

from dubline.domain.errors import InvalidRequest, ModelMissing
from dubline.domain.time import merged
from dubline.engines.contracts import DiarizationRequest
from dubline.engines.diarization.pyannote_hub import PyannoteHub
from dubline.engines.diarization.turns import embeddings_of, result_from
from dubline.engines.registry import EngineSpec, create
from tests.engines.conftest import Folders

RATE = 16_000


def spec(**options):
    return EngineSpec(capability="diarization", engine="pyannote-hub", model="tiny", options=options)


@pytest.fixture(scope="module")
def folder(tiny):
    return tiny("pyannote")


@pytest.fixture(scope="module")
def engine(folder):
    return create(spec(), Folders(tiny=folder))


@pytest.fixture(scope="module")
def clip(sample_speech, tmp_path_factory):
    """Five seconds with both speakers."""
    samples, rate = soundfile.read(sample_speech, start=6 * RATE, frames=5 * RATE)
    path = tmp_path_factory.mktemp("clip") / "clip.flac"
    soundfile.write(path, samples, rate)
    return path


@pytest.fixture(scope="module")
def result(engine, clip):
    seen = []
    found = engine.diarize(DiarizationRequest(clip, speakers=2), seen.append)
    return found, seen


@pytest.mark.parametrize("speakers", [None, 2])
def test_the_turns_are_what_the_library_finds(engine, folder, clip, speakers):
    import torch
    from pyannote.audio import Pipeline

    samples, rate = soundfile.read(clip, dtype="float32")
    file = {"waveform": torch.from_numpy(samples)[None], "sample_rate": rate}
    output = Pipeline.from_pretrained(folder)(file, num_speakers=speakers)
    found = engine.diarize(DiarizationRequest(clip, speakers))
    assert found.turns, "the tiny checkpoint finds somebody"
    assert found == result_from(output.speaker_diarization, samples, rate, embeddings_of(output), "tiny")
    assert all(speaker.embedding for speaker in found.speakers), "in the model's own space"


def test_turns_are_in_order_and_speakers_by_their_first_turn(result):
    found, _ = result
    assert list(found.turns) == sorted(found.turns, key=lambda turn: turn.span)
    assert [speaker.id for speaker in found.speakers] == list(dict.fromkeys(turn.speaker for turn in found.turns))
    for speaker in found.speakers:
        own = merged(turn.span for turn in found.turns if turn.speaker == speaker.id)
        assert speaker.speech_ms == sum(span.len_ms for span in own)


def test_progress_rises_to_one(result):
    _, seen = result
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(seen) > 2


def test_a_given_number_of_speakers_is_found(result):
    assert len(result[0].speakers) == 2


def test_no_sound_at_all_has_no_turns(engine, tmp_path):
    soundfile.write(tmp_path / "empty.wav", np.zeros(0, np.float32), RATE)
    found = engine.diarize(DiarizationRequest(tmp_path / "empty.wav"))
    assert found.turns == found.speakers == ()


def test_a_folder_that_is_no_pipeline_is_a_missing_model(tmp_path):
    with pytest.raises(ModelMissing, match="dubline models pull tiny"):
        PyannoteHub(spec(), Folders(tiny=tmp_path))


def test_a_pipeline_with_a_broken_part_is_a_missing_model(tmp_path, folder):
    (tmp_path / "config.yaml").write_text((folder / "config.yaml").read_text())
    with pytest.raises(ModelMissing, match="dubline models pull tiny"):
        PyannoteHub(spec(), Folders(tiny=tmp_path))


def test_it_has_no_options(folder):
    with pytest.raises(InvalidRequest, match="its options are: none"):
        PyannoteHub(spec(step=0.2), Folders(tiny=folder))
