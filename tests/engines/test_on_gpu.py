"""The hub engines on a real GPU, where they work in half precision and its memory can run out."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
import torch

from dubline.domain.errors import EngineUnavailable
from dubline.engines.contracts import DiarizationRequest, SeparationRequest, SpeechRequest, TranslationRequest
from dubline.engines.registry import EngineSpec, create
from dubline.settings import settings
from tests.engines.conftest import Folders

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that torch can see")

OPUS = "opus-mt-en-es"
TEXTS = ("The rain had stopped.", "Quick, over the dog!", "The fox jumps.", "We all went down to the river.")


@pytest.fixture
def computing_on(monkeypatch):
    def choose(where: str) -> None:
        monkeypatch.setenv("DUBLINE_DEVICE", where)
        settings.cache_clear()

    yield choose
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture(autouse=True)
def _on_gpu(computing_on):
    computing_on("cuda")


def engine(capability: str, name: str, folder, model: str = "tiny"):
    return create(EngineSpec(capability=capability, engine=name, model=model), Folders(**{model: folder}))


def translation(*texts: str) -> TranslationRequest:
    return TranslationRequest(tuple((f"s{i}", text) for i, text in enumerate(texts)), "en", "es")


@pytest.mark.parametrize(("name", "model", "checkpoint"), [("nllb", "tiny", "nllb"), ("opus-mt", OPUS, "marian")])
def test_a_translator_works_in_half_precision_and_a_line_does_not_depend_on_its_batch(tiny, name, model, checkpoint):
    found = engine("translation", name, tiny(checkpoint), model)
    assert found._model.model.device.type == "cuda"
    assert found._model.model.dtype == torch.float16
    together = [line.text for line in found.translate(translation(*TEXTS)).lines]
    assert together == [found.translate(translation(text)).lines[0].text for text in TEXTS]
    assert all(together)


def test_diarization_hears_the_speakers_that_it_hears_without_a_gpu(tiny, sample_speech, computing_on):
    found = {}
    for where in ("cuda", "cpu"):
        computing_on(where)
        pyannote = engine("diarization", "pyannote-hub", tiny("pyannote"))
        found[where] = pyannote.diarize(DiarizationRequest(sample_speech, speakers=2))
    assert len(found["cuda"].speakers) == len(found["cpu"].speakers) == 2
    heard = {where: _ticks(result.turns) for where, result in found.items()}
    assert len(heard["cuda"] & heard["cpu"]) > 0.95 * len(heard["cuda"] | heard["cpu"]) > 0


def _ticks(turns) -> set[tuple[str, int]]:
    """Who speaks in which hundredths of a second."""
    return {(turn.speaker, t) for turn in turns for t in range(turn.span.start_ms // 10, turn.span.end_ms // 10)}


def test_speech_of_a_line_is_the_same_again_and_in_any_batch(tiny):
    bark = engine("speech", "bark", tiny("bark"))
    asked = [SpeechRequest(text, "en", "v2/en_speaker_0", 1.0, seed) for seed, text in enumerate(TEXTS)]
    together, again = bark.synthesize(asked), bark.synthesize(asked)
    for both, second, request in zip(together, again, asked, strict=True):
        (alone,) = bark.synthesize([request])
        assert np.array_equal(both.samples, second.samples)
        assert len(both.samples) == len(alone.samples)
        assert np.allclose(both.samples, alone.samples, atol=1e-2)


def test_separation_gives_what_it_gives_without_a_gpu(tiny, tmp_path, computing_on):
    sound = 0.1 * np.random.default_rng(0).normal(size=(5 * 48_000, 2)).astype(np.float32)
    soundfile.write(tmp_path / "full.flac", sound, 48_000, "PCM_16")
    found = {}
    for where in ("cuda", "cpu"):
        computing_on(where)
        (tmp_path / where).mkdir()
        request = SeparationRequest(tmp_path / "full.flac", tmp_path / where)
        found[where] = soundfile.read(engine("separation", "demucs", tiny("demucs")).separate(request).background)[0]
    assert np.abs(found["cuda"] - found["cpu"]).max() < 1e-2
    assert np.abs(found["cpu"]).max() > 1e-2


def test_a_full_gpu_is_told_as_what_a_retry_can_cure_and_the_next_call_works(tiny):
    nllb = engine("translation", "nllb", tiny("nllb"))
    asked = translation(*(f"{text} {number}." for number in range(64) for text in TEXTS))
    expected = nllb.translate(asked)
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(1e-6)  # what is there stays; nothing more fits
    try:
        with pytest.raises(EngineUnavailable, match=r"ran out of memory .*tried again"):
            nllb.translate(asked)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert nllb.translate(asked) == expected
