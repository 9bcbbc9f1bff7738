"""How well the weight-free separation parts voice and background: `python -m bench.separation`.

Mixes of known stems (bench/mixes.py) in stereo and in mono. SI-SDR is the scale-invariant signal-to-distortion ratio of
Le Roux, Wisdom, Erdogan & Hershey, "SDR - half-baked or well done?" (ICASSP 2019), equation 2, over both channels:

    SI-SDR = 10 log10( |a s|^2 / |a s - e|^2 ),  a = <e, s> / |s|^2

for a stem s and its estimate e; the improvement is against the mix as its own estimate. `kept_db` is the level of the
estimated background against the true one, `leak_db` that of what is left of the voice in it against the voice: both
by projection on the two true stems. Writes bench/results/separation.json.
"""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile

from bench.mixes import RATE, Samples, mixes
from dubline.engines.contracts import SeparationRequest, Separator
from dubline.engines.models import ModelStore
from dubline.engines.registry import EngineSpec, create
from dubline.settings import settings

RESULTS = Path(__file__).parent / "results" / "separation.json"
ENGINE = EngineSpec(capability="separation", engine="nearest-neighbours")
LONG_S = 600


@dataclass(frozen=True, slots=True)
class Row:
    bed: str
    channels: int
    voice_over_bed_db: int
    background_si_sdr: float
    background_improvement: float
    voice_si_sdr: float
    voice_improvement: float
    kept_db: float
    leak_db: float
    real_time_factor: float


def main() -> None:
    engine: Separator = create(ENGINE, ModelStore(settings().models))
    rows = [
        measure(engine, name, level, voice[:, :channels], bed[:, :channels])
        for name, level, voice, bed in mixes()
        for channels in (2, 1)
    ]
    for row in rows:
        print(row)
    _, _, voice, bed = next(mixes())
    long = np.resize(voice + bed / 4, (LONG_S * RATE, 2)) / 2
    seconds = separate(engine, long)[1]
    print(f"{LONG_S} s: real-time factor {seconds / LONG_S:.3f}")
    document = {"rows": [rounded(row) for row in rows], "long": {"seconds": LONG_S, "rtf": round(seconds / LONG_S, 4)}}
    RESULTS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def measure(engine: Separator, bed_name: str, level: int, voice: Samples, bed: Samples) -> Row:
    mix = voice + bed
    scale = min(1.0, 0.9 / float(np.abs(mix).max()))
    voice, bed, mix = voice * scale, bed * scale, mix * scale
    background, seconds = separate(engine, mix)
    kept, leaked = shares(background, bed, voice)
    return Row(
        bed_name,
        mix.shape[1],
        level,
        si_sdr(bed, background),
        si_sdr(bed, background) - si_sdr(bed, mix),
        si_sdr(voice, mix - background),
        si_sdr(voice, mix - background) - si_sdr(voice, mix),
        20 * np.log10(abs(kept)),
        20 * np.log10(abs(leaked)),
        seconds / (len(mix) / RATE),
    )


def separate(engine: Separator, mix: Samples) -> tuple[Samples, float]:
    """The background, and the seconds it took."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "full.flac"
        soundfile.write(path, mix, RATE, "PCM_16")
        began = time.perf_counter()
        result = engine.separate(SeparationRequest(path, Path(folder)))
        took = time.perf_counter() - began
        return soundfile.read(result.background, always_2d=True)[0], took


def si_sdr(stem: Samples, estimate: Samples) -> float:
    """In dB; the channels count as one long signal."""
    stem, estimate = stem.ravel(), estimate.ravel()
    target = stem * (estimate @ stem) / (stem @ stem)
    return float(10 * np.log10((target @ target) / np.sum(np.square(target - estimate))))


def shares(estimate: Samples, bed: Samples, voice: Samples) -> tuple[float, float]:
    """Factors of bed and voice in the estimate, by least squares."""
    stems = np.stack([bed.ravel(), voice.ravel()], axis=1)
    (kept, leaked), *_ = np.linalg.lstsq(stems, estimate.ravel())
    return float(kept), float(leaked)


def rounded(row: Row) -> dict[str, str | int | float]:
    return {key: round(value, 3) if isinstance(value, float) else value for key, value in asdict(row).items()}


if __name__ == "__main__":
    main()
