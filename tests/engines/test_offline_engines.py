"""The offline engines with their real weights: what they hear, render and say, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from dubline import profiles
from dubline.domain.errors import EngineFailed, UnsupportedLanguage
from dubline.engines.contracts import SpeechRequest, TranscriptionRequest, TranslationRequest
from dubline.engines.models import ModelStore
from dubline.engines.registry import EngineSpec, create
from dubline.settings import settings

pytestmark = pytest.mark.models
RATE = 16_000


@pytest.fixture(scope="module")
def models() -> ModelStore:
    return ModelStore(settings().models)


@pytest.fixture(scope="module")
def asr(models: ModelStore):
    return create(EngineSpec(capability="asr", engine="faster-whisper", model="whisper-base"), models)


@pytest.fixture(scope="module")
def translator(models: ModelStore):
    return create(profiles.load("offline").translation, models)


@pytest.fixture(scope="module")
def speech(models: ModelStore):
    return create(profiles.load("offline").speech, models)


def heard(asr, samples: np.ndarray, folder: Path, language: str | None = "en") -> str:
    path = folder / "sound.flac"
    soundfile.write(path, samples, RATE)
    return " ".join(word.text for word in asr.transcribe(TranscriptionRequest(path, language)).words)


def test_the_recognizer_hears_words_with_their_times(asr, sample_speech: Path) -> None:
    found = asr.transcribe(TranscriptionRequest(sample_speech, None))
    assert found.language == "en" and found.language_confidence > 0.8
    text = " ".join(word.text for word in found.words)
    assert "This is Diane in New Jersey" in text
    chicago = next(word for word in found.words if word.text.startswith("Chicago"))
    assert 16_500 < chicago.span.start_ms < 18_000
    starts = [word.span.start_ms for word in found.words]
    assert starts == sorted(starts)


def test_silence_noise_and_music_are_no_speech(asr, tmp_path: Path) -> None:
    time = np.arange(8 * RATE) / RATE
    chord = sum(np.sin(2 * np.pi * f * time) * np.exp(-2 * (time % 1)) for f in (220, 277, 330)) * 0.2
    noise = np.random.default_rng(1).normal(0, 0.02, len(time))
    for name, samples in {"silence": np.zeros_like(time), "noise": noise, "music": chord}.items():
        assert heard(asr, samples.astype(np.float32), tmp_path) == "", name


def test_texts_come_back_in_order_each_whole(translator) -> None:
    texts = (
        "Good morning.",
        "",
        "The house is big. The dog sleeps.",
        "Line\nbreaks\n\nvanish.",
        "50% [off] ^now$ / @home",
    )
    found = translator.translate(TranslationRequest(tuple((str(n), t) for n, t in enumerate(texts)), "en", "es"))
    lines = [line.text for line in found.lines]
    assert lines[0] == "Buenos días." or lines[0].startswith("Buen")
    assert lines[1] == ""
    assert "casa" in lines[2] and "perro" in lines[2]
    assert "\n" not in lines[3]
    assert "50%" in lines[4]
    assert found.route == ("en", "es")


def test_a_word_that_cannot_be_translated_is_kept_and_named(translator) -> None:
    found = translator.translate(TranslationRequest((("1", "The frobnicator sleeps."),), "en", "es"))
    assert "frobnicator" in found.lines[0].text
    assert "*" not in found.lines[0].text
    assert found.lines[0].unknown == ("frobnicator",)


def test_a_pair_without_data_is_refused_with_the_remedy(translator) -> None:
    with pytest.raises(UnsupportedLanguage, match="choose another language"):
        translator.translate(TranslationRequest((("1", "Hello"),), "en", "ja"))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", "Buenos días, me alegro de verte otra vez."),
        ("en", "Good morning, it is nice to see you again."),
        ("fr", "Bonjour, je suis content de vous revoir."),
    ],
)
def test_speech_is_understood_when_it_is_transcribed_back(
    speech, asr, tmp_path: Path, language: str, text: str
) -> None:
    import jiwer

    from dubline.evaluation import plain

    voice = speech.voices(language)[0].id
    result = speech.synthesize([SpeechRequest(text, language, voice)])[0]
    assert result.samples.dtype == np.float32 and result.sample_rate == 24_000
    narrow = np.interp(np.arange(0, len(result.samples), 1.5), np.arange(len(result.samples)), result.samples)
    back = heard(asr, np.pad(narrow, RATE // 2).astype(np.float32), tmp_path, language)
    assert jiwer.wer(plain(text), plain(back)) <= 0.25, back


def test_speed_shortens_and_the_same_request_sounds_the_same(speech) -> None:
    slow, fast, again = (
        speech.synthesize([SpeechRequest("Una frase de prueba para medir.", "es", "em_alex", speed)])[0].samples
        for speed in (1.0, 1.25, 1.25)
    )
    assert len(fast) < 0.9 * len(slow)
    assert np.array_equal(fast, again)


def test_what_cannot_be_spoken_is_an_error_and_not_silence(speech) -> None:
    with pytest.raises(EngineFailed):
        speech.synthesize([SpeechRequest("Hola.", "es", "no_such_voice")])


def test_voices_are_told_for_each_language_native_ones_first(speech) -> None:
    voices = speech.voices("es")
    assert [voice.id for voice in voices[:3]] == ["ef_dora", "em_alex", "em_santa"]
    assert [voice.native for voice in voices] == sorted((voice.native for voice in voices), reverse=True)
    assert speech.voices("ja") == ()
