"""From a pyannote annotation to a diarization result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dubline.domain.time import Span, merged, total_ms
from dubline.domain.transcript import Speaker, Turn
from dubline.engines.contracts import DiarizationResult
from dubline.engines.diarization.pitch import median_f0_hz

SHORTEST_MS = 100
"""Less is no syllable: the label flickers where two windows disagree."""
EMBEDDING_DECIMALS = 4
Tracks = dict[str, list[Span]]
"""Label of a speaker -> his turns."""


def result_from(
    annotation: Any,
    samples: NDArray[np.float32],
    sample_rate: int,
    embeddings: Mapping[str, tuple[float, ...]] | None = None,
    space: str | None = None,
    judged: Callable[[Tracks], Tracks] = lambda tracks: tracks,
) -> DiarizationResult:
    """Turns in order, speakers named S1, S2, ... by their first turn, each with pitch and speaking time.

    `annotation` is a pyannote.core.Annotation in seconds on the axis of `samples`, float32 (samples,), mono. Turns
    under SHORTEST_MS are dropped, then gaps up to SHORTEST_MS between turns of one speaker are closed. `embeddings` are
    the annotation's labels' in `space`. `judged` may give turns to other labels before all this.
    """
    end = Span(0, len(samples) * 1000 // sample_rate)
    tracks: dict[str, list[Span]] = {}
    for segment, _, label in annotation.itertracks(yield_label=True):
        span = Span.from_seconds(segment.start, segment.end) & end
        if span and span.len_ms >= SHORTEST_MS:
            tracks.setdefault(str(label), []).append(span)
    if tracks:
        tracks = judged(tracks)
    joined = sorted((span, label) for label, spans in tracks.items() for span in merged(spans, gap_ms=SHORTEST_MS))
    names = {label: f"S{number}" for number, label in enumerate(dict.fromkeys(label for _, label in joined), start=1)}
    turns = tuple(Turn(span, names[label]) for span, label in joined)
    speakers = []
    for label, name in names.items():
        own, vector = [turn.span for turn in turns if turn.speaker == name], (embeddings or {}).get(label)
        pitch = median_f0_hz(samples, sample_rate, own)
        speakers.append(Speaker(name, pitch, total_ms(own), vector, space if vector else None))
    return DiarizationResult(turns, tuple(speakers))


def embeddings_of(output: Any) -> dict[str, tuple[float, ...]]:
    """Label -> embedding of length 1, from what a pyannote pipeline returns; labels without one are left out."""
    vectors = output.speaker_embeddings
    if vectors is None:
        return {}
    return {
        str(label): tuple(round(float(value), EMBEDDING_DECIMALS) for value in vector / np.linalg.norm(vector))
        for label, vector in zip(output.speaker_diarization.labels(), vectors, strict=False)
        if np.isfinite(vector).all() and vector.any()
    }
