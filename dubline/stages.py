"""The stages of a run, in order, with the version of what each one means.

A developer raises a version when the stage's result is to be another for the same input: every checkpoint of it, and
so everything after it, is then made anew.
"""

from __future__ import annotations

STAGES: dict[str, int] = {
    "ingest": 5,
    "survey-tracks": 1,
    "identify-language": 1,
    "extract-audio": 2,
    "check-media": 1,
    "transcribe": 2,
    "diarize": 1,
    "separate": 1,
    "attribute": 8,
    "mend-source": 1,
    "check-segments": 1,
    "check-transcript": 1,
    "subtitle-source": 2,
    "translate": 6,
    "translate-again": 2,
    "mend-lines": 1,
    "check-translation": 1,
    "plan-speech": 9,
    "synthesize": 3,
    "mend-plan": 1,
    "speak-again": 1,
    "check-speech": 1,
    "place": 7,
    "check-timeline": 1,
    "mix": 4,
    "subtitle": 2,
    "order-frames": 1,
    "mux": 4,
    "burn-in": 2,
    "check-output": 2,
    "publish": 4,
}

MENDING = frozenset(("mend-source", "translate-again", "mend-lines", "mend-plan", "speak-again"))
"""Stages of a request with edits of single lines, and of no other."""

CHOOSING = frozenset(("survey-tracks", "identify-language"))
"""Stages of a video with several audio tracks of which nobody named one, and of no other."""

ORDERING = frozenset(("order-frames",))
"""Stages of a video whose packets do not say when their frames are shown, and of no other."""

INFERENCE = frozenset(
    (
        "identify-language",
        "transcribe",
        "diarize",
        "separate",
        "translate",
        "translate-again",
        "synthesize",
        "speak-again",
    )
)
"""Stages that a model works in; they can be run on a work pool with GPUs."""

ONCE = frozenset(
    (
        *("ingest", "survey-tracks", "identify-language", "extract-audio", "transcribe", "diarize", "separate"),
        *("attribute", "mend-source", "subtitle-source", "order-frames", "publish"),
    )
)
"""Stages that a run does once; the others are done for each target language."""
