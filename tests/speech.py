"""Real speech that a package ships."""

from __future__ import annotations

import importlib.util
from pathlib import Path

_package = importlib.util.find_spec("pyannote.audio")
assert _package is not None and _package.origin is not None
SAMPLE = Path(_package.origin).parent / "sample" / "sample.wav"
"""30 s of two people talking, from second 7 on without long pauses: mono, 16 kHz."""
