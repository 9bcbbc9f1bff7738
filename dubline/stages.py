"""The stages of a run, in order, with the version of what each one means.

A developer raises a version when the stage's result is to be another for the same input: every checkpoint of it, and
so everything after it, is then made anew.
"""

from __future__ import annotations

STAGES: dict[str, int] = {
    "ingest": 1,
    "extract-audio": 1,
    "check-media": 1,
    "transcribe": 1,
    "diarize": 1,
    "attribute": 1,
    "check-segments": 1,
    "check-transcript": 1,
    "subtitle-source": 1,
    "translate": 1,
    "check-translation": 1,
    "plan-speech": 1,
    "synthesize": 1,
    "check-speech": 1,
    "place": 1,
    "check-timeline": 1,
    "mix": 1,
    "subtitle": 1,
    "mux": 1,
    "check-output": 1,
    "publish": 1,
}

ONCE = frozenset(("ingest", "extract-audio", "transcribe", "diarize", "attribute", "subtitle-source", "publish"))
"""Stages that a run does once; the others are done for each target language."""
