"""Who speaks when, by the pipeline that pyannote publishes on the model hub (speaker-diarization-community-1).

The model's folder is the repository as it stands: a `config.yaml` that names segmentation, embedding and PLDA by paths
relative to itself. Batch sizes and thresholds are those of that file.
"""

from __future__ import annotations

import os

from dubline.domain.errors import ModelMissing
from dubline.engines.contracts import DiarizationRequest
from dubline.engines.device import device, loading, quiet
from dubline.engines.diarization.pyannote import PyannoteOffline, Samples
from dubline.engines.diarization.turns import Tracks
from dubline.engines.models import ModelStore
from dubline.engines.options import Options, read_options
from dubline.engines.registry import EngineSpec


class HubOptions(Options):
    pass


class PyannoteHub(PyannoteOffline):
    """A `Diarizer` on the GPU where there is one. It diarizes as the offline engine does, over another pipeline."""

    def __init__(self, spec: EngineSpec, models: ModelStore) -> None:
        """Load the weights; pyannote's import alone takes 15 s. Raises ModelMissing and InvalidRequest."""
        read_options(HubOptions, spec)
        self._embedding_space = spec.model
        folder = models.path(str(spec.model))
        if not (folder / "config.yaml").is_file():
            # The library would take the name of a folder without one for that of a repository on the hub.
            raise ModelMissing(
                f"{folder} has no config.yaml of a pyannote pipeline; "
                f"pull it again with `dubline models pull {spec.model}`."
            )
        where = device()
        os.environ["PYANNOTE_METRICS_ENABLED"] = "0"  # else pyannote reports durations and speaker counts to its makers
        with quiet(), loading("pyannote", spec.model):
            import torch
            from pyannote.audio import Pipeline

            self._pipeline = Pipeline.from_pretrained(folder)
            self._pipeline.to(torch.device(where))

    def _judged(self, request: DiarizationRequest, samples: Samples, tracks: Tracks) -> Tracks:
        """As the pipeline tells them: what the offline engine needs to tell voices apart was not measured with it."""
        return tracks
