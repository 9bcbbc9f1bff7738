"""Who speaks when, without the model hub: pyannote.audio's pipeline over offline weights.

Segmentation comes from the checkpoint inside the whisperx wheel, speaker embeddings from Resemblyzer's weights, the
number of speakers from `clustering.cluster_speakers`. bench/diarization.py measures what it reaches.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dubline.acoustics.voice_activity import RATE, clear_speech
from dubline.domain.time import Span
from dubline.engines.contracts import DiarizationRequest, DiarizationResult, Progress, no_progress
from dubline.engines.device import loading, quiet, running
from dubline.engines.diarization.clustering import MIN_SPEECH_S, THRESHOLD, ClusteringRule
from dubline.engines.diarization.exchanges import PAUSE_MS, judged
from dubline.engines.diarization.turns import Tracks, embeddings_of, result_from
from dubline.engines.options import Options, read_options
from dubline.settings import settings

if TYPE_CHECKING:
    from dubline.engines.models import ModelStore
    from dubline.engines.registry import EngineSpec

WINDOW_S = 5.0
"""What the segmentation checkpoint was trained on."""
THREADS = 1
"""These networks are too small to share: on two quiet cores a second thread saves nothing, and on busy ones the threads
wait for each other at every step of the LSTMs (six times slower, measured). The other cores are for the recognizer."""
_STAGES = {"segmentation": (0.0, 0.4), "embeddings": (0.4, 0.9)}
"""Shares of the work, measured on the 30 s sample."""

Samples = NDArray[np.float32]


class OfflineOptions(Options):
    step: float = Field(default=0.15, gt=0, le=1)
    """Step of the 5 s analysis window as a share of it; 0.25 takes two thirds of the time."""
    onset: float = Field(default=0.5, gt=0, lt=1)
    """Segmentation score above which somebody speaks; the checkpoint's own middle."""
    threshold: float = Field(default=THRESHOLD, gt=0)
    """See clustering.THRESHOLD."""
    min_speech_s: float = Field(default=MIN_SPEECH_S, ge=0)
    """See clustering.MIN_SPEECH_S."""


class PyannoteOffline:
    """A `Diarizer` on the CPU."""

    _embedding_space: str | None = "resemblyzer"

    def __init__(self, spec: EngineSpec, models: ModelStore) -> None:
        """Load the weights; pyannote's import alone takes 15 s. Raises ModelMissing and InvalidRequest."""
        options = read_options(OfflineOptions, spec)
        segmentation = models.path("pyannote-segmentation") / "pytorch_model.bin"
        embedding = models.path("resemblyzer") / "pretrained.pt"
        os.environ["PYANNOTE_METRICS_ENABLED"] = "0"  # else pyannote reports durations and speaker counts to its makers
        with quiet(), loading("pyannote", "pyannote-segmentation"):
            from dubline.engines.diarization.offline_pipeline import OfflinePipeline

            rule = ClusteringRule(options.step * WINDOW_S, options.threshold, options.min_speech_s)
            self._pipeline = OfflinePipeline(segmentation, embedding, options.step, options.onset, rule)

    def diarize(self, request: DiarizationRequest, progress: Progress = no_progress) -> DiarizationResult:
        """Tell who speaks when; empty where nobody does. Raises EngineFailed."""
        with quiet(), running("pyannote", f"tell the speakers apart in {request.audio.name}"):
            samples, sample_rate = _read(request)
            if not len(samples):
                return DiarizationResult((), ())
            found = self._found(samples, sample_rate, request.speakers, progress)
            result = result_from(
                found.speaker_diarization,
                samples,
                sample_rate,
                embeddings_of(found),
                self._embedding_space,
                partial(self._judged, request, samples),
            )
        progress(1.0)
        return result

    def _judged(self, request: DiarizationRequest, samples: Samples, tracks: Tracks) -> Tracks:
        """With quick exchanges told apart; the number of speakers stays where it was given."""
        if request.speakers is not None:
            return tracks

        def embed(span: Span) -> NDArray[np.float64]:
            start, end = (ms * RATE // 1000 for ms in (span.start_ms, span.end_ms))
            return self._pipeline.voice(samples[start:end])

        return judged(tracks, clear_speech(request.audio, PAUSE_MS), embed)

    def _found(self, samples: Samples, sample_rate: int, speakers: int | None, progress: Progress) -> Any:
        import torch

        torch.set_num_threads(min(THREADS, settings().threads))
        file = {"waveform": torch.from_numpy(samples)[None], "sample_rate": sample_rate, "uri": "audio"}
        return self._pipeline(file, num_speakers=speakers, hook=_observer(progress))


def _read(request: DiarizationRequest) -> tuple[Samples, int]:
    import soundfile

    samples, sample_rate = soundfile.read(request.audio, dtype="float32", always_2d=True)
    return np.ascontiguousarray(samples.mean(axis=1)), sample_rate


def _observer(progress: Progress) -> Callable[..., None]:
    """A pyannote hook that turns its steps' counts into one share that never decreases."""

    def hook(step: str, _: object, file: object = None, total: int | None = None, completed: int | None = None) -> None:
        if step in _STAGES and total and completed is not None:
            start, end = _STAGES[step]
            progress(float(start + (end - start) * min(completed / total, 1.0)))

    return hook
