from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from dubline.domain.time import Span
from dubline.media.levels import limited
from dubline.media.mixing import RATE, MixLine, mix, prepare_clip, prepare_clips

CLIP_RATE = 24_000


def tone(seconds: float, hertz: float, level: float, rate: int) -> np.ndarray:
    return level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


def write(path: Path, sound: np.ndarray, rate: int) -> Path:
    soundfile.write(path, sound, rate)
    return path


def original(folder: Path, channels: int = 2, level: float = 0.1, seconds: float = 4.0) -> Path:
    return write(folder / "full.flac", np.tile(tone(seconds, 200, level, RATE)[:, None], (1, channels)), RATE)


def noise_clip(folder: Path, seconds: float = 0.8, level: float = 0.2) -> Path:
    noise = np.random.default_rng(1).normal(0, level / 3, int(seconds * CLIP_RATE))
    return write(folder / "clip.flac", np.clip(noise, -1, 1), CLIP_RATE)


def at(sound: np.ndarray, start_ms: int, end_ms: int) -> np.ndarray:
    return sound[start_ms * RATE // 1000 : end_ms * RATE // 1000]


def rms(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(sound))))


@pytest.mark.parametrize("start_ms", [0, 1234, 2950])
def test_a_line_is_heard_exactly_in_its_place(tmp_path: Path, start_ms: int) -> None:
    silent = write(tmp_path / "full.flac", np.zeros((4 * RATE, 2)), RATE)
    clip = noise_clip(tmp_path)
    mix(silent, [MixLine(clip, start_ms, 1.0, Span(start_ms, start_ms + 800))], tmp_path / "mix.flac", duck_db=18)
    result = soundfile.read(tmp_path / "mix.flac")[0]
    spoken = soundfile.read(prepare_clip(clip, 1.0, tmp_path))[0]
    found = _best_lag(result[:, 0], spoken)
    assert abs(found - start_ms * RATE // 1000) <= 2
    assert np.array_equal(result[:, 0], result[:, 1])


def _best_lag(sound: np.ndarray, part: np.ndarray) -> int:
    size = 1 << (len(sound) + len(part)).bit_length()
    return int(np.argmax(np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(part, size)))[: len(sound)]))


