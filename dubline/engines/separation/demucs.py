"""Voices taken out by Hybrid Demucs (Defossez, "Hybrid Spectrogram and Waveform Source Separation", 2021).

The network is torchaudio's, the weights are those of its bundle HDEMUCS_HIGH_MUSDB_PLUS: stereo at 44.1 kHz, four
sources. It was trained on songs; spoken voices are found as `vocals`. The background is the sound minus that source.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from dubline.domain.errors import ModelMissing
from dubline.engines.contracts import Progress, SeparationRequest, SeparationResult, no_progress
from dubline.engines.device import device, loading, running
from dubline.engines.models import ModelStore
from dubline.engines.options import Options, read_options
from dubline.engines.registry import EngineSpec
from dubline.engines.separation.chunks import RATE, Samples, separate_file

SOURCES = ["drums", "bass", "other", "vocals"]
"""In the order of the bundle's outputs."""
MODEL_RATE = 44_100


class DemucsOptions(Options):
    chunk_s: float = Field(10.0, gt=1)
    """What the network sees at once: more needs more memory. torchaudio's own example takes 10 s."""
    overlap_s: float = Field(1.0, gt=0, le=1)


class Demucs:
    """A `Separator` on the GPU where there is one."""

    def __init__(self, spec: EngineSpec, models: ModelStore) -> None:
        self._options = read_options(DemucsOptions, spec)
        folder = models.path(str(spec.model))
        self._device = device()
        with loading("Demucs", spec.model):
            self._network = _network(folder, str(spec.model)).to(self._device)

    def separate(self, request: SeparationRequest, progress: Progress = no_progress) -> SeparationResult:
        with running("Demucs", "take the voices out of the sound"):
            return separate_file(request, self._background, self._options.chunk_s, self._options.overlap_s, progress)

    def _background(self, sound: Samples) -> Samples:
        import torch
        from torchaudio.functional import resample

        stereo = torch.from_numpy(sound.T.copy()).to(self._device).expand(2, -1)
        with torch.inference_mode():
            sources = self._network(resample(stereo, RATE, MODEL_RATE)[None])[0]
            voice = resample(sources[SOURCES.index("vocals")], MODEL_RATE, RATE)[:, : len(sound)]
        if sound.shape[1] == 1:
            voice = voice.mean(dim=0, keepdim=True)
        background: Samples = sound - voice.T.cpu().numpy()
        return background


def _network(folder: Path, model: str) -> Any:
    """The bundle's architecture, as wide as the weights in the folder's one .pt file are."""
    import torch
    from torchaudio.models import HDemucs

    weights = sorted(folder.glob("*.pt"))
    if not weights:
        raise ModelMissing(f"There is no .pt file in {folder}; pull it again with `dubline models pull {model}`.")
    state = torch.load(weights[0], map_location="cpu", weights_only=True)
    width = state["freq_encoder.0.conv.weight"].shape[0]
    network = HDemucs(SOURCES, channels=width, nfft=4096, depth=6)
    network.load_state_dict(state)
    return network.eval()
