"""pyannote.audio's diarization pipeline over weights that are at hand. Importing this module imports pyannote (15 s).

`SpeakerDiarization` of pyannote.audio 4.0 can only be built with a PLDA and an embedding model of its own format; here
its parts are put together by hand, and its steps (segmentation, embedding, counting, reconstruction) are used as is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pyannote.audio import Audio, Inference, Model, Pipeline
from pyannote.audio.pipelines import SpeakerDiarization
from pyannote.audio.pipelines.clustering import BaseClustering
from pyannote.pipeline.parameter import ParamDict, Uniform

from dubline.engines.diarization.clustering import ClusteringRule, cluster_speakers
from dubline.engines.diarization.resemblyzer import HOP, PARTIAL_FRAMES, ResemblyzerEmbedding

SEGMENTATION_BATCH, EMBEDDING_BATCH = 16, 32
"""Windows a call; larger ones gain nothing on a CPU."""


class TopDownClustering(BaseClustering):  # type: ignore[misc]  # pyannote ships no types
    """`cluster_speakers` where pyannote expects a clustering of its own."""

    expects_num_clusters = False

    def __init__(self, rule: ClusteringRule) -> None:
        # Constrained: the people that segmentation tells apart within a window are different people.
        super().__init__(metric="cosine", constrained_assignment=True)
        self._rule = rule

    def cluster(
        self,
        embeddings: NDArray[np.float64],
        min_clusters: int | None = None,
        max_clusters: int | None = None,
        num_clusters: int | None = None,
    ) -> NDArray[np.int64]:
        return cluster_speakers(embeddings, self._rule, num_clusters)


class OfflinePipeline(SpeakerDiarization):  # type: ignore[misc]  # pyannote ships no types
    """Segmentation by a local checkpoint, embeddings by Resemblyzer, number of speakers from `cluster_speakers`."""

    def __init__(self, segmentation: Path, embedding: Path, step: float, onset: float, rule: ClusteringRule) -> None:
        Pipeline.__init__(self)  # not SpeakerDiarization's own, which insists on models of the hub
        model = Model.from_pretrained(segmentation, strict=False)
        window_s = model.specifications.duration
        self.legacy = False
        self.klustering = "TopDownClustering"
        self.der_variant = {"collar": 0.0, "skip_overlap": False}
        self.embedding_batch_size = EMBEDDING_BATCH
        self.embedding_exclude_overlap = True
        self._expects_num_speakers = False
        self._segmentation = Inference(
            model, duration=window_s, step=step * window_s, skip_aggregation=True, batch_size=SEGMENTATION_BATCH
        )
        self._embedding = ResemblyzerEmbedding(embedding)
        self._audio = Audio(sample_rate=ResemblyzerEmbedding.sample_rate, mono="downmix")
        self.segmentation = ParamDict(threshold=Uniform(0.1, 0.9), min_duration_off=Uniform(0.0, 1.0))
        self.clustering = TopDownClustering(rule)
        self.instantiate({"segmentation": {"threshold": onset, "min_duration_off": 0.0}, "clustering": {}})

    def voice(self, samples: NDArray[np.float32]) -> NDArray[np.float64]:
        """The embedding of one utterance, float32 (samples,) at 16 kHz.

        A short one is said again and again for as long as the network was trained on: with silence behind it, it would
        be more like other short ones than like its speaker's sentences.
        """
        said = np.resize(samples, max(len(samples), PARTIAL_FRAMES * HOP))
        (vector,) = self._embedding(torch.from_numpy(said)[None, None])
        return np.asarray(vector, np.float64)

    def reconstruct(self, segmentations: Any, hard_clusters: NDArray[np.int64], count: Any) -> Any:
        """As pyannote does, but never with more people at once than there are: it would invent the ones who lack."""
        count.data = np.minimum(count.data, hard_clusters.max() + 1)
        return super().reconstruct(segmentations, hard_clusters, count)
