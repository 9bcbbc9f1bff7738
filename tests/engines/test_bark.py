"""Bark's loading, cutting and sampling on a tiny checkpoint, against direct calls of transformers."""

import json
import shutil

import numpy as np
import pytest

from dubline.domain.errors import EngineFailed, InvalidRequest, ModelMissing
from dubline.engines.contracts import SpeechRequest
from dubline.engines.registry import EngineSpec, create
from dubline.engines.speech import bark
from dubline.engines.speech.bark import PAUSE_S, PIECE_LENGTH, BarkSpeech, derived_seed, spoken_length
from tests.engines.conftest import Folders

VOICE, OTHER_VOICE = "v2/en_speaker_0", "v2/es_speaker_8"
TEXTS = ("the quick brown fox", "the dog", "we all went down to the river when the rain had stopped", "over the dog")


def spec(**options):
    return EngineSpec(capability="speech", engine="bark", model="tiny", options=options)


def say(text, seed=0, voice=VOICE, speed=1.0):
    return SpeechRequest(text, "en", voice, speed, seed)


@pytest.fixture(scope="module")
def folder(tiny):
    return tiny("bark")


@pytest.fixture(scope="module")
def engine(folder):
    return create(spec(), Folders(tiny=folder))


@pytest.fixture
def texts_heard(engine, monkeypatch):
    """Batches of texts that reach the first model, read back from its input."""
    return watch(engine, monkeypatch)


def watch(engine, monkeypatch):
    seen = []
    generate = engine._model.semantic.generate

    def watched(input_ids, attention_mask, **arguments):
        rows = [ids[mask == 1] for ids, mask in zip(input_ids, attention_mask, strict=True)]
        seen.append([engine._processor.tokenizer.decode(row) for row in rows])
        return generate(input_ids, attention_mask=attention_mask, **arguments)

    monkeypatch.setattr(engine._model.semantic, "generate", watched)
    return seen


def changed(folder, to, **semantic):
    """A copy of the checkpoint that takes the likeliest token everywhere, with other settings of the first model."""
    shutil.copytree(folder, to)
    path = to / "generation_config.json"
    settings = json.loads(path.read_text())
    settings["semantic_config"] |= {"do_sample": False, "temperature": None, **semantic}
    settings["coarse_acoustics_config"] |= {"do_sample": False, "temperature": None}
    settings["fine_acoustics_config"] |= {"temperature": None}
    path.write_text(json.dumps(settings))
    return to


def library(folder):
    from transformers import AutoProcessor, BarkModel

    return AutoProcessor.from_pretrained(folder), BarkModel.from_pretrained(folder)


def test_without_sampling_a_line_sounds_as_the_librarys_own_call_makes_it(folder, tmp_path):
    greedy = changed(folder, tmp_path / "greedy")
    processor, model = library(greedy)
    for text, voice in (("the dog", VOICE), ("over the fox", OTHER_VOICE)):
        expected = model.generate(**processor(text, voice_preset=voice)).numpy().squeeze()
        (spoken,) = BarkSpeech(spec(), Folders(tiny=greedy)).synthesize([say(text, voice=voice)])
        assert spoken.sample_rate == 24_000
        assert len(expected) > 0
        np.testing.assert_allclose(spoken.samples, expected, atol=1e-6)


def test_sampling_draws_what_the_library_draws_from_the_lines_seed(engine, folder):
    import torch
    from transformers.models.bark import generation_configuration_bark as kinds

    processor, model = library(folder)
    nested = model.generation_config
    settings = {
        "semantic_generation_config": kinds.BarkSemanticGenerationConfig(**nested.semantic_config),
        "coarse_generation_config": kinds.BarkCoarseGenerationConfig(**nested.coarse_acoustics_config),
    }
    fine_settings = kinds.BarkFineGenerationConfig(**nested.fine_acoustics_config)
    for seed, text in enumerate(TEXTS):
        inputs = processor(text, voice_preset=VOICE)
        preset = dict(inputs["history_prompt"])
        torch.manual_seed(derived_seed(seed, "semantic"))
        semantic = model.semantic.generate(
            inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            history_prompt=preset,
            semantic_generation_config=settings["semantic_generation_config"],
        )
        torch.manual_seed(derived_seed(seed, "coarse"))
        coarse = model.coarse_acoustics.generate(
            semantic, history_prompt=preset, codebook_size=nested.codebook_size, **settings
        )
        torch.manual_seed(derived_seed(seed, "fine"))
        fine = model.fine_acoustics.generate(
            coarse,
            history_prompt=preset,
            fine_generation_config=fine_settings,
            codebook_size=nested.codebook_size,
            **settings,
        )
        with torch.no_grad():
            expected = model.codec_decode(fine).numpy().squeeze()
        (spoken,) = engine.synthesize([say(text, seed)])
        np.testing.assert_allclose(spoken.samples, expected, atol=1e-6)


