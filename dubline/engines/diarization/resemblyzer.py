"""Speaker embeddings (d-vectors) from the weights of Resemblyzer, in the form that pyannote's pipelines expect.

The network is the GE2E speaker encoder (Wan et al., "Generalized End-to-End Loss for Speaker Verification", ICASSP
2018, section 4): three LSTM layers over a 40-band mel spectrogram, a projection, ReLU and unit length. The mel settings
are those that the weights were trained with.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from dubline.engines.device import loading

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAMPLE_RATE = 16_000
WINDOW, HOP, BANDS = 400, 160, 40
"""Samples of the 25 ms analysis window and its 10 ms hop, and mel bands."""
PARTIAL_FRAMES = 160
"""The encoder was trained on utterances of 1.6 s; longer speech is the mean over such parts."""
PARTIAL_HOP = 77
"""1.3 parts a second, the rate its authors embed utterances with."""
MIN_FRAMES = 40
"""Below 0.4 s of speech an embedding says more about the word than about the voice."""
TARGET_RMS = 10 ** (-30 / 20)
"""Quiet speech is raised to -30 dBFS, as in training: the spectrogram is not logarithmic, so level matters."""


class VoiceEncoder(nn.Module):
    """Mel frames to unit vectors. Loaded with `load`."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(BANDS, 256, 3, batch_first=True)
        self.linear = nn.Linear(256, 256)

    def forward(self, mels: Tensor) -> Tensor:
        """float32 (batch, frames, 40) -> float32 (batch, 256), each of length 1."""
        _, (hidden, _) = self.lstm(mels)
        return nn.functional.normalize(torch.relu(self.linear(hidden[-1])), dim=1)


class ResemblyzerEmbedding:
    """Embeds what a mask leaves of each waveform; pyannote's pipeline calls it in place of a model of its own."""

    sample_rate = SAMPLE_RATE
    dimension = 256
    metric = "cosine"
    min_num_samples = MIN_FRAMES * HOP

    def __init__(self, checkpoint: Path) -> None:
        """`checkpoint` is Resemblyzer's `pretrained.pt`. Raises ModelMissing where it is something else."""
        from torchaudio.functional import melscale_fbanks

        self.device = torch.device("cpu")
        self.encoder = _load(checkpoint)
        self._window = torch.hann_window(WINDOW)
        self._filters = melscale_fbanks(
            WINDOW // 2 + 1, 0.0, SAMPLE_RATE / 2, BANDS, SAMPLE_RATE, norm="slaney", mel_scale="slaney"
        )

    def to(self, device: torch.device) -> ResemblyzerEmbedding:
        """pyannote moves its models with this; the encoder is small and moves whole."""
        self.encoder.to(device)
        self._window, self._filters, self.device = self._window.to(device), self._filters.to(device), device
        return self

    @torch.inference_mode()
    def __call__(self, waveforms: Tensor, masks: Tensor | None = None) -> NDArray[np.float32]:
        """Embed a batch.

        `waveforms` is float32 (batch, 1, samples) at 16 kHz, `masks` float32 (batch, frames) spread evenly over the
        samples, above 0.5 where the speaker talks. Returns float32 (batch, 256); rows with too little speech are NaN.
        """
        mels = [
            self._speech_mels(waveform[0], None if masks is None else masks[row])
            for row, waveform in enumerate(waveforms.to(self.device))
        ]
        parts = [_partials(mel) for mel in mels]
        result = torch.full((len(mels), self.dimension), torch.nan)
        if sum(map(len, parts)):
            vectors = self.encoder(torch.cat(parts)).cpu()
            for row, mine in enumerate(vectors.split([len(p) for p in parts])):
                if len(mine):
                    result[row] = nn.functional.normalize(mine.mean(dim=0), dim=0)
        return result.numpy()

    def _speech_mels(self, waveform: Tensor, mask: Tensor | None) -> Tensor:
        """Mel frames (frames, 40) of the masked samples, joined, at the level of training."""
        if mask is not None:
            spread = nn.functional.interpolate(mask.to(waveform)[None, None], size=len(waveform), mode="nearest")
            waveform = waveform[spread[0, 0] > 0.5]
        if len(waveform) < self.min_num_samples:
            return waveform.new_zeros((0, BANDS))
        rms = waveform.square().mean().sqrt()
        if 0 < rms < TARGET_RMS:
            waveform = waveform * (TARGET_RMS / rms)
        spectrum = torch.stft(
            waveform, WINDOW, HOP, WINDOW, self._window, center=True, pad_mode="constant", return_complex=True
        )
        mel: Tensor = spectrum.abs().square().T @ self._filters
        return mel


def _partials(mel: Tensor) -> Tensor:
    """Overlapping parts (parts, PARTIAL_FRAMES, 40) that cover all frames; short speech is padded with zeros."""
    if not len(mel):
        return mel.new_zeros((0, PARTIAL_FRAMES, BANDS))
    if len(mel) <= PARTIAL_FRAMES:
        return nn.functional.pad(mel, (0, 0, 0, PARTIAL_FRAMES - len(mel)))[None]
    last = len(mel) - PARTIAL_FRAMES
    starts = [*range(0, last, PARTIAL_HOP), last]
    return torch.stack([mel[start : start + PARTIAL_FRAMES] for start in starts])


def _load(checkpoint: Path) -> VoiceEncoder:
    encoder = VoiceEncoder()
    with loading("The speaker encoder", "resemblyzer"):
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)["model_state"]
        encoder.load_state_dict({name: value for name, value in state.items() if name in encoder.state_dict()})
    return encoder.eval()
