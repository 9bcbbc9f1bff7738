"""The offline diarization engine: clustering on made-up vectors, the encoder and the whole on real weights."""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from dubline.domain.errors import EngineFailed, InvalidRequest, ModelMissing
from dubline.domain.time import Span, total_ms
from dubline.engines.contracts import DiarizationRequest
from dubline.engines.diarization.clustering import MOST_EMBEDDINGS, ClusteringRule, cluster_speakers
from dubline.engines.diarization.turns import result_from
from dubline.engines.models import ModelStore
from dubline.engines.registry import EngineSpec, create
from dubline.settings import Settings
from tests.lacking import lacking

RULE = ClusteringRule(seconds_each=1.0)
SPEC = EngineSpec(capability="diarization", engine="pyannote")


def voices(counts, scatter=0.03, seed=0):
    """Vectors around as many orthogonal directions as there are counts, and the true labels, in alternation."""
    chance = np.random.default_rng(seed)
    labels = np.concatenate([np.full(count, label) for label, count in enumerate(counts)])
    chance.shuffle(labels)
    return np.eye(64)[labels] + chance.normal(0, scatter, (len(labels), 64)), labels


def same_partition(found, truth):
    return len(set(zip(found, truth, strict=True))) == len(set(found)) == len(set(truth))


@settings(max_examples=40)
@given(st.lists(st.integers(20, 60), min_size=1, max_size=5), st.integers(0, 99))
def test_the_number_of_clear_voices_is_found(counts, seed):
    vectors, truth = voices(counts, seed=seed)
    assert same_partition(cluster_speakers(vectors, RULE), truth)


def test_one_voice_stays_one_however_long_it_speaks():
    for count in (1, 2, 10, 100, 1000):
        vectors, _ = voices([count], scatter=0.06)
        assert set(cluster_speakers(vectors, RULE)) == {0}


def test_labels_are_numbered_by_first_appearance():
    vectors, _ = voices([30, 30, 30])
    found = cluster_speakers(vectors, RULE)
    assert list(dict.fromkeys(found)) == [0, 1, 2]


def test_a_few_odd_vectors_found_no_speaker():
    vectors, truth = voices([40, 3])
    assert set(cluster_speakers(vectors, RULE)) == {0}
    assert same_partition(cluster_speakers(vectors, ClusteringRule(1.0, min_speech_s=2.0)), truth)


@pytest.mark.parametrize("speakers", [1, 2, 3, 4])
def test_a_number_that_is_given_is_kept(speakers):
    vectors, truth = voices([30, 30])
    found = cluster_speakers(vectors, RULE, speakers)
    assert len(set(found)) == speakers
    if speakers == 2:
        assert same_partition(found, truth)


def test_more_speakers_than_vectors_are_not_invented():
    assert len(set(cluster_speakers(np.eye(64)[:3], RULE, 5))) == 3
    assert set(cluster_speakers(np.ones((3, 64)), RULE, 2)) == {0}