def test_a_line_sounds_the_same_wherever_it_stands_in_a_batch(engine, texts_heard):
    requests = [say(text, seed) for seed, text in enumerate(TEXTS)]
    alone = [engine.synthesize([request])[0].samples for request in requests]
    assert len({len(samples) for samples in alone}) > 1, "the batch holds rows of different lengths"
    texts_heard.clear()
    for order in (requests, requests[::-1], requests[1:]):
        together = engine.synthesize(order)
        for request, result in zip(order, together, strict=True):
            np.testing.assert_allclose(result.samples, alone[requests.index(request)], atol=1e-6)
    assert [len(batch) for batch in texts_heard] == [4, 4, 3], "each was one batch"


def test_another_seed_sounds_different_and_the_same_seed_the_same(engine):
    first, again, other = (engine.synthesize([say(TEXTS[2], seed)])[0].samples for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_lines_of_two_voices_are_batched_by_voice_and_come_back_in_order(engine, texts_heard):
    requests = [say(text, 5, voice) for text in TEXTS[:2] for voice in (VOICE, OTHER_VOICE)]
    results = engine.synthesize(requests)
    assert texts_heard == [list(TEXTS[:2]), list(TEXTS[:2])]
    for request, result in zip(requests, results, strict=True):
        np.testing.assert_allclose(result.samples, engine.synthesize([request])[0].samples, atol=1e-6)


def test_long_text_is_spoken_whole_in_pieces_under_the_limit(engine, texts_heard, monkeypatch):
    monkeypatch.setattr(bark, "WORTH_CUTTING", 10_000)  # the random model may not end; that has a test of its own
    text = "When the rain had stopped, we all went down to the river. " * 9 + "the lazy dog, " * 20
    (spoken,) = engine.synthesize([say(text)])
    pieces = [piece for batch in texts_heard for piece in batch]
    assert "".join("".join(pieces).split()) == "".join(text.lower().split())
    assert len(pieces) > 3
    assert all(spoken_length(piece.replace(" , ", ", ").replace(" .", ".")) <= PIECE_LENGTH for piece in pieces)
    assert len(spoken.samples) > (len(pieces) - 1) * PAUSE_S * spoken.sample_rate
    assert spoken.samples.dtype == np.float32
    assert np.abs(spoken.samples).max() <= 1.0


def test_speech_that_does_not_end_is_cut_in_two_and_spoken_again(folder, tmp_path, monkeypatch):
    endless = BarkSpeech(spec(), Folders(tiny=changed(folder, tmp_path / "endless", max_new_tokens=6)))
    heard = watch(endless, monkeypatch)
    (spoken,) = endless.synthesize([say(TEXTS[2])])
    assert heard[0] == [TEXTS[2]]
    parts = [piece for batch in heard[1:] for piece in batch]
    assert " ".join(piece for piece in parts if len(piece) < 20) == TEXTS[2]
    assert len(spoken.samples) > 0


def test_wide_characters_count_as_syllables():
    assert spoken_length("river") == 5
    assert spoken_length("河边") == 6


def test_every_language_has_its_ten_presets_with_a_register():
    for language in ("de", "en", "es", "fr", "hi", "it", "ja", "ko", "pl", "pt", "ru", "tr", "zh"):
        voices = BarkSpeech.voices(language)
        assert sorted(voice.id for voice in voices) == [f"v2/{language}_speaker_{n}" for n in range(10)]
    assert {voice.id for voice in BarkSpeech.voices("es") if voice.register == "high"} == {
        "v2/es_speaker_8",
        "v2/es_speaker_9",
    }
    assert [voice.id[-1] for voice in BarkSpeech.voices("es")][-3:] == ["2", "3", "5"], "noisy ones come last"
    assert BarkSpeech.voices("ca") == ()


def test_a_rate_it_does_not_have_is_refused(engine):
    assert engine.rates == (1.0, 1.0)
    with pytest.raises(InvalidRequest, match="speaking rate"):
        engine.synthesize([say("the dog", speed=1.1)])


def test_what_cannot_be_spoken_is_an_error_and_not_silence(engine):
    with pytest.raises(EngineFailed, match="nothing to speak"):
        engine.synthesize([say(" ... ")])
    with pytest.raises(EngineFailed, match=r"no preset 'v2/en_speaker_7'; it has: v2/en_speaker_0"):
        engine.synthesize([say("the dog", voice="v2/en_speaker_7")])


def test_it_has_no_options(folder):
    with pytest.raises(InvalidRequest, match="'temperature'"):
        BarkSpeech(spec(temperature=0.7), Folders(tiny=folder))


def test_broken_weights_are_a_missing_model(tmp_path):
    with pytest.raises(ModelMissing, match="dubline models pull tiny"):
        BarkSpeech(spec(), Folders(tiny=tmp_path))


def test_figures_are_spoken_in_words(engine):
    (piece,) = engine._cut(say("It costs $5."))
    assert piece.text == "It costs five dollars."
