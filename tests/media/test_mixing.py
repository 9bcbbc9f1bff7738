from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from clips import ffmpeg
from hypothesis import given, settings
from hypothesis import strategies as st

from dubline.domain.time import Span
from dubline.media.levels import CEILING_DBTP, ActiveLevel, limited, line_gains
from dubline.media.loudness import loudness
from dubline.media.mixing import RATE, Loudness, MixLine, Original, mix, prepare_clips

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


def prepared(clip: Path, stretch: float, folder: Path) -> Path:
    return prepare_clips([MixLine(clip, 0, stretch, Span(0, 0))], folder)[0]


def test_a_clip_that_is_said_twice_may_be_stretched_differently(tmp_path: Path) -> None:
    clip = noise_clip(tmp_path)
    paths = prepare_clips([MixLine(clip, 0, tempo, Span(0, 0)) for tempo in (1.0, 1.05, 1.1, 1.05)], tmp_path)
    lengths = [soundfile.info(path).frames / RATE for path in paths]
    assert lengths == pytest.approx([0.8, 0.8 / 1.05, 0.8 / 1.1, 0.8 / 1.05], abs=0.005)


def test_the_original_is_out_where_a_dubbed_line_has_no_phrase(tmp_path: Path) -> None:
    full = original(tmp_path)
    background = write(tmp_path / "background.flac", np.zeros((4 * RATE, 2)), RATE)
    silenced = Original(full, background, (Span(1000, 2000),))
    mix(silenced, [], tmp_path / "out.flac", background_db=0.0)
    sound, _ = soundfile.read(tmp_path / "out.flac")
    assert rms(at(sound, 1100, 1900)) < 0.001
    assert rms(at(sound, 2500, 3500)) > 0.05


def at(sound: np.ndarray, start_ms: int, end_ms: int) -> np.ndarray:
    return sound[start_ms * RATE // 1000 : end_ms * RATE // 1000]


def dub(
    full: Path, lines: list[MixLine], out: Path, background: Path | None = None, db: float = 0.0, **more: Any
) -> Loudness:
    """Mix over a background, which is silent where none is given."""
    if background is None:
        info = soundfile.info(full)
        background = write(full.parent / "background.flac", np.zeros((info.frames, info.channels)), RATE)
    return mix(Original(full, background), lines, out, background_db=db, **more)


def music(folder: Path, channels: int = 2, level: float = 0.1, seconds: float = 4.0) -> Path:
    sound = np.tile(tone(seconds, 500, level, RATE)[:, None], (1, channels))
    return write(folder / "background.flac", sound, RATE)


def rms(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(sound))))


@pytest.mark.parametrize("start_ms", [0, 1234, 2950])
def test_a_line_is_heard_exactly_in_its_place(tmp_path: Path, start_ms: int) -> None:
    silent = write(tmp_path / "full.flac", np.zeros((4 * RATE, 2)), RATE)
    clip = noise_clip(tmp_path)
    dub(silent, [MixLine(clip, start_ms, 1.0, Span(start_ms, start_ms + 800))], tmp_path / "mix.flac")
    result = soundfile.read(tmp_path / "mix.flac")[0]
    spoken = soundfile.read(prepared(clip, 1.0, tmp_path))[0]
    found = _best_lag(result[:, 0], spoken)
    assert abs(found - start_ms * RATE // 1000) <= 2
    assert np.array_equal(result[:, 0], result[:, 1])


def _best_lag(sound: np.ndarray, part: np.ndarray) -> int:
    size = 1 << (len(sound) + len(part)).bit_length()
    return int(np.argmax(np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(part, size)))[: len(sound)]))


