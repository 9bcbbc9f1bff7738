"""Voices taken out: how well, without seams, in every layout; Demucs against direct calls of torchaudio."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from dubline.domain.errors import InvalidRequest, ModelMissing, OutputUnavailable
from dubline.engines.contracts import SeparationRequest
from dubline.engines.registry import EngineSpec, create
from dubline.engines.separation import nearest
from dubline.engines.separation.chunks import RATE, chunks, separate_file
from tests.engines.conftest import Folders

NEAREST = EngineSpec(capability="separation", engine="nearest-neighbours")
DEMUCS = EngineSpec(capability="separation", engine="demucs", model="tiny")


def voice(seconds: float, seed: int = 3) -> np.ndarray:
    """Something like speech: a gliding harmonic tone in syllables, with pauses."""
    time = np.arange(int(seconds * RATE)) / RATE
    draw = np.random.default_rng(seed)
    knots = np.arange(0, seconds + 1, 0.25)
    pitch = np.interp(time, knots, draw.uniform(110, 190, len(knots)))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    sound = sum(np.sin(h * phase) / h for h in range(1, 20))
    syllables = np.interp(time, knots, draw.uniform(0.2, 1, len(knots)) * (np.arange(len(knots)) % 8 < 5))
    return (0.1 * sound * syllables).astype(np.float32)


def bed(seconds: float) -> np.ndarray:
    """A repeating bar of four chords over soft noise, wide in stereo: float32 (samples, 2)."""
    time = np.arange(RATE // 2) / RATE
    chords = [sum(np.sin(2 * np.pi * f * time) for f in notes) for notes in ((220, 277, 330), (196, 247, 294))]
    bar = np.concatenate([chord * np.exp(-time) for chord in chords])
    track = np.resize(bar, int(seconds * RATE))
    noise = np.random.default_rng(0).normal(0, 0.02, (len(track), 2))
    return (0.1 * (track[:, None] * [1.0, 0.6] + noise)).astype(np.float32)


def si_sdr(wanted: np.ndarray, found: np.ndarray) -> float:
    """Scale-invariant signal-to-distortion ratio in dB (Le Roux et al., ICASSP 2019)."""
    target = wanted * (found @ wanted) / (wanted @ wanted)
    return float(10 * np.log10((target @ target) / np.sum(np.square(found - target))))


def written(folder: Path, sound: np.ndarray) -> SeparationRequest:
    soundfile.write(folder / "full.flac", sound, RATE, "PCM_16")
    (folder / "out").mkdir(exist_ok=True)
    return SeparationRequest(folder / "full.flac", folder / "out")


def separated(request: SeparationRequest, spec: EngineSpec = NEAREST, models: Folders | None = None) -> np.ndarray:
    result = create(spec, models or Folders()).separate(request)
    return soundfile.read(result.background, dtype="float32", always_2d=True)[0]


@pytest.mark.parametrize("channels", [1, 2])
def test_a_background_is_found_under_a_voice(tmp_path: Path, channels: int) -> None:
    spoken, music = voice(20)[:, None], 0.3 * bed(20)[:, :channels]
    mix = spoken + music
    found = separated(written(tmp_path, mix))
    assert found.shape == mix.shape
    assert si_sdr(music[:, 0], found[:, 0]) > si_sdr(music[:, 0], mix[:, 0]) + 2
    assert si_sdr(spoken[:, 0], (mix - found)[:, 0]) > si_sdr(spoken[:, 0], mix[:, 0])


def test_a_voice_on_one_side_alone_is_taken_out_too(tmp_path: Path) -> None:
    spoken = voice(12)
    mix = bed(12) * 0.1
    mix[:, 0] += spoken
    found = separated(written(tmp_path, mix))
    assert np.square(found[:, 0]).mean() < 0.1 * np.square(spoken).mean()


@pytest.mark.parametrize("bed_sign", [1, -1], ids=["bed in phase", "bed turned, too"])
@pytest.mark.parametrize("gain", [-1.0, -0.7])
def test_a_voice_in_opposite_phase_is_taken_out_as_well(tmp_path: Path, gain: float, bed_sign: int) -> None:
    spoken, music = voice(20)[:, None] * [1, gain], 0.3 * bed(20) * [1, bed_sign]
    mix = spoken + music
    found = separated(written(tmp_path, mix))
    assert np.square(found - music).mean() < 0.3 * np.square(spoken).mean()
    assert all(si_sdr(music[:, side], found[:, side]) > si_sdr(music[:, side], mix[:, side]) + 2 for side in (0, 1))


def test_music_on_the_other_side_than_the_voice_mostly_stays(tmp_path: Path) -> None:
    mix = np.stack([voice(12), 0.3 * bed(12)[:, 0]], axis=1)
    found = separated(written(tmp_path, mix))
    assert np.square(found[:, 0]).mean() < 0.1 * np.square(mix[:, 0]).mean()
    assert si_sdr(mix[:, 1], found[:, 1]) > 5


def test_steady_noise_without_a_voice_mostly_stays(tmp_path: Path) -> None:
    noise = np.random.default_rng(4).normal(0, 0.05, (8 * RATE, 1))
    found = separated(written(tmp_path, noise))
    assert np.square(found).sum() > 0.5 * np.square(noise).sum()


def test_digital_silence_between_words_breaks_nothing(tmp_path: Path) -> None:
    mix = voice(8)[:, None] * (np.arange(8 * RATE) % (2 * RATE) < RATE)[:, None]
    found = separated(written(tmp_path, mix))
    assert np.isfinite(found).all()
    assert np.square(found).sum() < 0.2 * np.square(mix).sum()


def test_surroundings_and_the_low_end_are_copied_bit_by_bit(tmp_path: Path) -> None:
    mix = np.repeat(bed(6)[:, :1], 6, axis=1)
    mix[:, 2] += voice(6)
    request = written(tmp_path, mix)
    before, after = soundfile.read(request.audio)[0], separated(request)
    assert np.array_equal(before[:, 3:], after[:, 3:])
    assert np.square(after[:, 2]).mean() < 0.5 * np.square(before[:, 2]).mean()


@pytest.mark.parametrize("seconds", [0.001, 0.05, 0.5, 1.7])
def test_very_short_and_silent_sounds_keep_their_length(tmp_path: Path, seconds: float) -> None:
    frames = int(seconds * RATE)
    for sound in (np.zeros((frames, 2)), 0.1 * np.ones((frames, 2))):
        assert separated(written(tmp_path, sound)).shape == sound.shape


def test_chunks_leave_no_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In 5 s chunks the result is much the same as in one, and nowhere does it jump more."""
    request = written(tmp_path, (voice(20)[:, None] + bed(20)))
    whole = separated(request)
    monkeypatch.setattr(nearest, "CHUNK_S", 6.0)
    monkeypatch.setattr(nearest, "OVERLAP_S", 1.0)
    parts = separated(request)
    assert not np.array_equal(whole, parts), "the chunks were shorter"
    assert si_sdr(whole[:, 0], parts[:, 0]) > 6
    jumps = [np.abs(np.diff(sound[:, 0], n=2)).max() for sound in (whole, parts)]
    assert jumps[1] < 1.3 * jumps[0]


