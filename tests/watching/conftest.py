from __future__ import annotations

from pathlib import Path

import pytest

from tests.watching.shed import Shed


@pytest.fixture
def shed(tmp_path: Path) -> Shed:
    return Shed(tmp_path)
