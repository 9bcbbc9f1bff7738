"""What is known of Kokoro's voices without loading them: pitch and embedding."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dubline.engines.models import ModelStore
from dubline.engines.speech.kokoro import KokoroSpeech
from dubline.engines.speech.phonemes import LANGUAGES
from dubline.engines.speech.voices import sounds


def test_all_54_voices_were_measured() -> None:
    assert len(sounds()) == 54
    for name, sound in sounds().items():
        assert sound.median_f0_hz is not None and 60 < sound.median_f0_hz < 400, name
        assert len(sound.embedding) == 256
        assert math.hypot(*sound.embedding) == pytest.approx(1, abs=0.01)


def test_every_voice_that_is_offered_has_its_sound() -> None:
    for language in LANGUAGES:
        for voice in KokoroSpeech.voices(language):
            assert voice.median_f0_hz == sounds()[voice.id].median_f0_hz
            assert voice.embedding_space == "resemblyzer"


def test_women_and_men_sound_apart() -> None:
    """Voices of one sex are more alike than those of the two, on the average."""
    vectors = {name: np.array(sound.embedding) for name, sound in sounds().items() if name[0] in "ab"}
    alike, unlike = [], []
    for one, first in vectors.items():
        for other, second in vectors.items():
            if one < other:
                (alike if one[1] == other[1] else unlike).append(first @ second)
    assert np.mean(alike) > np.mean(unlike) + 0.05


@pytest.mark.models
def test_a_voice_sounds_as_it_was_measured() -> None:
    from bench.voices import measured
    from dubline import profiles
    from dubline.engines.diarization.resemblyzer import ResemblyzerEmbedding
    from dubline.engines.registry import create
    from dubline.settings import settings

    offline_models = ModelStore(settings().models)
    speech = create(profiles.load("offline").speech, offline_models)
    embedding = ResemblyzerEmbedding(offline_models.path("resemblyzer") / "pretrained.pt")
    found = measured(speech, embedding, "em_alex")
    assert found["median_f0_hz"] == pytest.approx(sounds()["em_alex"].median_f0_hz, rel=0.02)
    assert np.dot(found["embedding"], sounds()["em_alex"].embedding) > 0.99