def test_results_that_differ_from_chunk_to_chunk_meet_without_a_step(tmp_path: Path) -> None:
    """A separator that gives every chunk another level: between neighbours the level glides over the overlap."""
    request = written(tmp_path, np.full((10 * RATE, 1), 0.5))
    gains = iter((1.0, 0.2, 0.9, 0.1, 0.8, 0.3, 0.7))
    result = separate_file(request, lambda sound: sound * np.float32(next(gains)), 3.0, 1.0, lambda _: None)
    sound = soundfile.read(result.background)[0]
    assert len(sound) == 10 * RATE
    assert np.abs(np.diff(sound)).max() < 2 / RATE + 2 / 32768
    assert sound[0] == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize("frames", [1, 99, 100, 101, 190, 1000, 12345])
def test_chunks_cover_everything_once_and_overlap_between(frames: int) -> None:
    found = list(chunks(frames, 100, 10))
    assert found[0][0] == 0
    assert found[-1][1] == frames
    assert all(end - start <= 101 for start, end in found)
    assert all(before[1] - after[0] == 10 for before, after in pairwise(found))


def test_progress_rises_to_one(tmp_path: Path) -> None:
    seen: list[float] = []
    create(NEAREST, Folders()).separate(written(tmp_path, bed(3)), seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    request = written(tmp_path, bed(1))
    with pytest.raises(OutputUnavailable, match="make room"):
        create(NEAREST, Folders()).separate(SeparationRequest(request.audio, tmp_path / "absent"))


def test_demucs_takes_out_what_torchaudios_network_calls_vocals(tiny, tmp_path: Path) -> None:
    import torch
    from torchaudio.functional import resample
    from torchaudio.models import HDemucs

    sound = voice(2)[:, None] + bed(2)
    found = separated(written(tmp_path, sound), DEMUCS, Folders(tiny=tiny("demucs")))
    network = HDemucs(["drums", "bass", "other", "vocals"], channels=4, nfft=4096, depth=6).eval()
    network.load_state_dict(torch.load(tiny("demucs") / "hdemucs.pt"))
    with torch.inference_mode():
        heard = network(resample(torch.from_numpy(sound.T.copy()), 48_000, 44_100)[None])[0, 3]
    expected = sound - resample(heard, 44_100, 48_000).T.numpy()[: len(sound)]
    assert np.abs(found - np.clip(expected, -1, 1)).max() < 2 / 32768
    assert np.abs(found - sound).max() > 0.01, "the random network took something out"


def test_demucs_works_in_chunks_on_mono_and_surround(tiny, tmp_path: Path) -> None:
    spec = DEMUCS.model_copy(update={"options": {"chunk_s": 1.5, "overlap_s": 0.5}})
    for channels in (1, 6):
        sound = np.repeat(voice(2.2)[:, None], channels, axis=1)
        found = separated(written(tmp_path, sound), spec, Folders(tiny=tiny("demucs")))
        assert found.shape == sound.shape
        assert np.isfinite(found).all()


def test_missing_or_broken_weights_are_a_missing_model(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="dubline models pull tiny"):
        create(DEMUCS, Folders(tiny=tmp_path))
    (tmp_path / "weights.pt").write_bytes(b"no weights")
    with pytest.raises(ModelMissing, match="dubline models pull tiny"):
        create(DEMUCS, Folders(tiny=tmp_path))


def test_unknown_options_are_refused() -> None:
    for spec in (NEAREST, DEMUCS):
        with pytest.raises(InvalidRequest, match="'strength'"):
            create(spec.model_copy(update={"options": {"strength": 2}}), Folders(tiny=Path()))
