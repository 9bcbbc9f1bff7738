"""What counts as clear speech: people who talk, at both ends of a file too, and no tone, noise or silence."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from dubline.acoustics import voice_activity as detector
from dubline.acoustics.voice_activity import clear_speech
from dubline.domain.time import Span, total_ms

RATE = 16_000


@pytest.fixture(scope="module")
def talk() -> np.ndarray:
    """Real speech without a longer pause: 3.2 s of two people on the telephone."""
    package = importlib.util.find_spec("pyannote.audio")
    assert package and package.origin
    sound, rate = soundfile.read(Path(package.origin).parent / "sample" / "sample.wav", dtype="float32")
    assert rate == RATE
    part: np.ndarray = sound[int(14.5 * RATE) : int(17.7 * RATE)]
    return part


def found(folder: Path, sound: np.ndarray) -> tuple[Span, ...]:
    soundfile.write(folder / "a.wav", sound, RATE)
    return clear_speech(folder / "a.wav")


def test_speech_is_found_from_the_first_moment_to_the_last(tmp_path: Path, talk: np.ndarray) -> None:
    spans = found(tmp_path, talk)
    assert spans[0].start_ms <= 64
    assert spans[-1].end_ms >= len(talk) * 1000 // RATE - 100
    assert spans[-1].end_ms <= len(talk) * 1000 // RATE
    assert total_ms(spans) >= 3000


def test_silence_around_speech_is_none_and_its_edges_are_found(tmp_path: Path, talk: np.ndarray) -> None:
    spans = found(tmp_path, np.concatenate([np.zeros(2 * RATE), talk, np.zeros(2 * RATE)]))
    assert spans[0].start_ms == pytest.approx(2000, abs=130)
    assert spans[-1].end_ms == pytest.approx(5200, abs=130)


@pytest.mark.parametrize("kind", ["silence", "noise", "chord", "clicks"])
def test_what_is_no_speech_is_not_taken_for_it(tmp_path: Path, kind: str) -> None:
    time, draw = np.arange(6 * RATE) / RATE, np.random.default_rng(0)
    sounds: dict[str, Any] = {
        "silence": np.zeros_like(time),
        "noise": draw.normal(0, 0.05, len(time)),
        "chord": 0.1 * sum(np.sin(2 * np.pi * hertz * time) * np.exp(-3 * (time % 0.6)) for hertz in (220, 277, 330)),
        "clicks": 0.5 * (np.arange(len(time)) % 4000 < 20),
    }
    assert found(tmp_path, sounds[kind]) == ()


def test_the_size_of_a_block_does_not_show(tmp_path: Path, talk: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    long = np.concatenate([np.zeros(RATE), talk, np.zeros(RATE), talk, np.zeros(RATE), talk])
    whole = found(tmp_path, long)
    monkeypatch.setattr(detector, "_BLOCK_FRAMES", 100)
    parts = clear_speech(tmp_path / "a.wav")
    assert len(parts) == len(whole)
    for one, other in zip(parts, whole, strict=True):
        assert abs(one.start_ms - other.start_ms) <= 64
        assert abs(one.end_ms - other.end_ms) <= 64


def test_a_file_without_a_sample_has_no_speech(tmp_path: Path) -> None:
    assert found(tmp_path, np.zeros(0)) == ()
