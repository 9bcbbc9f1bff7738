"""The offline engines with their real weights: what they hear, render and say, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from dubline import profiles
from dubline.domain.errors import EngineFailed, UnsupportedLanguage
from dubline.domain.time import Span
from dubline.engines.asr.ear import voice_activity
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


def test_the_recognizer_tells_the_language_of_each_window(asr, sample_speech: Path) -> None:
    found = asr.languages(sample_speech, [Span(7_000, 17_000), Span(17_000, 30_000)])
    assert [max(one, key=one.get) for one in found] == ["en", "en"]
    assert all(one["en"] > 0.8 and one["es"] < 0.1 and sum(one.values()) == pytest.approx(1, abs=0.01) for one in found)


def test_silence_noise_and_music_are_no_speech(asr, tmp_path: Path) -> None:
    time = np.arange(8 * RATE) / RATE
    chord = sum(np.sin(2 * np.pi * f * time) * np.exp(-2 * (time % 1)) for f in (220, 277, 330)) * 0.2
    noise = np.random.default_rng(1).normal(0, 0.02, len(time))
    for name, samples in {"silence": np.zeros_like(time), "noise": noise, "music": chord}.items():
        assert heard(asr, samples.astype(np.float32), tmp_path) == "", name


def test_sounds_like_vowels_are_no_words(asr, tmp_path: Path) -> None:
    """The detector takes them for a voice, and Whisper sings along ("Ah, ooh, ah, ooh")."""
    samples = wah(2)
    assert voice_activity(samples)
    assert heard(asr, samples, tmp_path) == ""


def wah(seconds: int) -> np.ndarray:
    """A low saw tooth through the formants of three vowels in turn."""
    from scipy.signal import butter, sosfilt

    step, parts = round(0.4 * RATE), []
    vowels = ((700, 1200, 2600), (300, 2200, 3000), (400, 800, 2500))
    time = np.arange(step) / RATE
    for number in range(int(seconds / 0.4)):
        tone = sum(np.sin(2 * np.pi * (110, 98, 87, 82)[number % 4] * n * time) / n for n in range(1, 31))
        bands = [butter(2, [0.9 * f, 1.1 * f], "band", fs=RATE, output="sos") for f in vowels[number % 3]]
        parts.append(sum(sosfilt(band, tone) for band in bands) * np.hanning(step) ** 0.2)
    sound = np.concatenate(parts)
    return (0.4 * sound / np.abs(sound).max()).astype(np.float32)


def said(sample: Path, *sentences: int, pause_s: float = 0.5) -> np.ndarray:
    """Sentences of the sample's conversation, by their numbers in its .stm, with pauses between."""
    samples, _ = soundfile.read(sample, dtype="float32")
    lines = [x for x in sample.with_suffix(".stm").read_text().splitlines() if not x.startswith(";;")]
    pause, parts = np.zeros(round(pause_s * RATE), np.float32), []
    for number in sentences:
        start, end = (round(float(field) * RATE) for field in lines[number].split()[3:5])
        parts += [samples[start:end], pause]
    return np.concatenate(parts)


def test_no_sentence_of_a_string_is_lost(asr, sample_speech: Path, tmp_path: Path) -> None:
    text = heard(asr, said(sample_speech, 9, 3, 10, 11, 8, 6), tmp_path)
    for part in ("New Jersey now", "know you were there", "much difference", "Yankee", "Chicago also", "This is"):
        assert part in text, text


def test_speech_at_both_ends_of_a_file_is_heard(asr, sample_speech: Path, tmp_path: Path) -> None:
    sound = said(sample_speech, 6, 9, pause_s=1.5)[: -round(1.6 * RATE)]  # cut in the last word
    text = heard(asr, sound, tmp_path)
    assert text.startswith("This is") and "in New Jersey now" in text


def test_speech_is_found_from_its_beginning_after_long_digital_silence(sample_speech: Path) -> None:
    sound = np.concatenate([np.zeros(20 * RATE, np.float32), said(sample_speech, 6)])
    assert abs(voice_activity(sound)[0].start_ms - 20_000) < 150


def test_a_sentence_after_long_silence_is_heard_alone(asr, sample_speech: Path, tmp_path: Path) -> None:
    sound = np.concatenate([np.zeros(40 * RATE, np.float32), said(sample_speech, 6)])
    text = heard(asr, sound, tmp_path)
    assert text.startswith("This is") and text.endswith("in New Jersey."), text


@pytest.mark.parametrize("text", ["Thank you.", "Yes."])
def test_a_word_that_whisper_makes_up_is_kept_where_somebody_says_it(speech, asr, tmp_path: Path, text: str) -> None:
    (result,) = speech.synthesize([SpeechRequest(text, "en", "af_heart")])
    narrow = np.interp(np.arange(0, len(result.samples), 1.5), np.arange(len(result.samples)), result.samples)
    assert heard(asr, np.pad(narrow, RATE).astype(np.float32), tmp_path).strip(".") == text.strip(".")


def test_the_same_sound_gives_the_same_words(asr, sample_speech: Path) -> None:
    first, second = (asr.transcribe(TranscriptionRequest(sample_speech, "en")).words for _ in range(2))
    assert first == second


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
    assert "50\N{NO-BREAK SPACE}%" in lines[4]
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