def test_under_a_line_the_background_takes_the_place_of_the_original(tmp_path: Path) -> None:
    """The original is a voice of 200 Hz over music of 500 Hz; under the line only the music is left, 6 dB softer."""
    background = music(tmp_path)
    voiced = soundfile.read(background)[0] + soundfile.read(original(tmp_path))[0]
    full = write(tmp_path / "full.flac", voiced, RATE)
    silent_clip = write(tmp_path / "clip.flac", np.zeros(CLIP_RATE // 2), CLIP_RATE)
    dub(full, [MixLine(silent_clip, 1500, 1.0, Span(1500, 2500))], tmp_path / "mix.flac", background, db=6)
    before, after = soundfile.read(full)[0], soundfile.read(tmp_path / "mix.flac")[0]
    assert np.array_equal(at(after, 0, 1430), at(before, 0, 1430))
    assert np.array_equal(at(after, 2570, 4000), at(before, 2570, 4000))
    wanted = at(soundfile.read(background)[0], 1510, 2490) * 10 ** (-6 / 20)
    assert np.abs(at(after, 1510, 2490) - wanted).max() < 1e-4
    assert np.abs(np.diff(after[:, 0])).max() < 1.5 * np.abs(np.diff(before[:, 0])).max()


def test_lines_close_to_each_other_keep_the_original_out_between_them(tmp_path: Path) -> None:
    full, background = original(tmp_path), music(tmp_path, level=0.02)
    quiet = write(tmp_path / "clip.flac", np.zeros(CLIP_RATE // 2), CLIP_RATE)
    lines = [MixLine(quiet, 1000, 1.0, Span(1000, 1500)), MixLine(quiet, 1800, 1.0, Span(1800, 2300))]
    dub(full, lines, tmp_path / "mix.flac", background)
    between = at(soundfile.read(tmp_path / "mix.flac")[0], 1600, 1700)
    assert rms(between) == pytest.approx(0.02 / np.sqrt(2), rel=0.03)


def test_what_is_to_be_heard_passes_bit_by_bit_between_lines_close_to_it_and_under_them(tmp_path: Path) -> None:
    """Closer than a breath on both sides, and under a phrase that is said over its second half."""
    full = original(tmp_path)
    quiet = write(tmp_path / "clip.flac", np.zeros(CLIP_RATE // 2), CLIP_RATE)
    lines = [MixLine(quiet, start, 1.0, Span(start, start + 500)) for start in (1000, 1800, 2300)]
    background = write(tmp_path / "background.flac", np.zeros((4 * RATE, 2)), RATE)
    heard = Original(full, background, (Span(900, 1600), Span(1700, 2900)), (Span(1600, 2000),))
    mix(heard, lines, tmp_path / "mix.flac", background_db=0.0)
    before, after = soundfile.read(full)[0], soundfile.read(tmp_path / "mix.flac")[0]
    assert np.array_equal(at(after, 1600, 2000), at(before, 1600, 2000))
    assert rms(at(after, 1000, 1530)) < 0.001
    assert rms(at(after, 2070, 2800)) < 0.001
    assert np.abs(np.diff(after[:, 0])).max() < 1.5 * np.abs(np.diff(before[:, 0])).max()


def test_surround_gets_the_voice_in_the_front_centre_alone(tmp_path: Path) -> None:
    full = write(tmp_path / "full.flac", np.zeros((2 * RATE, 6)), RATE)
    dub(full, [MixLine(noise_clip(tmp_path), 500, 1.0, Span(500, 1300))], tmp_path / "mix.flac")
    result = soundfile.read(tmp_path / "mix.flac")[0]
    assert [bool(result[:, channel].any()) for channel in range(6)] == [False, False, True, False, False, False]


def test_the_surroundings_pass_bit_by_bit_under_a_line(tmp_path: Path) -> None:
    full = original(tmp_path, channels=6)
    dub(full, [MixLine(noise_clip(tmp_path), 500, 1.0, Span(500, 1300))], tmp_path / "mix.flac", db=10)
    before, after = soundfile.read(full)[0], soundfile.read(tmp_path / "mix.flac")[0]
    assert np.array_equal(before[:, 3:], after[:, 3:])
    assert not at(after, 600, 1200)[:, :2].any()


@pytest.mark.parametrize(("level", "expected_db"), [(0.2, 0.0), (0.1, -6.02), (0.6, 9.54), (0.02, -20.0)])
def test_the_voice_takes_the_level_of_the_speech_it_replaces(tmp_path: Path, level: float, expected_db: float) -> None:
    """A clip of 0.2 replaces speech of another level, with pauses in it that must not count; 20 dB is the limit."""
    speech = tone(4, 1000, level, RATE)
    speech[RATE : 2 * RATE] = 0
    full = write(tmp_path / "full.flac", np.tile(speech[:, None], (1, 2)), RATE)
    clip = write(tmp_path / "clip.flac", tone(0.8, 1000, 0.2, CLIP_RATE), CLIP_RATE)
    line = MixLine(clip, 1050, 1.0, Span(0, 2000), Span(0, 2000))
    dub(full, [line], tmp_path / "mix.flac")
    voice = rms(at(soundfile.read(tmp_path / "mix.flac")[0], 1200, 1700))
    assert 20 * np.log10(voice / (0.2 / np.sqrt(2))) == pytest.approx(expected_db, abs=0.4)


def level_of(db: float, seconds: float) -> ActiveLevel:
    level = ActiveLevel()
    level.add(tone(seconds, 1000, 10 ** (db / 20), RATE).astype(np.float32)[:, None])
    return level


def test_loud_lines_are_loud_and_soft_ones_soft_within_six_decibels() -> None:
    clips = [level_of(-20, 5) for _ in range(4)]
    gains = 20 * np.log10(line_gains(clips, [level_of(db, 5) for db in (-20, -16, -24, -50)]))
    assert gains[1] - gains[0] == pytest.approx(4 * 5 / 5.7, abs=0.6)
    assert gains[2] < gains[0] - 2
    assert gains[1] - gains[3] <= 12.1
    assert gains[3] == min(gains)


def test_a_short_line_is_believed_less_than_a_long_one() -> None:
    clips = [level_of(-20, 10), level_of(-20, 10)]
    short, long = (
        20 * np.log10(line_gains(clips, [level_of(-20, 10), level_of(-26, seconds)])) for seconds in (0.3, 10)
    )
    assert 0.5 < short[0] - short[1] < 2.5
    assert long[0] - long[1] > 5


def test_a_line_without_a_source_gets_the_gain_of_the_others() -> None:
    gains = line_gains([level_of(-20, 3)] * 3, [level_of(-26, 3), level_of(-26, 3), ActiveLevel()])
    assert gains[2] == pytest.approx(gains[0], rel=1e-3)
    assert line_gains([level_of(-20, 3)], [ActiveLevel()]) == [1.0]


def babble(seconds: float, level: float, seed: int) -> np.ndarray:
    """Noise in syllables, as loud as speech would be."""
    noise = np.random.default_rng(seed).normal(0, level, int(seconds * RATE))
    return np.clip(noise * (np.arange(len(noise)) % RATE < 0.8 * RATE), -0.99, 0.99)


def test_a_dub_of_other_sound_has_the_loudness_of_its_source(tmp_path: Path) -> None:
    """Deep tones replace noise; of equal power they would be far softer to the ear."""
    full = write(tmp_path / "full.flac", np.tile(babble(12, 0.05, 1)[:, None], (1, 2)), RATE)
    clip = write(tmp_path / "clip.flac", tone(2.5, 120, 0.3, CLIP_RATE), CLIP_RATE)
    lines = [MixLine(clip, ms, 1.0, Span(ms, ms + 2500), Span(ms, ms + 2500)) for ms in range(0, 12_000, 3000)]
    found = dub(full, lines, tmp_path / "mix.flac")
    wanted, reached = loudness(full)[0], loudness(tmp_path / "mix.flac")[0]
    assert reached == pytest.approx(wanted, abs=0.5)
    assert found.wanted == pytest.approx(wanted, abs=0.1)
    assert found.reached == pytest.approx(reached, abs=0.1)


def test_where_little_is_dubbed_the_rest_keeps_its_level_bit_by_bit(tmp_path: Path) -> None:
    full = write(tmp_path / "full.flac", np.tile(babble(12, 0.05, 2)[:, None], (1, 2)), RATE)
    clip = noise_clip(tmp_path)
    dub(full, [MixLine(clip, 5000, 1.0, Span(5000, 5800), Span(5000, 5800))], tmp_path / "mix.flac")
    before, after = soundfile.read(full)[0], soundfile.read(tmp_path / "mix.flac")[0]
    assert np.array_equal(at(before, 0, 4900), at(after, 0, 4900))
    assert np.array_equal(at(before, 5900, 12_000), at(after, 5900, 12_000))


@pytest.mark.parametrize("target", [-30.0, -16.0])
def test_a_target_moves_the_whole_track(tmp_path: Path, target: float) -> None:
    full = write(tmp_path / "full.flac", np.tile(babble(12, 0.05, 3)[:, None], (1, 2)), RATE)
    line = MixLine(noise_clip(tmp_path), 5000, 1.0, Span(5000, 5800), Span(5000, 5800))
    found = dub(full, [line], tmp_path / "mix.flac", target_lufs=target)
    reached, peak = loudness(tmp_path / "mix.flac")
    assert reached == pytest.approx(target, abs=0.5)
    assert found.wanted == target
    assert peak <= -1.0


def test_a_target_that_the_limiter_works_against_is_reached_all_the_same(tmp_path: Path) -> None:
    """At -9 LUFS this noise wants peaks far over full scale."""
    full = write(tmp_path / "full.flac", np.tile(babble(6, 0.05, 4)[:, None], (1, 2)), RATE)
    found = dub(full, [], tmp_path / "mix.flac", target_lufs=-9.0)
    reached, peak = loudness(tmp_path / "mix.flac")
    assert peak <= -1.0
    assert reached == pytest.approx(found.reached, abs=0.15)
    assert reached == pytest.approx(-9.0, abs=1.0)


@pytest.mark.parametrize("seconds", [0.3, 4.0])
def test_silence_and_the_very_short_have_no_loudness_and_are_left_alone(tmp_path: Path, seconds: float) -> None:
    level = 0.1 if seconds < 0.4 else 0.0
    full = original(tmp_path, level=level, seconds=seconds)
    assert dub(full, [], tmp_path / "mix.flac", target_lufs=-16.0).reached is None
    assert np.array_equal(soundfile.read(full)[0], soundfile.read(tmp_path / "mix.flac")[0])


def test_loud_sound_under_a_loud_line_stays_under_the_true_peak_that_is_allowed(tmp_path: Path) -> None:
    full = original(tmp_path, level=0.95)
    clip = write(tmp_path / "clip.flac", tone(0.8, 11_000, 0.9, CLIP_RATE), CLIP_RATE)
    dub(full, [MixLine(clip, 1000, 1.0, Span(1000, 1800), Span(0, 4000))], tmp_path / "mix.flac", full)
    peak = loudness(tmp_path / "mix.flac")[1]
    assert CEILING_DBTP - 1.0 < peak <= CEILING_DBTP + 0.2


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_the_size_of_a_block_does_not_show(tmp_path: Path, channels: int) -> None:
    full, background = original(tmp_path, channels, level=0.95), music(tmp_path, channels)
    lines = [
        MixLine(noise_clip(tmp_path, level=2.0), start, 1.05, Span(start, start + 700), Span(0, 4000))
        for start in (90, 990, 3000)
    ]
    results = []
    for block in (4_801, 48_000, 10 * RATE):
        dub(full, lines, tmp_path / "mix.flac", background, db=10, block=block)
        results.append(soundfile.read(tmp_path / "mix.flac", dtype="int16", always_2d=True)[0].astype(int))
    assert results[0].shape == (4 * RATE, channels)
    for other in results[1:]:
        assert int(np.abs(results[0] - other).max()) <= 1


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_without_lines_the_original_passes_bit_by_bit(tmp_path: Path, channels: int) -> None:
    full = original(tmp_path, channels, level=0.5)
    dub(full, [], tmp_path / "mix.flac")
    assert np.array_equal(soundfile.read(full)[0], soundfile.read(tmp_path / "mix.flac")[0])


def test_a_line_that_passes_the_end_is_not_cut(tmp_path: Path) -> None:
    full = original(tmp_path, seconds=1.0)
    dub(full, [MixLine(noise_clip(tmp_path), 600, 1.0, Span(600, 1400))], tmp_path / "mix.flac")
    assert soundfile.info(tmp_path / "mix.flac").frames == pytest.approx(1.4 * RATE, abs=2)


@pytest.mark.parametrize("stretch", [0.9, 1.0, 1.15])
def test_a_stretched_clip_has_its_length_its_onset_and_its_pitch(tmp_path: Path, stretch: float) -> None:
    sound = np.zeros(CLIP_RATE)
    sound[CLIP_RATE // 2 : CLIP_RATE * 3 // 4] = tone(0.25, 1000, 0.5, CLIP_RATE)
    clip = prepared(write(tmp_path / "clip.flac", sound, CLIP_RATE), stretch, tmp_path)
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
    dub(full, lines[:3], work / "mix.flac")
    assert not (work / "line-00000.wav").exists()
    assert (work / "mix.flac").exists()


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 9_999), st.floats(-3, 3)), min_size=1, max_size=20),
    st.integers(1, 3),
)
def test_the_limiter_holds_its_ceiling_and_leaves_the_rest_alone(peaks: list[tuple[int, float]], width: int) -> None:
    sound = np.full((10_000, width), 0.3, np.float32)
    for place, value in peaks:
        sound[place, place % width] = value
    result = limited(sound)
    ceiling = 10 ** (CEILING_DBTP / 20)
    assert float(np.abs(result).max()) <= ceiling + 1e-6
    near = np.zeros(10_000, bool)
    for place in np.flatnonzero(np.abs(sound).max(axis=1) != np.float32(0.3)):
        near[max(0, place - 1100) : place + 1101] = True
    assert np.allclose(result[~near], sound[~near], atol=1e-6)


def test_dense_sound_keeps_the_true_peak_behind_the_encoder(tmp_path: Path) -> None:
    """At about -9 LUFS, pressed all the time, through AAC as `mux` has it."""
    noise = np.random.default_rng(8).normal(0, 1, (8 * RATE, 2)) * np.array([1.0, 0.7])
    sound = (noise + tone(8, 90, 1, RATE)[:, None]).astype(np.float32)
    write(tmp_path / "loud.flac", limited(sound), RATE)
    ffmpeg("-i", tmp_path / "loud.flac", "-c:a", "aac", "-b:a", "192k", "-aac_coder", "fast", tmp_path / "loud.m4a")
    assert loudness(tmp_path / "loud.flac")[0] > -14
    assert loudness(tmp_path / "loud.m4a")[1] <= -1.0


def test_the_limiter_sees_peaks_between_samples(tmp_path: Path) -> None:
    """A sine at a quarter of the rate, 45 degrees off: its samples lie 3 dB under its peaks, which are at 0 dBTP."""
    fade = np.minimum(1, np.minimum(np.arange(2 * RATE), np.arange(2 * RATE)[::-1]) / 4800)
    sine = (fade * np.sin(2 * np.pi * np.arange(2 * RATE) / 4 + np.pi / 4)).astype(np.float32)[:, None]
    assert np.abs(sine).max() < 0.72
    write(tmp_path / "limited.flac", limited(sine), RATE)
    assert loudness(tmp_path / "limited.flac")[1] == pytest.approx(CEILING_DBTP, abs=0.2)