def test_very_long_recordings_are_thinned_out():
    vectors, truth = voices([MOST_EMBEDDINGS, MOST_EMBEDDINGS // 2])
    assert same_partition(cluster_speakers(vectors, RULE), truth)


class Annotation:
    """As much of pyannote.core.Annotation as is read."""

    def __init__(self, *tracks):
        self.tracks = tracks

    def itertracks(self, yield_label):
        return ((Segment(start, end), None, label) for start, end, label in self.tracks)


class Segment:
    def __init__(self, start, end):
        self.start, self.end = start, end


def test_speakers_are_named_by_their_first_turn_and_flickers_are_cleared():
    annotation = Annotation((5.0, 6.0, "B"), (0.02, 0.07, "B"), (1.0, 2.0, "A"), (2.06, 3.0, "A"), (9.5, 11.0, "B"))
    result = result_from(annotation, np.zeros(160_000, np.float32), 16_000)
    assert [(t.speaker, t.span) for t in result.turns] == [
        ("S1", Span(1000, 3000)),
        ("S2", Span(5000, 6000)),
        ("S2", Span(9500, 10_000)),
    ]
    assert [(s.id, s.speech_ms, s.median_f0_hz) for s in result.speakers] == [("S1", 2000, None), ("S2", 1500, None)]


def test_an_unknown_option_is_refused_before_anything_is_loaded(tmp_path):
    spec = EngineSpec(capability="diarization", engine="pyannote", options={"treshold": 0.3})
    with pytest.raises(InvalidRequest, match="treshold"):
        create(spec, ModelStore(tmp_path))


def test_missing_weights_are_named_before_anything_is_imported(tmp_path):
    with pytest.raises(ModelMissing, match="pyannote-segmentation"):
        create(SPEC, ModelStore(tmp_path))


def test_the_engine_is_told_of_without_importing_pyannote():
    code = "import sys, dubline.engines.diarization.pyannote; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_broken_encoder_weights_are_told_with_the_command_that_mends_them(tmp_path):
    from dubline.engines.diarization.resemblyzer import ResemblyzerEmbedding

    (tmp_path / "pretrained.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(ModelMissing, match="models pull resemblyzer"):
        ResemblyzerEmbedding(tmp_path / "pretrained.pt")


@pytest.fixture(scope="session")
def offline_models():
    store = ModelStore(Settings().models)
    try:
        store.path("pyannote-segmentation"), store.path("resemblyzer")
    except ModelMissing as missing:
        lacking(str(missing).rstrip("."))
    return store


@pytest.fixture(scope="session")
def diarizer(offline_models):
    return create(SPEC, offline_models)


@pytest.fixture(scope="session")
def reference(sample_speech):
    """(start_s, end_s, speaker) of the sample."""
    fields = [line.split() for line in sample_speech.with_suffix(".rttm").read_text().splitlines()]
    return [(float(f[3]), float(f[3]) + float(f[4]), f[7]) for f in fields]


@pytest.mark.models
def test_embeddings_of_one_voice_lie_closer_than_those_of_two(offline_models, sample_speech, reference):
    import torch

    from dubline.engines.diarization.resemblyzer import ResemblyzerEmbedding

    embed = ResemblyzerEmbedding(offline_models.path("resemblyzer") / "pretrained.pt")
    samples, rate = soundfile.read(sample_speech, dtype="float32")
    turns = [(samples[int(a * rate) : int(b * rate)], who) for a, b, who in reference if b - a > 3]
    vectors = [(embed(torch.from_numpy(clip)[None, None])[0], who) for clip, who in turns]
    assert all(np.linalg.norm(v) == pytest.approx(1, abs=1e-5) for v, _ in vectors)
    pairs = [(v @ w, a == b) for i, (v, a) in enumerate(vectors) for w, b in vectors[:i]]
    same, other = [p for p, alike in pairs if alike], [p for p, alike in pairs if not alike]
    assert np.mean(same) > np.mean(other) + 0.04


@pytest.mark.models
def test_an_embedding_hears_only_what_its_mask_leaves(offline_models, sample_speech):
    import torch

    from dubline.engines.diarization.resemblyzer import ResemblyzerEmbedding

    embed = ResemblyzerEmbedding(offline_models.path("resemblyzer") / "pretrained.pt")
    samples = torch.from_numpy(soundfile.read(sample_speech, dtype="float32")[0])
    window, part = samples[320_000:400_000], samples[320_000:360_000]
    masks = torch.tensor([[1.0] * 5 + [0.0] * 5, [0.0] * 10])
    masked, silent = embed(window.expand(2, 1, -1), masks)
    assert masked == pytest.approx(embed(part[None, None])[0], abs=1e-5)
    assert np.isnan(silent).all()
    assert masked == pytest.approx(embed(0.001 * part[None, None])[0], abs=0.05)


@pytest.mark.models
def test_the_sample_has_two_speakers_and_few_errors(diarizer, sample_speech, reference):
    from pyannote.core import Annotation, Segment
    from pyannote.metrics.diarization import DiarizationErrorRate

    seen = []
    result = diarizer.diarize(DiarizationRequest(sample_speech), seen.append)
    truth, found = Annotation(uri="a"), Annotation(uri="a")
    for number, (start, end, who) in enumerate(reference):
        truth[Segment(start, end), number] = who
    for number, turn in enumerate(result.turns):
        found[Segment(*turn.span.seconds()), number] = turn.speaker
    assert [s.id for s in result.speakers] == ["S1", "S2"]
    assert DiarizationErrorRate(collar=0.0, skip_overlap=False)(truth, found) <= 0.05
    assert seen == sorted(seen) and seen[-1] == 1.0
    for speaker in result.speakers:
        assert 170 < speaker.median_f0_hz < 240
        assert speaker.speech_ms == total_ms(t.span for t in result.turns if t.speaker == speaker.id)


@pytest.mark.models
def test_each_speakers_embedding_is_that_of_the_own_voice(diarizer, offline_models, sample_speech):
    import torch

    from dubline.engines.diarization.resemblyzer import ResemblyzerEmbedding

    embed = ResemblyzerEmbedding(offline_models.path("resemblyzer") / "pretrained.pt")
    samples, rate = soundfile.read(sample_speech, dtype="float32")
    result = diarizer.diarize(DiarizationRequest(sample_speech))
    heard = {}
    for speaker in result.speakers:
        spans = [turn.span.seconds() for turn in result.turns if turn.speaker == speaker.id]
        own = np.concatenate([samples[int(a * rate) : int(b * rate)] for a, b in spans])
        heard[speaker.id] = embed(torch.from_numpy(own)[None, None])[0]
        assert speaker.embedding_space == "resemblyzer"
        assert np.linalg.norm(speaker.embedding) == pytest.approx(1, abs=1e-3)
    for speaker in result.speakers:
        assert max(heard, key=lambda name: heard[name] @ np.array(speaker.embedding)) == speaker.id


@pytest.mark.models
def test_a_single_speaker_stays_single_until_two_are_asked_for(diarizer, sample_speech, reference, tmp_path):
    samples, rate = soundfile.read(sample_speech, dtype="float32")
    clips = [samples[int(a * rate) : int(b * rate)] for a, b, who in reference if who == "speaker90"]
    alone = tmp_path / "alone.wav"
    soundfile.write(alone, np.concatenate([np.concatenate([c, np.zeros(rate // 2)]) for c in clips * 2]), rate)
    assert len(diarizer.diarize(DiarizationRequest(alone)).speakers) == 1
    assert len(diarizer.diarize(DiarizationRequest(alone, speakers=2)).speakers) == 2
    assert len(diarizer.diarize(DiarizationRequest(sample_speech, speakers=1)).speakers) == 1


@pytest.mark.models
@pytest.mark.parametrize("seconds", [0, 0.01, 2, 12])
def test_where_nobody_speaks_the_result_is_empty(diarizer, tmp_path, seconds):
    noise = np.random.default_rng(1).normal(0, 1e-4, round(seconds * 16_000)).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", noise, 16_000)
    result = diarizer.diarize(DiarizationRequest(tmp_path / "a.wav"))
    assert (result.turns, result.speakers) == ((), ())


@pytest.mark.models
def test_audio_that_cannot_be_read_is_an_engine_failure(diarizer, tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFF but not sound")
    with pytest.raises(EngineFailed, match=r"a\.wav"):
        diarizer.diarize(DiarizationRequest(tmp_path / "a.wav"))


@pytest.mark.models
def test_pyannote_is_kept_from_reporting_to_its_makers(diarizer):
    from pyannote.audio.telemetry.metrics import is_metrics_enabled

    assert importlib.util.find_spec("pyannote.audio") is not None
    assert is_metrics_enabled() is False