def test_the_original_goes_down_under_a_line_and_comes_back(tmp_path: Path) -> None:
    full = original(tmp_path)
    silent_clip = write(tmp_path / "clip.flac", np.zeros(CLIP_RATE // 2), CLIP_RATE)
    mix(full, [MixLine(silent_clip, 1500, 1.0, Span(1500, 2500))], tmp_path / "mix.flac", duck_db=18)
    before, after = soundfile.read(full)[0], soundfile.read(tmp_path / "mix.flac")[0]
    assert np.array_equal(at(after, 0, 1430), at(before, 0, 1430))
    assert np.array_equal(at(after, 2570, 4000), at(before, 2570, 4000))
    depth = 20 * np.log10(rms(at(after, 1510, 2490)) / rms(at(before, 1510, 2490)))
    assert depth == pytest.approx(-18, abs=0.2)
    assert np.abs(np.diff(after[:, 0])).max() < 2 * np.abs(np.diff(before[:, 0])).max()


def test_lines_close_to_each_other_keep_the_original_down_between_them(tmp_path: Path) -> None:
    full = original(tmp_path)
    quiet = write(tmp_path / "clip.flac", np.zeros(CLIP_RATE // 2), CLIP_RATE)
    lines = [MixLine(quiet, 1000, 1.0, Span(1000, 1500)), MixLine(quiet, 1800, 1.0, Span(1800, 2300))]
    mix(full, lines, tmp_path / "mix.flac", duck_db=12)
    between = at(soundfile.read(tmp_path / "mix.flac")[0], 1600, 1700)
    assert rms(between) == pytest.approx(0.1 / np.sqrt(2) * 10 ** (-12 / 20), rel=0.03)


def test_surround_gets_the_voice_in_the_front_centre_alone(tmp_path: Path) -> None:
    full = write(tmp_path / "full.flac", np.zeros((2 * RATE, 6)), RATE)
    mix(full, [MixLine(noise_clip(tmp_path), 500, 1.0, Span(500, 1300))], tmp_path / "mix.flac", duck_db=18)
    result = soundfile.read(tmp_path / "mix.flac")[0]
    assert [bool(result[:, channel].any()) for channel in range(6)] == [False, False, True, False, False, False]


@pytest.mark.parametrize(("level", "expected_db"), [(0.2, 0.0), (0.1, -6.02), (0.01, -12.0), (0.8, 12.0)])
def test_the_voice_takes_the_level_of_the_speech_it_replaces(tmp_path: Path, level: float, expected_db: float) -> None:
    """A clip of 0.2 replaces speech of another level, with pauses in it that must not count; 12 dB is the limit."""
    speech = tone(4, 200, level, RATE)
    speech[RATE : 2 * RATE] = 0
    full = write(tmp_path / "full.flac", np.tile(speech[:, None], (1, 2)), RATE)
    clip = write(tmp_path / "clip.flac", tone(0.8, 1000, 0.2, CLIP_RATE), CLIP_RATE)
    lines = [MixLine(clip, 1050, 1.0, Span(1050, 1100))]
    mix(full, lines, tmp_path / "mix.flac", duck_db=18, speech=[Span(0, 2000)])
    voice = rms(at(soundfile.read(tmp_path / "mix.flac")[0], 1200, 1700))
    wanted = 0.2 / np.sqrt(2) * 10 ** (expected_db / 20)
    assert voice == pytest.approx(wanted, rel=0.05)


def test_loud_sound_under_a_loud_line_stays_under_one_decibel_below_full_scale(tmp_path: Path) -> None:
    full = original(tmp_path, level=0.95)
    clip = write(tmp_path / "clip.flac", tone(0.8, 1000, 0.9, CLIP_RATE), CLIP_RATE)
    mix(full, [MixLine(clip, 1000, 1.0, Span(1000, 1800))], tmp_path / "mix.flac", duck_db=3, speech=[Span(0, 4000)])
    result = soundfile.read(tmp_path / "mix.flac")[0]
    assert float(np.abs(result).max()) <= 10 ** (-1 / 20) + 1e-4
    assert float(np.abs(result).max()) > 0.85


def test_the_size_of_a_block_does_not_show(tmp_path: Path) -> None:
    full = original(tmp_path, level=0.95)
    lines = [
        MixLine(noise_clip(tmp_path, level=2.0), start, 1.05, Span(start, start + 700)) for start in (90, 990, 3000)
    ]
    results = []
    for block in (4_801, 48_000, 10 * RATE):
        mix(full, lines, tmp_path / "mix.flac", duck_db=10, speech=[Span(0, 4000)], block=block)
        results.append(soundfile.read(tmp_path / "mix.flac", dtype="int16")[0].astype(int))
    assert results[0].shape == (4 * RATE, 2)
    for other in results[1:]:
        assert int(np.abs(results[0] - other).max()) <= 1


def test_without_lines_the_original_passes_bit_by_bit(tmp_path: Path) -> None:
    full = original(tmp_path, level=0.5)
    mix(full, [], tmp_path / "mix.flac", duck_db=18)
    assert np.array_equal(soundfile.read(full)[0], soundfile.read(tmp_path / "mix.flac")[0])


def test_a_line_that_passes_the_end_is_not_cut(tmp_path: Path) -> None:
    full = original(tmp_path, seconds=1.0)
    mix(full, [MixLine(noise_clip(tmp_path), 600, 1.0, Span(600, 1400))], tmp_path / "mix.flac", duck_db=18)
    assert soundfile.info(tmp_path / "mix.flac").frames == pytest.approx(1.4 * RATE, abs=2)


@pytest.mark.parametrize("stretch", [0.9, 1.0, 1.15])
def test_a_stretched_clip_has_its_length_its_onset_and_its_pitch(tmp_path: Path, stretch: float) -> None:
    sound = np.zeros(CLIP_RATE)
    sound[CLIP_RATE // 2 : CLIP_RATE * 3 // 4] = tone(0.25, 1000, 0.5, CLIP_RATE)
    clip = prepare_clip(write(tmp_path / "clip.flac", sound, CLIP_RATE), stretch, tmp_path)
    result, rate = soundfile.read(clip)
    assert rate == RATE
    assert len(result) == pytest.approx(RATE / stretch, abs=RATE * 0.002)
    loud = np.flatnonzero(np.abs(result) > 0.25)
    assert loud[0] / rate == pytest.approx(0.5 / stretch, abs=0.01)
    middle = result[int(0.55 / stretch * rate) :][: rate // 10]
    assert int(np.argmax(np.abs(np.fft.rfft(middle)))) * 10 == pytest.approx(1000, abs=20)


def test_many_clips_are_prepared_in_the_order_of_their_lines_and_nothing_is_left_behind(tmp_path: Path) -> None:
    lines = [
        MixLine(write(tmp_path / f"{n}.flac", np.full(CLIP_RATE // 10 * (n + 1), 0.1), CLIP_RATE), 0, 1.0, Span(0, 0))
        for n in range(30)
    ]
    (work := tmp_path / "work").mkdir()
    lengths = [soundfile.info(path).frames for path in prepare_clips(lines, work)]
    assert lengths == [4_800 * (n + 1) for n in range(30)]
    full = original(tmp_path, seconds=0.5)
    mix(full, lines[:3], work / "mix.flac", duck_db=18)
    assert not (work / "line-00000.wav").exists()
    assert (work / "mix.flac").exists()


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 9_999), st.floats(-3, 3)), min_size=1, max_size=20),
    st.integers(1, 3),
)
def test_the_limiter_holds_its_ceiling_and_leaves_the_rest_alone(peaks: list[tuple[int, float]], width: int) -> None:
    sound = np.full((10_000, width), 0.5, np.float32)
    for place, value in peaks:
        sound[place, place % width] = value
    result = limited(sound)
    ceiling = 10 ** (-1 / 20)
    assert float(np.abs(result).max()) <= ceiling + 1e-6
    loud = np.flatnonzero(np.abs(sound).max(axis=1) > ceiling)
    near = np.zeros(10_000, bool)
    for place in loud:
        near[max(0, place - 1024) : place + 1025] = True
    assert np.allclose(result[~near], sound[~near], atol=1e-6)
