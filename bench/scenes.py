"""Made videos whose speech is known: who says what, when, over what. bench/data/scenes.yaml has the texts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ffmpeg
import numpy as np
import soundfile
import yaml

from bench.mixes import RATE, Samples, at_level, beds
from dubline.domain.time import Span
from dubline.engines.contracts import SpeechRequest
from dubline.engines.models import ModelStore
from dubline.engines.registry import EngineSpec, create
from dubline.media.trimming import trimmed
from dubline.settings import settings

SCENES = Path(__file__).parent / "data" / "scenes.yaml"
ENGINE = EngineSpec(capability="speech", engine="kokoro", model="kokoro-82m-int8")
FIRST_S, PAUSE_S, LAST_S = 1.0, 0.5, 1.0
VERSION = 3
"""Raised when a scene is to be made anew from the same script."""
SIDE = 0.3
"""How far a speaker stands from the middle; every other one on the other side."""


@dataclass(frozen=True)
class Said:
    span: Span
    """Of a phrase, pauses aside."""
    speaker: str
    text: str


@dataclass(frozen=True)
class Scene:
    name: str
    language: str
    video: Path
    speech: Path | None
    """What is said, without the background: mono, 16 kHz."""
    said: tuple[Said, ...]


def scenes(wanted: Collection[str] = ()) -> Iterator[Scene]:
    """The videos of the scenes named, or of all, made once and kept under the Dubline home."""
    from scipy.signal import resample_poly

    folder = settings().home / "bench" / "scenes"
    folder.mkdir(parents=True, exist_ok=True)
    engine: Any = None
    for name, script in yaml.safe_load(SCENES.read_text(encoding="utf-8")).items():
        if wanted and name not in wanted:
            continue
        digest = hashlib.sha256(json.dumps([VERSION, script]).encode()).hexdigest()[:12]
        stem = folder / f"{name.replace(' ', '-')}-{digest}"
        said_at = stem.with_suffix(".json")
        if not said_at.exists():
            engine = engine or create(ENGINE, ModelStore(settings().models))
            sound, said = spoken(engine, script)
            soundfile.write(
                stem.with_suffix(".wav"), resample_poly(sound.mean(axis=1), 1, 3), RATE // 3, subtype="PCM_16"
            )
            film(with_bed(sound, script), stem.with_suffix(".mp4"))
            said_at.write_text(json.dumps([asdict(one) for one in said]))
        said = [Said(Span(**one["span"]), one["speaker"], one["text"]) for one in json.loads(said_at.read_text())]
        yield Scene(name, script["language"], stem.with_suffix(".mp4"), stem.with_suffix(".wav"), tuple(said))


def spoken(engine: Any, script: dict[str, Any]) -> tuple[Samples, list[Said]]:
    """The speech alone, (samples, 2) at 48 kHz, and what is said in it."""
    from scipy.signal import resample_poly

    at, parts, said = FIRST_S, [], []
    speakers = list(dict.fromkeys(voice for voice, *_ in script["say"]))
    for voice, text, *pause in script["say"]:
        at += pause[0] if pause else 0.0
        for number, phrase in enumerate(text.split("|")):
            at += PAUSE_S if number else 0.0
            request = SpeechRequest(phrase.strip(), script["language"], voice, script.get("speed", 1.0))
            (result,) = engine.synthesize([request])
            clip = resample_poly(trimmed(result.samples, result.sample_rate), RATE // result.sample_rate, 1)
            parts.append((round(at * RATE), clip, speakers.index(voice)))
            said.append(Said(Span.from_seconds(at, at + len(clip) / RATE), voice, phrase.strip()))
            at += len(clip) / RATE
    sound = np.zeros((round((at + LAST_S) * RATE), 2))
    for start, clip, speaker in parts:
        side = SIDE if speaker % 2 else -SIDE
        sound[start : start + len(clip)] += 0.3 * clip[:, None] * np.array([1 - side, 1 + side])
    return sound, said


def with_bed(sound: Samples, script: dict[str, Any]) -> Samples:
    """Over its background; a silent room where it has none."""
    if "bed" in script:
        return sound + at_level(beds(len(sound))[script["bed"]], sound, script["bed_db"])
    hiss: Samples = sound + np.random.default_rng(0).normal(0, 3e-4, sound.shape)
    return hiss


def film(sound: Samples, out: Path) -> None:
    """A test picture with the sound."""
    wav = out.with_suffix(".partial.wav")
    soundfile.write(wav, np.clip(sound, -1, 1), RATE, subtype="PCM_16")
    picture = ffmpeg.input("testsrc2=s=320x180:r=25", format="lavfi", t=len(sound) / RATE)
    made = ffmpeg.output(picture, ffmpeg.input(str(wav)), str(out), vcodec="libx264", preset="veryfast", acodec="aac")
    made.global_args("-v", "error").overwrite_output().run()
    wav.unlink()
