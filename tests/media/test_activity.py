"""Where sound dies down inside speech turns, and silence at the ends of clips."""

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from dubline.domain.time import Span
from dubline.media import activity
from dubline.media.trimming import trimmed

RATE = 16_000


def recording(path, loud, seconds, noise=0.001):
    """Noise with a tone in the given spans (s)."""
    samples = np.random.default_rng(0).normal(0, noise, int(seconds * RATE))
    time = np.arange(len(samples)) / RATE
    for start, end in loud:
        inside = (time >= start) & (time < end)
        samples[inside] += 0.3 * np.sin(2 * np.pi * 200 * time[inside])
    soundfile.write(path, samples.astype(np.float32), RATE)
    return path


def sounding(path, turns, background=None):
    """Of a recording over a background; over none where none is given."""
    if background is None:
        background = path.with_name("background.wav")
        soundfile.write(background, np.zeros(soundfile.info(path).frames), RATE)
    return activity.sounding(path, background, turns)


def test_pauses_over_a_background_that_was_separated_are_found(tmp_path):
    clean, _ = soundfile.read(recording(tmp_path / "a.wav", [(1.0, 2.0), (2.5, 3.0)], 5))
    bed = 0.1 * np.sin(2 * np.pi * 440 * np.arange(len(clean)) / RATE)
    soundfile.write(tmp_path / "bed.wav", bed, RATE)
    soundfile.write(tmp_path / "mix.wav", clean + bed, RATE)
    assert len(sounding(tmp_path / "mix.wav", [Span(900, 3100)], tmp_path / "bed.wav")) == 2
    assert len(sounding(tmp_path / "mix.wav", [Span(900, 3100)])) == 1


def test_pauses_in_a_turn_are_found_to_some_frames(tmp_path):
    path = recording(tmp_path / "a.wav", [(1.0, 2.0), (2.4, 3.0)], 5)
    found = sounding(path, [Span(900, 3100)])
    assert [(s.start_ms, s.end_ms) for s in found] == [
        (pytest.approx(1000, abs=20), pytest.approx(2000, abs=20)),
        (pytest.approx(2400, abs=20), pytest.approx(3000, abs=20)),
    ]


def test_the_closure_of_a_plosive_is_no_pause(tmp_path):
    path = recording(tmp_path / "a.wav", [(1.0, 2.0), (2.07, 3.0)], 5)
    assert len(sounding(path, [Span(900, 3100)])) == 1


def test_sound_outside_the_turns_is_not_speech(tmp_path):
    path = recording(tmp_path / "a.wav", [(0.5, 1.0), (2.0, 3.0)], 5)
    assert all(span.start_ms >= 1850 for span in sounding(path, [Span(2000, 3000)]))


def test_where_levels_tell_nothing_the_turns_are_kept(tmp_path):
    path = recording(tmp_path / "a.wav", [(1.0, 2.0)], 5, noise=0.2)
    assert sounding(path, [Span(800, 2200)]) == (Span(800, 2200),)


def test_a_later_quieter_half_minute_has_its_own_threshold(tmp_path):
    path = tmp_path / "a.wav"
    loud, _ = soundfile.read(recording(path, [(1.0, 29.0)], 30, noise=0.01))
    quiet, _ = soundfile.read(recording(path, [(1.0, 2.0), (3.0, 4.0)], 30, noise=0.0001))
    soundfile.write(path, np.concatenate([loud, 0.02 * quiet]), RATE)
    assert len(sounding(path, [Span(1000, 29_000), Span(31_000, 34_000)])) == 3


def test_the_room_before_speech_is_not_speech_though_an_editor_cut_in_silence_without_one(tmp_path):
    path = tmp_path / "a.wav"
    spoken, _ = soundfile.read(recording(path, [(0.5, 2.0)], 2.5, noise=0.003))
    soundfile.write(path, np.concatenate([np.zeros(3 * RATE), spoken, np.zeros(3 * RATE)]), RATE)
    (found,) = sounding(path, [Span(3400, 5100)])
    assert (found.start_ms, found.end_ms) == (pytest.approx(3500, abs=20), pytest.approx(5000, abs=20))


def test_silence_has_no_speech(tmp_path):
    assert sounding(recording(tmp_path / "a.wav", [], 2), []) == ()


def clip(lead_ms, tail_ms, pause_ms=0):
    tone = (0.3 * np.sin(2 * np.pi * 220 * np.arange(12_000) / 24_000)).astype(np.float32)
    parts = [np.zeros(24 * lead_ms), tone, np.zeros(24 * pause_ms), tone, np.zeros(24 * tail_ms)]
    return np.concatenate(parts).astype(np.float32)


@given(st.integers(0, 900), st.integers(0, 900), st.integers(0, 900))
def test_silence_is_trimmed_at_the_ends_and_kept_inside(lead_ms, tail_ms, pause_ms):
    whole, kept = clip(lead_ms, tail_ms, pause_ms), trimmed(clip(lead_ms, tail_ms, pause_ms), 24_000)
    assert 1000 + pause_ms <= len(kept) / 24 <= 1000 + pause_ms + 70
    assert np.sum(np.abs(kept)) == pytest.approx(np.sum(np.abs(whole)), rel=1e-4)


def test_a_silent_clip_stays_as_it_is():
    assert len(trimmed(np.zeros(2400, dtype=np.float32), 24_000)) == 2400
