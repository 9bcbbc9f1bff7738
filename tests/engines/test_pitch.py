"""Median fundamental frequency."""

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from dubline.domain.time import Span
from dubline.engines.diarization.pitch import median_f0_hz

RATE = 16_000
NOISE = np.random.default_rng(3)


def tone(f0: float, seconds: float = 2.0, harmonics: int = 12, rate: int = RATE) -> np.ndarray:
    """A buzz: harmonics that fall off like a voice's."""
    t = np.arange(int(seconds * rate)) / rate
    wave = sum(np.sin(2 * np.pi * f0 * k * t + k) / k for k in range(1, harmonics + 1) if f0 * k < rate / 2)
    return (0.1 * wave).astype(np.float32)


@pytest.mark.parametrize("f0", [70, 100, 165, 220, 380])
def test_the_pitch_of_a_harmonic_tone_is_found(f0):
    assert median_f0_hz(tone(f0), RATE, [Span(0, 2000)]) == pytest.approx(f0, rel=0.01)


def test_a_missing_fundamental_is_heard_all_the_same():
    t = np.arange(2 * RATE) / RATE
    telephone = sum(np.sin(2 * np.pi * 120 * k * t) for k in range(3, 20)).astype(np.float32) * 0.02
    assert median_f0_hz(telephone, RATE, [Span(0, 2000)]) == pytest.approx(120, rel=0.01)


@settings(max_examples=20)
@given(st.floats(65, 390), st.sampled_from([8_000, 16_000, 48_000]))
def test_any_pitch_at_any_sample_rate(f0, rate):
    assert median_f0_hz(tone(f0, 1.0, rate=rate), rate, [Span(0, 1000)]) == pytest.approx(f0, rel=0.02)


def test_noise_and_silence_have_no_pitch():
    assert median_f0_hz(NOISE.normal(0, 0.1, 3 * RATE).astype(np.float32), RATE, [Span(0, 3000)]) is None
    assert median_f0_hz(np.zeros(3 * RATE, np.float32), RATE, [Span(0, 3000)]) is None


def test_only_the_spans_count():
    both = np.concatenate([tone(100), tone(220)])
    assert median_f0_hz(both, RATE, [Span(0, 1900)]) == pytest.approx(100, rel=0.01)
    assert median_f0_hz(both, RATE, [Span(2100, 4000)]) == pytest.approx(220, rel=0.01)


def test_too_little_speech_has_no_pitch():
    assert median_f0_hz(tone(100), RATE, []) is None
    assert median_f0_hz(tone(100), RATE, [Span(0, 200)]) is None
    assert median_f0_hz(tone(100), RATE, [Span(9000, 12_000)]) is None


def test_noisy_pauses_do_not_move_the_median():
    pause = NOISE.normal(0, 0.002, 2 * RATE).astype(np.float32)
    assert median_f0_hz(np.concatenate([tone(140), pause]), RATE, [Span(0, 4000)]) == pytest.approx(140, rel=0.01)


def test_five_minutes_are_thinned_out_and_keeps_its_pitch():
    long = np.tile(tone(100, 1.0), 300)
    assert median_f0_hz(long, RATE, [Span(0, 300_000)]) == pytest.approx(100, rel=0.01)


def test_both_women_of_the_sample_speak_in_the_high_register(sample_speech):
    samples, rate = soundfile.read(sample_speech, dtype="float32")
    turns = [line.split() for line in sample_speech.with_suffix(".rttm").read_text().splitlines()]
    for name in ("speaker90", "speaker91"):
        spans = [Span.from_seconds(float(f[3]), float(f[3]) + float(f[4])) for f in turns if f[7] == name]
        assert 170 < median_f0_hz(samples, rate, spans) < 240
